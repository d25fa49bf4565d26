"""The one place that makes clients for calls to the outside, and the one exchange over them.

What holds for every call: time-outs on each phase and on the whole, no redirects, nothing taken from the
environment (no proxy, no .netrc), an answer of at most `cap` bytes, and an error that says whether the
request may have been executed:

    not sent yet                            UpstreamUnavailable   connect or pool time-out, refused, TLS
    sent, no answer, only reads (GET)       UpstreamUnavailable
    sent, no answer, may write              OutcomeUnknown
    answered, but unreadable or too large   UpstreamRejected; OutcomeUnknown if it may write
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache

import httpx2

from revenueflow import __version__
from revenueflow.errors import OutcomeUnknown, UpstreamError, UpstreamRejected, UpstreamUnavailable

USER_AGENT = f"RevenueFlow/{__version__}"
ANSWER_CAP = 2 * 2**20
READS = frozenset({"GET", "HEAD", "OPTIONS"})
LONGEST_CONNECT = 3.0
KEEP_ALIVE = 4.0
"""Seconds: less than the five after which common servers close, lest a write meets a closing connection."""

_SENT_MARK = "http11.send_request_headers.started"


class Quiet(logging.Filter):
    """Drops the client's own log lines below warning: they hold whole URLs, which hold emails and keys."""

    def filter(self, record: logging.LogRecord) -> bool:
        """True for warnings and worse."""
        return record.levelno >= logging.WARNING


_QUIET = Quiet()


def new_client(*, timeout: float = 10.0, connections: int = 200) -> httpx2.AsyncClient:
    """A client with a pool of `connections`. `timeout` is in seconds, for requests that set none."""
    for name in ("httpx2", "httpcore2.http11", "httpcore2.connection"):
        logging.getLogger(name).addFilter(_QUIET)
    return httpx2.AsyncClient(
        headers={"user-agent": USER_AGENT, "accept": "application/json", "accept-encoding": "identity"},
        timeout=phases(timeout),
        limits=httpx2.Limits(
            max_connections=connections, max_keepalive_connections=connections, keepalive_expiry=KEEP_ALIVE
        ),
        verify=_tls(),
        follow_redirects=False,
        trust_env=False,
    )


@cache
def _tls() -> ssl.SSLContext:
    """One for the process: reading the certificates takes longer than a call on loopback."""
    return httpx2.create_ssl_context(trust_env=False)


def phases(timeout: float) -> httpx2.Timeout:
    """`timeout` for each of read and write; connecting and waiting for the pool get at most half of it."""
    before = min(timeout / 2, LONGEST_CONNECT)
    return httpx2.Timeout(connect=before, pool=before, read=timeout, write=timeout)


@dataclass(slots=True)
class Calls:
    """How many requests were sent while it was counting."""

    sent: int = 0


_calls: ContextVar[Calls | None] = ContextVar("calls", default=None)


@contextmanager
def counting() -> Iterator[Calls]:
    """Counts the requests that this task, and those it starts, send."""
    calls = Calls()
    token = _calls.set(calls)
    try:
        yield calls
    finally:
        _calls.reset(token)


@dataclass(slots=True)
class Exchange:
    """One request and its answer. `upstream` names it in errors."""

    upstream: str
    request: httpx2.Request = field(repr=False)
    timeout: float
    cap: int = ANSWER_CAP
    sent: bool = field(default=False, init=False)

    async def run(self, client: httpx2.AsyncClient) -> tuple[int, Mapping[str, str], bytes]:
        """Status, headers and body, whatever the status. Raises as drawn above."""
        self.request.extensions = {**self.request.extensions, "trace": self._trace}
        try:
            async with asyncio.timeout(self.timeout):
                return await self._send(client)
        except (TimeoutError, httpx2.TimeoutException):
            raise self.lost("timeout") from None
        except (httpx2.UnsupportedProtocol, httpx2.LocalProtocolError):
            raise UpstreamRejected(self.upstream, "request_not_possible") from None
        except httpx2.TransportError:
            raise self.lost("connection_lost" if self.sent else "unreachable") from None

    def lost(self, reason: str) -> UpstreamError:
        """The error for an answer that did not come."""
        error = OutcomeUnknown if self.sent and self.request.method not in READS else UpstreamUnavailable
        return error(self.upstream, reason)

    def unreadable(self, reason: str) -> UpstreamError:
        """The error for an answer that came and can't be used."""
        error = UpstreamRejected if self.request.method in READS else OutcomeUnknown
        return error(self.upstream, reason)

    async def _send(self, client: httpx2.AsyncClient) -> tuple[int, Mapping[str, str], bytes]:
        response = await client.send(self.request, stream=True)
        try:
            return response.status_code, response.headers, await self._body(response)
        finally:
            await response.aclose()

    async def _body(self, response: httpx2.Response) -> bytes:
        """The raw bytes: we asked for no compression, so what is compressed is refused, not blown up."""
        if response.headers.get("content-encoding", "identity").lower() != "identity":
            raise self.unreadable("encoded")
        parts: list[bytes] = []
        size = 0
        async for part in response.aiter_raw():
            size += len(part)
            if size > self.cap:
                raise self.unreadable("answer_too_large")
            parts.append(part)
        return b"".join(parts)

    async def _trace(self, event: str, _: object) -> None:
        if event == _SENT_MARK and not self.sent:
            self.sent = True
            if (calls := _calls.get()) is not None:
                calls.sent += 1
