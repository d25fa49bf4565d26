"""The worker's side of the doorbell: an arq worker whose poll is one script, and that asks for no more than fits."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from contextlib import suppress
from typing import Any, Protocol, cast
from uuid import UUID

from arq import func
from arq.constants import job_key_prefix
from arq.jobs import DeserializationError, deserialize_job_raw
from arq.worker import Worker
from redis.exceptions import RedisError

from revenueflow.errors import Unavailable
from revenueflow.queue.doorbell import FUNCTION, QUEUE, RUNG, connect, deserialize, listen, ring, serialize
from revenueflow.telemetry import logs

RINGS_AT_ONCE = 10
POLL_SECONDS = 0.25
"""How often to look without having heard anything."""
STOP_SECONDS = 2.0

# Takes rings and what they say in one step: no second worker sees them. A key that can't be read is thrown away, or it
# would stand at the head of the queue for ever.
_TAKE = """
local said = {}
local rings = redis.call('ZRANGE', KEYS[1], 0, ARGV[1] - 1)
for _, ring in ipairs(rings) do
    local message = redis.pcall('GET', ARGV[2] .. ring)
    redis.call('ZREM', KEYS[1], ring)
    redis.call('DEL', ARGV[2] .. ring)
    if type(message) == 'string' then said[#said + 1] = message end
end
return {#rings, said}
"""

log = logs.get("doorbell")


class Runs(Protocol):
    """Who runs the jobs that were rung for."""

    async def ready(self) -> None:
        """Returns when there is room for a job."""

    async def accept(self, jobs: Sequence[UUID]) -> Sequence[UUID]:
        """Takes jobs; returns those that it has no room for."""


class _Answering(Worker):
    """arq's worker, with its functions, serialisers and life cycle, and another way of polling."""

    def __init__(self, runs: Runs, **options: Any) -> None:
        super().__init__(functions=[func(cast("Any", self._run_jobs), name=FUNCTION, keep_result=0)], **options)
        self._runs = runs
        self.heard = asyncio.Event()

    async def main(self) -> None:
        """Answers rings until `allow_pick_jobs` is taken away."""
        while self.allow_pick_jobs:
            await self._poll_iteration()

    async def _poll_iteration(self) -> None:
        await self._runs.ready()
        self.heard.clear()
        taken, said = await self._take()
        for message in said:
            await self._answer(message)
        if not taken:
            with suppress(TimeoutError):
                async with asyncio.timeout(POLL_SECONDS):
                    await self.heard.wait()

    async def _take(self) -> tuple[int, list[bytes]]:
        """How many rings there were, and what those said that had not expired."""
        answer = self.pool.eval(_TAKE, 1, QUEUE, str(RINGS_AT_ONCE), job_key_prefix)
        taken, said = await cast("Awaitable[tuple[int, list[bytes]]]", answer)
        return taken, said

    async def _answer(self, message: bytes) -> None:
        try:
            name, arguments, *_ = deserialize_job_raw(message, deserializer=self.job_deserializer)
            (jobs,) = arguments
            named = [UUID(job) for job in jobs]
            function = self.functions[name]
        except (DeserializationError, KeyError, ValueError, TypeError, AttributeError):
            log.warning("ring_not_understood")
            return
        await function.coroutine(self.ctx, named)

    async def _run_jobs(self, _: dict[Any, Any], jobs: Sequence[UUID]) -> None:
        if rest := await self._runs.accept(jobs):
            await ring(self.pool, rest)


async def answer(url: str, runs: Runs) -> None:
    """Answers rings by handing job ids to `runs`, until cancelled. Raises Unavailable when Redis goes away."""
    redis = connect(url)
    worker = _Answering(
        runs,
        redis_pool=redis,
        queue_name=QUEUE,
        handle_signals=False,
        job_serializer=serialize,
        job_deserializer=deserialize,
    )
    answering = asyncio.create_task(worker.async_run())
    listening = asyncio.create_task(listen(redis, RUNG, worker.heard.set))
    try:
        await asyncio.wait({answering, listening}, return_when=asyncio.FIRST_COMPLETED)
        for task in (answering, listening):
            if task.done():
                task.result()
    except (RedisError, OSError) as error:
        raise Unavailable("Redis does not answer", retry_after=1) from error
    finally:
        await asyncio.shield(_stop(worker, answering))
        await _cancel(listening)
        await redis.aclose()


async def _stop(worker: _Answering, answering: asyncio.Task[None]) -> None:
    # What it has taken out of Redis it hands over or rings back; only then is it ended.
    worker.allow_pick_jobs = False
    worker.heard.set()
    await asyncio.wait({answering}, timeout=STOP_SECONDS)
    await _cancel(answering)


async def _cancel(task: asyncio.Task[None]) -> None:
    # One cancellation is not enough: the Redis client can swallow it.
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=0.2)
