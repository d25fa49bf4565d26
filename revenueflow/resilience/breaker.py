"""A circuit breaker that all processes share: pybreaker decides, Redis tells the others.

After `failures` in a row it opens; `pause` seconds later one process may try once, and its outcome closes it or keeps
it open. pybreaker has no asyncio: calls are awaited outside of it, and their outcome is replayed through it. While
Redis is away each process decides for itself.
"""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pybreaker
from redis.asyncio import Redis
from redis.exceptions import RedisError

from revenueflow.errors import UpstreamUnavailable
from revenueflow.telemetry import metrics

MIRRORED_SECONDS = 0.1
"""How old what we know of the others' calls may be."""
OPEN, CLOSED, HALF_OPEN = pybreaker.STATE_OPEN, pybreaker.STATE_CLOSED, pybreaker.STATE_HALF_OPEN
_GAUGE = {CLOSED: 0, HALF_OPEN: 1, OPEN: 2}

# One outcome, counted and judged in one step, by the server's clock. ARGV: 1 if it went well, failures, pause.
_RECORD = """
local now = redis.call('TIME')
local at = now[1] + now[2] / 1000000
local opened = tonumber(redis.call('HGET', KEYS[1], 'opened_at') or '0')
local count = 0
if ARGV[1] == '1' then
    redis.call('DEL', KEYS[1], KEYS[2])
    opened = 0
else
    count = redis.call('HINCRBY', KEYS[1], 'count', 1)
    if opened > 0 or count >= tonumber(ARGV[2]) then
        opened = at
        redis.call('HSET', KEYS[1], 'opened_at', tostring(at))
        redis.call('DEL', KEYS[2])
    end
    redis.call('EXPIRE', KEYS[1], 3600)
end
return {tostring(count), tostring(opened), tostring(at)}
"""

# Who may try, decided by what Redis knows and not by a mirror of it: a try that has just failed began the pause anew.
# Gives the seconds that are left (while another tries, a tenth of the pause at the most: it may succeed at once), 0 for
# the one that may try, -1 if it is closed. ARGV: pause.
_PROBE = """
local now = redis.call('TIME')
local at = now[1] + now[2] / 1000000
local opened = tonumber(redis.call('HGET', KEYS[1], 'opened_at') or '0')
if opened == 0 then return '-1' end
local left = opened + tonumber(ARGV[1]) - at
if left > 0 then return tostring(left) end
if redis.call('SET', KEYS[2], '1', 'NX', 'PX', math.ceil(ARGV[1] * 1000)) then return '0' end
return tostring(math.max(1, math.min(redis.call('PTTL', KEYS[2]), ARGV[1] * 100)) / 1000)
"""


class Failed(Exception):
    """What is replayed for a call that failed."""


class Breaker:
    """The breaker of one upstream. `pause` is in seconds."""

    def __init__(self, name: str, redis: Redis, *, failures: int = 5, pause: float = 30.0) -> None:
        self.name = name
        self._redis = redis
        self._failures = failures
        self._pause = pause
        self._known = pybreaker.CircuitMemoryStorage(CLOSED)
        self._breaker = pybreaker.CircuitBreaker(
            fail_max=failures, reset_timeout=pause, state_storage=self._known, name=name
        )
        self._record = redis.register_script(_RECORD)
        self._probe = redis.register_script(_PROBE)
        self._seen_at = 0.0
        self._probed_at = -pause
        self._keys = (f"revenueflow:breaker:{name}", f"revenueflow:breaker:{name}:probe")

    @property
    def state(self) -> str:
        """closed, half-open or open, as far as this process knows."""
        return str(self._known.state)

    async def closed(self) -> bool:
        """Whether calls are made at all, as all processes know it; spends nothing, not even the one try."""
        await self._look()
        return self._known.state == CLOSED

    async def admit(self) -> None:
        """Returns if a call may be made. Raises UpstreamUnavailable (`breaker_open`) with the seconds that are left."""
        if time.monotonic() - self._seen_at > MIRRORED_SECONDS:
            await self._look()
        if self._known.state == CLOSED:
            return
        left = self._left()
        if left <= 0:
            left = await self._ask_to_probe()
        if left > 0:
            raise UpstreamUnavailable(self.name, "breaker_open", retry_after=max(left, 1.0))
        self._set(HALF_OPEN if left == 0 else CLOSED)

    async def withdraw(self) -> None:
        """The call that was admitted is not made after all: if it was the one try, another may make it."""
        if self._known.state == HALF_OPEN:
            self._set(OPEN)
            self._probed_at = -self._pause
            with suppress(RedisError, OSError):
                await self._redis.delete(self._keys[1])

    async def record(self, *, ok: bool) -> None:
        """Tells how an admitted call went. One that was cancelled is not told: it says nothing."""
        if ok and self._known.state == CLOSED and self._known.counter == 0:
            return
        with suppress(Failed, pybreaker.CircuitBreakerError):
            self._breaker.call(_replay, ok)
        with suppress(RedisError, OSError):
            told = await self._record(keys=self._keys, args=[int(ok), self._failures, self._pause])
            self._take_over(*map(float, told))
        self._show()

    async def _look(self) -> None:
        with suppress(RedisError, OSError):
            async with self._redis.pipeline(transaction=False) as pipe:
                pipe.hmget(self._keys[0], ["count", "opened_at"])
                pipe.time()
                found: list[Any] = await pipe.execute()
            (count, opened), (seconds, micros) = found
            self._take_over(float(count or 0), float(opened or 0), seconds + micros / 1e6)
            self._seen_at = time.monotonic()

    def _take_over(self, count: float, opened: float, now: float) -> None:
        """What all processes together have come to."""
        while self._known.counter < count:
            self._known.increment_counter()
        if count < self._known.counter:
            self._known.reset_counter()
        if opened:
            self._known.opened_at = datetime.now(UTC) - timedelta(seconds=now - opened)
            if self._known.state == CLOSED:
                self._set(OPEN)
        elif self._known.state != CLOSED:
            self._set(CLOSED)

    def _left(self) -> float:
        opened = self._known.opened_at
        return 0.0 if opened is None else self._pause - (datetime.now(UTC) - opened).total_seconds()

    async def _ask_to_probe(self) -> float:
        """0 for the one that may try, the seconds that are left for all others, -1 if others have closed it meanwhile.

        A try of which nobody hears how it went is followed by another.
        """
        try:
            return float(await self._probe(keys=self._keys, args=[self._pause]))
        except (RedisError, OSError):
            left = self._probed_at + self._pause - time.monotonic()
            if left <= 0:
                self._probed_at = time.monotonic()
            return max(0.0, left)

    def _set(self, state: str) -> None:
        self._known.state = state
        self._show()

    def _show(self) -> None:
        metrics.breaker_state.labels(self.name).set(_GAUGE[self._known.state])


def _replay(ok: bool) -> None:
    if not ok:
        raise Failed
