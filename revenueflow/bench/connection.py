"""One keep-alive connection, one request at a time, and no more reading of the answer than is needed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

Answered = Callable[["Connection", int, bytes], None]

_LENGTH = b"\r\ncontent-length:"


class Connection(asyncio.Protocol):
    """Calls `answered` with status and body, and `lost` when it is closed, by whomever."""

    def __init__(self, answered: Answered, lost: Callable[[Connection], None]) -> None:
        self._answered = answered
        self._lost = lost
        self._rest = b""
        self._transport: asyncio.Transport | None = None
        self.began = 0.0
        self.busy = False

    def send(self, request: bytes, began: float) -> None:
        """Sends; the answer will be counted from `began`."""
        self.began, self.busy = began, True
        if self._transport:
            self._transport.write(request)

    def close(self) -> None:
        """Ends it."""
        if self._transport:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the event loop."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Called by the event loop."""
        self._rest += data
        try:
            answer = parse(self._rest)
        except ValueError:
            self.close()
            return
        if answer is not None:
            self._rest, self.busy = b"", False
            self._answered(self, *answer)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """Called by the event loop."""
        self._lost(self)


def parse(data: bytes) -> tuple[int, bytes] | None:
    """Status and body, or None as long as something is missing. Raises ValueError for an answer without a length."""
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return None
    head = data[: end + 2].lower()
    at = head.find(_LENGTH)
    if at < 0:
        raise ValueError("an answer without content-length")
    length = int(head[at + len(_LENGTH) : head.find(b"\r\n", at + 2)])
    body = data[end + 4 :]
    return (int(data[9:12]), body) if len(body) >= length else None
