"""Deadlines for what a client sends; uvicorn has none. The body of a request is `body.read`'s, all else is here."""

from __future__ import annotations

import asyncio
from typing import ClassVar

from uvicorn._types import HTTPScope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from revenueflow.settings import ApiSettings

WHOLE = "body_is_whole"
"""In the state of a request's scope: all of its body has arrived, so nobody needs a timer for it."""
OVERHEAD_LIMIT = 320 * 1024
"""Bytes of a request that are not its body: 64 KiB, and what the transport may hand over in one read."""


class DeadlineProtocol(HttpToolsProtocol):
    """HTTP/1.1 whose senders must hurry; a connection that does not is closed.

    The head of a request has `header_seconds` from the start of the connection, or from its first byte on one that is
    kept alive. What is left of a body after the answer has `body_seconds`. A timer is set only while something is
    awaited: a request that comes in one piece sets none.
    """

    header_seconds: ClassVar[float]
    body_seconds: ClassVar[float]
    _whole: HTTPScope | None = None  # of the latest request that has arrived completely
    _overhead = 0
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """The head of the first request is awaited."""
        super().connection_made(transport)
        self._expect(self.header_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is awaited any more."""
        self._arrived()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Reads on. What is no whole request gets a deadline, and a bound."""
        super().data_received(data)
        if self.scope is self._whole:
            if self.timeout_keep_alive_task is None and not self._answering():
                self._expect(self.header_seconds)  # blank lines, or the end of a body that was not wanted
            return
        self._overhead += len(data)
        if self._overhead > OVERHEAD_LIMIT:
            self.transport.close()
        elif not self._has_head():
            self._expect(self.header_seconds)

    def on_headers_complete(self) -> None:
        """The head is there, the body may not be."""
        super().on_headers_complete()
        self.headers = []  # trailers must not become headers of a request that is being answered
        self._arrived()

    def on_body(self, body: bytes) -> None:
        """A part of the body: it is bounded by whoever reads it."""
        self._overhead -= len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """All of the request is there."""
        self._whole, self._overhead = self.scope, 0
        self.scope["state"][WHOLE] = True
        if self._timer:
            self._arrived()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """An early answer: the rest of the body is let in for a while, so that the sender can read the answer."""
        super().on_response_complete()
        if self.scope is not self._whole and self._has_head() and not self._answering():
            self._expect(self.body_seconds)

    def _has_head(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is not None and cycle.scope is self.scope

    def _answering(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle  # none before the first request
        return cycle is not None and not cycle.response_complete

    def _expect(self, seconds: float) -> None:
        if self._timer is None:
            self._timer = self.loop.call_later(seconds, self._late, seconds)

    def _arrived(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _late(self, seconds: float) -> None:
        self._timer = None
        if self._answering():  # an earlier request of a pipeline: the delay is ours
            self._expect(seconds)
        else:
            self.transport.close()


def protocol(settings: ApiSettings) -> type[DeadlineProtocol]:
    """The class to give to uvicorn as `http`."""

    class Configured(DeadlineProtocol):
        header_seconds = settings.header_seconds
        body_seconds = settings.body_seconds

    return Configured
