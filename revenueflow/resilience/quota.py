"""Several moving windows at once, for all processes together: a call is counted in each of them, or in none.

One atomic step in Redis, by the server's clock. While Redis is away each process keeps to a share of each limit.
"""

from __future__ import annotations

import math
import time
import uuid
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

from redis.asyncio import Redis
from redis.exceptions import RedisError

SHARE = 4
"""Without Redis a process takes one part in so many: together they stay within a limit up to this many processes."""
AWAY_SECONDS = 1.0
"""How long Redis is not asked again after it did not answer."""

# ARGV: a name for the call, then for each key: limit, window in microseconds, 1 if waiters are to be spread. A waiter
# of such a window is told a time of its own, one place after the last one: they don't come back all at once.
_TAKE = """
local now = redis.call('TIME')
local at = now[1] * 1000000 + now[2]
local wait = 0
for i, key in ipairs(KEYS) do
    local limit, span = tonumber(ARGV[3 * i - 1]), tonumber(ARGV[3 * i])
    redis.call('ZREMRANGEBYSCORE', key, '-inf', at - span)
    local excess = redis.call('ZCARD', key) - limit
    if excess >= 0 then
        local leaves = redis.call('ZRANGE', key, excess, excess, 'WITHSCORES')
        local turn = tonumber(leaves[2]) + span
        if ARGV[3 * i + 1] == '1' then
            local line = tonumber(redis.call('GET', key .. ':line') or '0')
            turn = math.min(math.max(turn, line + span / limit), at + 10 * span)
            redis.call('SET', key .. ':line', string.format('%.0f', turn), 'PX', math.ceil(10 * span / 1000))
        end
        wait = math.max(wait, turn - at)
    end
end
if wait > 0 then return math.ceil(wait) end
for i, key in ipairs(KEYS) do
    redis.call('ZADD', key, at, ARGV[1])
    redis.call('PEXPIRE', key, math.ceil(tonumber(ARGV[3 * i]) / 1000))
end
return 0
"""


class Window(NamedTuple):
    """At most `calls` in any `seconds`.

    `spread`: those who wait are told different times to come back. `alone`: counted without Redis too; if not, somebody
    else does.
    """

    name: str
    calls: int
    seconds: float = 60.0
    spread: bool = False
    alone: bool = True


class Quota:
    """The windows of all processes on one Redis."""

    def __init__(self, redis: Redis) -> None:
        self._take = redis.register_script(_TAKE)
        self._own: dict[str, deque[float]] = {}
        self._away_until = 0.0

    async def take(self, windows: Sequence[Window]) -> float:
        """0 if the call was counted in all windows; else the seconds until there may be room, and it is in none."""
        if not windows:
            return 0.0
        if time.monotonic() >= self._away_until:
            try:
                keys = [f"revenueflow:quota:{window.name}" for window in windows]
                return int(await self._take(keys=keys, args=_arguments(windows))) / 1e6
            except (RedisError, OSError):
                self._away_until = time.monotonic() + AWAY_SECONDS
        return self._take_alone([window for window in windows if window.alone])

    def _take_alone(self, windows: Sequence[Window]) -> float:
        now, wait = time.monotonic(), 0.0
        for window in windows:
            taken, most = self._own.setdefault(window.name, deque()), math.ceil(window.calls / SHARE)
            while taken and taken[0] <= now - window.seconds:
                taken.popleft()
            if len(taken) >= most:
                wait = max(wait, taken[-most] + window.seconds - now)
        if wait <= 0:
            for window in windows:
                self._own[window.name].append(now)
        self._forget(now)
        return wait

    def _forget(self, now: float) -> None:
        """What nobody has counted in for long must not fill the memory: leads come and go."""
        if len(self._own) > 10_000:
            self._own = {name: taken for name, taken in self._own.items() if taken and taken[-1] > now - 60}


def _arguments(windows: Sequence[Window]) -> list[str | int]:
    each = [(window.calls, round(window.seconds * 1e6), int(window.spread)) for window in windows]
    return [uuid.uuid4().hex, *(value for one in each for value in one)]
