"""Rate limits of one API process: per API key on /v1, per address for those that prove nothing.

Counted in this process's memory, because Redis is never in the path of a request: N processes let N times as much
through. An authenticated webhook is never counted.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network
from uuid import UUID

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import FixedWindowRateLimiter
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from revenueflow.errors import TooManyRequests
from revenueflow.settings import ApiSettings

WINDOW = 60
MOST_ADDRESSES = 1000
"""Counted apart in one window; all others share one count, so that many addresses fill neither memory nor time."""
TURN_SECONDS = 5
OTHERS = "others"
STANDING = "rate_limit"
"""Where the scope of a request holds its Standing."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a caller stands: `remaining` of `quota` requests for `seconds` more; `over` if this one was too many."""

    policy: str
    quota: int
    remaining: int
    seconds: int
    over: bool = False

    def fields(self) -> dict[str, str]:
        """The header fields of draft-ietf-httpapi-ratelimit-headers."""
        return {
            "RateLimit-Policy": f'"{self.policy}";q={self.quota};w={WINDOW}',
            "RateLimit": f'"{self.policy}";r={self.remaining};t={self.seconds}',
        }

    def refusal(self) -> TooManyRequests:
        """The error for a request that was too many."""
        return TooManyRequests(f"over {self.quota} requests a minute", retry_after=self.seconds)


class Policy:
    """One limit a minute for many names, of which `most` are told apart."""

    def __init__(self, name: str, quota: int, *, most: float = math.inf) -> None:
        self._name, self._most = name, most
        self._item: RateLimitItem = RateLimitItemPerMinute(quota)
        self._storage = MemoryStorage()
        self._limiter = FixedWindowRateLimiter(self._storage)

    async def count(self, who: str) -> Standing:
        """Counts a request."""
        name = self._known_as(who)
        allowed = await self._limiter.hit(self._item, name)
        return await self._standing(name, over=not allowed)

    async def look(self, who: str) -> Standing:
        """The standing, without counting."""
        return await self._standing(self._known_as(who), over=False)

    def _known_as(self, who: str) -> str:
        held = self._storage.storage
        return who if len(held) < self._most or self._item.key_for(who) in held else OTHERS

    async def _standing(self, name: str, *, over: bool) -> Standing:
        resets, remaining = await self._limiter.get_window_stats(self._item, name)
        seconds = max(1, round(resets - time.time())) if remaining < self._item.amount else WINDOW
        return Standing(self._name, self._item.amount, max(0, remaining), seconds, over)


class Limits:
    """Both limits of a process."""

    def __init__(self, settings: ApiSettings) -> None:
        self._keys = Policy("key", settings.key_limit)
        self._strangers = Policy("unauthenticated", settings.unauthenticated_limit, most=MOST_ADDRESSES)

    async def count_key(self, scope: Scope, key_id: UUID) -> None:
        """Counts a request of an API key. Raises TooManyRequests."""
        scope[STANDING] = standing = await self._keys.count(str(key_id))
        if standing.over:
            raise standing.refusal()

    async def count_failure(self, scope: Scope) -> TooManyRequests | None:
        """Counts an authentication that failed; what to answer instead of 401 if there were too many."""
        scope[STANDING] = standing = await self._strangers.count(_address(scope))
        return standing.refusal() if standing.over else None

    async def look(self, scope: Scope) -> Standing:
        """The standing of a request: as counted, else that of its address."""
        found: Standing = scope.get(STANDING) or await self._strangers.look(_address(scope))
        return found


class Alone:
    """What takes the processor for seconds is done for one caller at a time: leads that come in need it too."""

    def __init__(self) -> None:
        self._taken = False

    @contextmanager
    def turn(self, what: str) -> Iterator[None]:
        """Raises TooManyRequests, without waiting, while another has the turn in this process."""
        if self._taken:
            raise TooManyRequests(f"{what} is done one at a time, and another one runs", retry_after=TURN_SECONDS)
        self._taken = True
        try:
            yield
        finally:
            self._taken = False


class RateLimitFields:
    """ASGI middleware that puts the fields on every answer of /v1."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes on; the answer gets the fields when it starts."""
        if scope["type"] != "http" or not scope["path"].startswith("/v1/"):
            await self._app(scope, receive, send)
            return

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                standing = await scope["app"].state.held.limits.look(scope)
                MutableHeaders(scope=message).update(standing.fields())
            await send(message)

        await self._app(scope, receive, sending)


def _address(scope: Scope) -> str:
    """The client's address; of IPv6 the network, because one client has all of it."""
    host = scope["client"][0] if scope.get("client") else ""
    try:
        address = ip_address(host)
    except ValueError:
        return "unknown"
    if not isinstance(address, IPv6Address):
        return host
    return str(address.ipv4_mapped or ip_network((int(address), 64), strict=False).network_address)
