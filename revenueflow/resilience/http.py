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
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from types import SimpleNamespace, TracebackType
from typing import Any, NamedTuple, Self

import aiohttp
from yarl import URL

from revenueflow import __version__
from revenueflow.errors import OutcomeUnknown, UpstreamError, UpstreamRejected, UpstreamUnavailable

USER_AGENT = f"RevenueFlow/{__version__}"
ANSWER_CAP = 2 * 2**20
READS = frozenset({"GET", "HEAD", "OPTIONS"})
LONGEST_CONNECT = 3.0
KEEP_ALIVE = 4.0
"""Seconds: less than the five after which common servers close, lest a write meets a closing connection."""
PIECE = 65536


class Request(NamedTuple):
    """One request; `url` is complete and encoded."""

    method: str
    url: str
    headers: Mapping[str, str]
    content: bytes | None = None


class Client:
    """A pool of `connections`, closed by `aclose`. Made inside of an event loop."""

    def __init__(self, connections: int = 200) -> None:
        connector = aiohttp.TCPConnector(limit=connections, keepalive_timeout=KEEP_ALIVE, ssl=tls())
        self.session = aiohttp.ClientSession(
            connector=connector,
            headers={"user-agent": USER_AGENT, "accept": "application/json", "accept-encoding": "identity"},
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
            trace_configs=[_marking_sent()],
        )
        # It would send a PUT again by itself if a connection breaks: whether that is right is ours to say.
        self.session._retry_connection = False

    @property
    def is_closed(self) -> bool:
        """Whether `aclose` was called."""
        return self.session.closed

    async def aclose(self) -> None:
        """Closes the connections."""
        await self.session.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


def new_client(*, connections: int = 200) -> Client:
    """A client with a pool of `connections`."""
    return Client(connections)


def _marking_sent() -> aiohttp.TraceConfig:
    config = aiohttp.TraceConfig()

    async def sent(_: aiohttp.ClientSession, context: SimpleNamespace, __: Any) -> None:
        context.trace_request_ctx.mark_sent()

    config.on_request_headers_sent.append(sent)
    return config


@cache
def tls() -> ssl.SSLContext:
    """One for the process: reading the certificates takes longer than a call on loopback."""
    return ssl.create_default_context()


def phases(timeout: float) -> aiohttp.ClientTimeout:
    """Connecting and waiting for the pool get at most half of `timeout` (seconds); the whole is limited elsewhere."""
    before = min(timeout / 2, LONGEST_CONNECT)
    return aiohttp.ClientTimeout(total=None, connect=before, sock_connect=before, sock_read=timeout)


@dataclass(slots=True)
class Calls:
    """How many requests were sent while it was counting."""

    sent: int = 0

    def mark_sent(self) -> None:
        """One more."""
        self.sent += 1


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
    """One request and its answer. `upstream` names it in errors; `timeout` is in seconds, for the whole."""

    upstream: str
    request: Request = field(repr=False)
    timeout: float
    cap: int = ANSWER_CAP
    sent: bool = field(default=False, init=False)

    def mark_sent(self) -> None:
        """The request is on its way: from now on it may be executed."""
        self.sent = True
        if calls := _calls.get():
            calls.mark_sent()

    async def run(self, client: Client) -> tuple[int, Mapping[str, str], bytes]:
        """Status, headers and body, whatever the status. Raises as drawn above."""
        try:
            async with asyncio.timeout(self.timeout):
                return await self._send(client)
        except TimeoutError:
            raise self.lost("timeout") from None
        except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError, ValueError):
            raise UpstreamRejected(self.upstream, "request_not_possible") from None
        except (aiohttp.ClientError, OSError):
            raise self.lost("connection_lost" if self.sent else "unreachable") from None

    def lost(self, reason: str) -> UpstreamError:
        """The error for an answer that did not come."""
        error = OutcomeUnknown if self.sent and self.request.method not in READS else UpstreamUnavailable
        return error(self.upstream, reason)

    def unreadable(self, reason: str) -> UpstreamError:
        """The error for an answer that came and can't be used."""
        error = UpstreamRejected if self.request.method in READS else OutcomeUnknown
        return error(self.upstream, reason)

    async def _send(self, client: Client) -> tuple[int, Mapping[str, str], bytes]:
        method, url, headers, content = self.request
        sending = client.session.request(
            method,
            URL(url, encoded=True),
            headers=headers,
            data=content,
            allow_redirects=False,
            timeout=phases(self.timeout),
            trace_request_ctx=self,
        )
        async with sending as response:
            return response.status, response.headers, await self._body(response)

    async def _body(self, response: aiohttp.ClientResponse) -> bytes:
        """The raw bytes: we asked for no compression, so what is compressed is refused, not blown up."""
        if response.headers.get("content-encoding", "identity").lower() != "identity":
            raise self.unreadable("encoded")
        if (body := await capped(response, self.cap)) is None:
            raise self.unreadable("answer_too_large")
        return body


async def capped(response: aiohttp.ClientResponse, cap: int) -> bytes | None:
    """The body; None if it has more than `cap` bytes. No more than that is kept."""
    parts: list[bytes] = []
    size = 0
    async for part in response.content.iter_chunked(PIECE):
        size += len(part)
        if size > cap:
            return None
        parts.append(part)
    return b"".join(parts)
