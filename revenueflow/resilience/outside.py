"""The one way to fetch a URL that came from outside: a vendor's answer, a user.

The address that is connected to is the one that was checked, at the moment of the connection: what a name resolved
to before, or resolves to later, does not matter. Every redirect is followed by us and checked anew. Nothing of ours
goes along: no credentials, no cookies, no proxy. Reasons of UpstreamRejected are stable:

    malformed_url, blocked_scheme, blocked_userinfo, blocked_port, blocked_address, too_many_redirects,
    answer_too_large, encoded, status_NNN
"""

from __future__ import annotations

import asyncio
import re
import socket
import zlib
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any, NamedTuple

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import DefaultResolver
from yarl import URL

from revenueflow.errors import UpstreamError, UpstreamRejected, UpstreamUnavailable
from revenueflow.resilience.addresses import METADATA_NAMES, USUAL_PORTS, Allowed, literal
from revenueflow.resilience.http import PIECE, USER_AGENT, phases, tls

MOST_REDIRECTS = 3
LARGEST = 5 * 2**20
TOTAL_SECONDS = 15.0
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_UNCLEAN = re.compile(r"[\x00-\x20\x7f\\]")
_INFLATE = {"gzip": zlib.MAX_WBITS | 16, "deflate": zlib.MAX_WBITS}
_HEADERS = {"user-agent": USER_AGENT, "accept": "*/*", "accept-encoding": "identity"}


class Fetched(NamedTuple):
    """An answer with status 200. `url` is where it came from in the end."""

    url: str
    content_type: str
    body: bytes


class Outside:
    """Fetches URLs from outside. `upstream` names it in errors; `timeout` is in seconds, for everything together.

    `resolver` is what names are looked up with; `cap` is in bytes, after decompression.
    """

    def __init__(
        self,
        upstream: str = "outside",
        *,
        allowed: Allowed = Allowed(),  # noqa: B008 - it is immutable
        resolver: AbstractResolver | None = None,
        timeout: float = TOTAL_SECONDS,
        cap: int = LARGEST,
    ) -> None:
        self._upstream = upstream
        self._allowed = allowed
        self._resolver = resolver
        self._timeout = timeout
        self._cap = cap

    async def fetch(self, url: str) -> Fetched:
        """GETs `url`. Raises UpstreamRejected (reasons above), or UpstreamUnavailable: `unreachable`, `timeout`,
        `connection_lost`, `rate_limited`, `server_error`.
        """
        try:
            async with asyncio.timeout(self._timeout):
                return await self._follow(_parsed(self._upstream, url))
        except TimeoutError:
            raise UpstreamUnavailable(self._upstream, "timeout") from None
        except zlib.error:
            raise self._rejected("encoded") from None

    async def _follow(self, url: URL) -> Fetched:
        for _ in range(MOST_REDIRECTS + 1):
            answer = await self._get(url)
            if isinstance(answer, Fetched):
                return answer
            url = answer
        raise self._rejected("too_many_redirects")

    async def _get(self, url: URL) -> Fetched | URL:
        """The answer, or where it sends us."""
        guard = Guard(self._resolver or DefaultResolver(), self._allowed, self._waived(url))
        try:
            async with (
                _session(guard) as session,
                session.get(url, headers=_HEADERS, allow_redirects=False, timeout=phases(self._timeout)) as response,
            ):
                return await self._read(url, response)
        except (aiohttp.ClientError, OSError) as error:
            raise self._lost(guard, error) from None

    def _waived(self, url: URL) -> bool:
        """Whether the operator allowed this very host and port. Raises UpstreamRejected for what is never tried."""
        host, port = (url.raw_host or "").lower(), url.port
        if url.scheme not in ("http", "https"):
            raise self._rejected("blocked_scheme")
        if url.raw_user is not None or url.raw_password is not None:
            raise self._rejected("blocked_userinfo")
        if not host or port is None:
            raise self._rejected("malformed_url")
        if self._allowed.endpoint(host, port):
            return True
        if host.rstrip(".") in METADATA_NAMES or not self._may_name(host):
            raise self._rejected("blocked_address")
        if port not in USUAL_PORTS:
            raise self._rejected("blocked_port")
        return False

    def _may_name(self, host: str) -> bool:
        try:
            address = literal(host)
        except ValueError:
            return False
        return address is None or self._allowed.address(address)

    async def _read(self, url: URL, response: aiohttp.ClientResponse) -> Fetched | URL:
        if response.status in _REDIRECTS:
            target = response.headers.get("location", "")
            return _parsed(self._upstream, target, url)
        if response.status != 200:
            raise self._refusal(response.status)
        body = await self._body(response)
        return Fetched(str(url), response.headers.get("content-type", ""), body)

    def _refusal(self, status: int) -> UpstreamError:
        if status == 429 or status >= 500:
            return UpstreamUnavailable(self._upstream, "rate_limited" if status == 429 else "server_error")
        return self._rejected(f"status_{status}")

    async def _body(self, response: aiohttp.ClientResponse) -> bytes:
        """The body, unpacked if need be. No more than the cap is ever held."""
        inflate = self._inflater(response.headers)
        body = bytearray()
        async for piece in response.content.iter_chunked(PIECE):
            body += inflate.decompress(piece, self._cap + 1 - len(body)) if inflate else piece
            if len(body) > self._cap:
                raise self._rejected("answer_too_large")
        if inflate and not inflate.eof:
            raise self._rejected("encoded")
        return bytes(body)

    def _inflater(self, headers: Mapping[str, str]) -> Any:
        encoding = headers.get("content-encoding", "identity").strip().lower()
        if encoding == "identity":
            return None
        if encoding not in _INFLATE:
            raise self._rejected("encoded")
        return zlib.decompressobj(_INFLATE[encoding])

    def _lost(self, guard: Guard, error: Exception) -> UpstreamError:
        if guard.blocked:
            return self._rejected("blocked_address")
        if isinstance(error, aiohttp.InvalidURL | aiohttp.NonHttpUrlClientError):
            return self._rejected("malformed_url")
        reached = not isinstance(error, aiohttp.ClientConnectorError)
        return UpstreamUnavailable(self._upstream, "connection_lost" if reached else "unreachable")

    def _rejected(self, reason: str) -> UpstreamRejected:
        return UpstreamRejected(self._upstream, reason)


def _parsed(upstream: str, text: str, base: URL | None = None) -> URL:
    """A URL, or one that is relative to `base`. Other programs read white space and backslashes in other ways."""
    if not text or _UNCLEAN.search(text):
        raise UpstreamRejected(upstream, "malformed_url")
    try:
        url = URL(text)
        return base.join(url) if base else url
    except ValueError:
        raise UpstreamRejected(upstream, "malformed_url") from None


class Guard(AbstractResolver):
    """Stands between a connection and the network: once for the names, once more for each socket."""

    def __init__(self, resolver: AbstractResolver, allowed: Allowed, waived: bool) -> None:
        self._resolver = resolver
        self._allowed = allowed
        self._waived = waived
        self.blocked = False

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Addresses of which one may connect to each; a name with one that is forbidden is not tried at all."""
        found = await self._resolver.resolve(host, port, family)
        for one in found:
            self._check(one["host"])
        return found

    async def close(self) -> None:
        """The resolver is not ours."""

    def socket(self, address: Any) -> socket.socket:
        """A socket for a connection to `address`, as getaddrinfo() gives it."""
        family, kind, protocol, _, (host, *_) = address
        self._check(host)
        return socket.socket(family, kind, protocol)

    def _check(self, host: str) -> None:
        if not self._waived and not self._allows(host):
            self.blocked = True
            raise PermissionError("a forbidden address")

    def _allows(self, host: str) -> bool:
        try:
            return self._allowed.address(ip_address(host))
        except ValueError:
            return False


def _session(guard: Guard) -> aiohttp.ClientSession:
    """For one request: nothing is kept from it, neither a connection nor a look-up."""
    connector = aiohttp.TCPConnector(
        resolver=guard, socket_factory=guard.socket, use_dns_cache=False, force_close=True, ssl=tls()
    )
    return aiohttp.ClientSession(
        connector=connector, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False, trust_env=False
    )
