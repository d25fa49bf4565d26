"""How many calls an upstream gets in a second or a minute, from all processes together: moving windows in Redis.

While Redis is away each process keeps to the same numbers by itself.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from limits import RateLimitItem, RateLimitItemPerMinute, RateLimitItemPerSecond
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import MovingWindowRateLimiter
from limits.errors import StorageError

from revenueflow.errors import UpstreamUnavailable

LEAST_PAUSE = 0.01


class Windows:
    """The windows of all upstreams of a process, on the Redis at `url`."""

    def __init__(self, url: str) -> None:
        storage = RedisStorage(
            f"async+{url.replace('unix://', 'redis+unix://', 1)}",
            wrap_exceptions=True,
            implementation="redispy",
            key_prefix="revenueflow:window",
            socket_timeout=2,
            socket_connect_timeout=1,
        )
        self._shared = MovingWindowRateLimiter(storage)
        self._own = MovingWindowRateLimiter(MemoryStorage())

    async def take(self, name: str, items: Sequence[RateLimitItem], *, patience: float) -> None:
        """Returns once there is room for one call in each window.

        Raises UpstreamUnavailable (`rate_limited`) if that would take more than `patience` seconds from now. A place
        that was taken in one window stays taken if another has none: no limit is exceeded, at worst one is not reached.
        """
        end = time.monotonic() + patience
        for item in items:
            while (wait := await self._hit(item, name)) > 0:
                if time.monotonic() + wait > end:
                    raise UpstreamUnavailable(name, "rate_limited", retry_after=wait)
                await asyncio.sleep(wait)

    async def _hit(self, item: RateLimitItem, name: str) -> float:
        """0 if there was room, else the seconds until there may be."""
        try:
            return await _hit(self._shared, item, name)
        except (StorageError, OSError):
            return await _hit(self._own, item, name)


async def _hit(limiter: MovingWindowRateLimiter, item: RateLimitItem, name: str) -> float:
    if await limiter.hit(item, name):
        return 0.0
    stats = await limiter.get_window_stats(item, name)
    return max(LEAST_PAUSE, stats.reset_time - time.time())


def windows_of(per_second: int | None, per_minute: int | None) -> tuple[RateLimitItem, ...]:
    """The windows of these limits, the longer first: it is the dearer one to waste."""
    minute = (RateLimitItemPerMinute(per_minute),) if per_minute else ()
    second = (RateLimitItemPerSecond(per_second),) if per_second else ()
    return (*minute, *second)
