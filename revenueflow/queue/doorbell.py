"""The doorbell: arq on Redis wakes a worker and owns nothing. It carries job ids, packed with msgpack.

A doorbell is answered as soon as the runner has taken the id, so that running jobs never stand in arq's queue and
what is lost with Redis is only the ringing: the relay rings again.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, cast
from uuid import UUID, uuid4

import msgpack
from arq import func
from arq.connections import ArqRedis
from arq.constants import in_progress_key_prefix, job_key_prefix, retry_key_prefix
from arq.jobs import serialize_job
from arq.worker import Worker
from redis.asyncio import ConnectionPool
from redis.exceptions import RedisError, ResponseError

from revenueflow.errors import Unavailable

QUEUE = "revenueflow:doorbell"
POKE = "revenueflow:poke"
EXPIRES_MS = 600_000
POLL_SECONDS = 0.05
FUNCTION = "run_job"


def serialize(value: dict[str, Any]) -> bytes:
    """Packs a message. Never pickle: whoever writes to Redis could run code."""
    packed: bytes = msgpack.packb(value, default=lambda other: type(other).__name__)  # arq's own errors
    return packed


def deserialize(data: bytes) -> dict[str, Any]:
    """Unpacks a message."""
    unpacked: dict[str, Any] = msgpack.unpackb(data)
    return unpacked


def connect(url: str) -> ArqRedis:
    """A pool that gives up on a connection that hangs."""
    pool: ConnectionPool = ConnectionPool.from_url(url, socket_timeout=5, socket_connect_timeout=2, max_connections=50)
    return ArqRedis(pool, job_serializer=serialize, job_deserializer=deserialize, default_queue_name=QUEUE)


class Doorbell:
    """Rings, and pokes the relay. Raises Unavailable when Redis does not answer."""

    def __init__(self, url: str) -> None:
        self._redis = connect(url)

    async def waiting(self) -> int:
        """How many rings nobody has answered yet."""
        try:
            return int(await self._redis.zcard(QUEUE))
        except (RedisError, OSError) as error:
            raise Unavailable("Redis does not answer", retry_after=1) from error

    async def ring(self, jobs: Sequence[UUID]) -> None:
        """Rings for each job, in one round trip, each under a fresh id: arq drops an id that it has seen."""
        now = int(time.time() * 1000)
        try:
            async with self._redis.pipeline(transaction=False) as pipe:
                for job in jobs:
                    ring = uuid4().hex
                    message = serialize_job(FUNCTION, (str(job),), {}, None, now, serializer=serialize)
                    pipe.psetex(job_key_prefix + ring, EXPIRES_MS, message)
                    pipe.zadd(QUEUE, {ring: now})
                await pipe.execute()
        except (RedisError, OSError) as error:
            raise Unavailable("Redis does not answer", retry_after=1) from error

    async def poke(self) -> None:
        """Tells the relays that there is something to ring for."""
        try:
            await self._redis.publish(POKE, b"")
        except (RedisError, OSError) as error:
            raise Unavailable("Redis does not answer", retry_after=1) from error

    async def listen(self, poked: Callable[[], None]) -> None:
        """Calls `poked` at every poke, until cancelled or until Redis goes away (Unavailable)."""
        try:
            async with self._redis.pubsub() as channel:
                await channel.subscribe(POKE)
                while True:
                    if await channel.get_message(ignore_subscribe_messages=True, timeout=4):
                        poked()
        except (RedisError, OSError) as error:
            raise Unavailable("Redis does not answer", retry_after=1) from error

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._redis.aclose()


class _Answering(Worker):
    """Throws away a ring that Redis can't even read: one such key would end this worker at every poll."""

    async def run_job(self, job_id: str, score: int) -> None:
        """Answers one ring."""
        try:
            await super().run_job(job_id, score)
        except ResponseError:
            async with self.pool.pipeline(transaction=False) as pipe:
                pipe.zrem(QUEUE, job_id)
                pipe.delete(job_key_prefix + job_id, retry_key_prefix + job_id, in_progress_key_prefix + job_id)
                await pipe.execute()


async def answer(url: str, accept: Callable[[UUID], Awaitable[None]]) -> None:
    """Answers rings by handing job ids to `accept`, until cancelled. Raises Unavailable when Redis goes away."""

    async def run_job(_: dict[Any, Any], job: str) -> None:
        await accept(UUID(job))

    redis = connect(url)
    worker = _Answering(
        functions=[func(cast("Any", run_job), name=FUNCTION, keep_result=0, max_tries=1)],
        redis_pool=redis,
        queue_name=QUEUE,
        max_jobs=100,
        job_timeout=120,
        poll_delay=POLL_SECONDS,
        handle_signals=False,
        health_check_interval=3600,
        job_serializer=serialize,
        job_deserializer=deserialize,
    )
    answering = asyncio.create_task(worker.async_run())
    try:
        await asyncio.wait({answering})
        await answering
    except (RedisError, OSError) as error:
        raise Unavailable("Redis does not answer", retry_after=1) from error
    finally:
        await _stop(worker, answering)
        await redis.aclose()


async def _stop(worker: Worker, answering: asyncio.Task[None]) -> None:
    # One cancellation is not enough: arq's poll can swallow it while it is busy, and would go on picking jobs.
    worker.allow_pick_jobs = False
    while not answering.done():
        answering.cancel()
        await asyncio.wait({answering}, timeout=0.2)
    rings = list(worker.tasks.values())
    for ring in rings:
        ring.cancel()
    await asyncio.gather(*rings, return_exceptions=True)
