"""The doorbell: arq on Redis wakes a worker and owns nothing. It carries job ids, packed with msgpack.

A ring is taken out of Redis in the moment in which a worker answers it, so running jobs never stand in arq's queue,
and nothing there has to be kept alive: the lease in Postgres says who works. What is lost with Redis, or with a worker
between the two, is only the ringing: the relay rings again.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID, uuid4

import msgpack
from arq.connections import ArqRedis
from arq.constants import job_key_prefix
from arq.jobs import serialize_job
from redis.asyncio import ConnectionPool
from redis.exceptions import RedisError

from revenueflow.errors import Unavailable

QUEUE = "revenueflow:doorbell"
POKE = "revenueflow:poke"
RUNG = "revenueflow:rung"
EXPIRES_MS = 600_000
FUNCTION = "run_jobs"
LARGEST_RING = 20
"""Jobs that one ring names at most: under load a ring is worth its round trips, and no worker gets too much of it."""


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
            raise _away() from error

    async def ring(self, jobs: Sequence[UUID]) -> None:
        """Rings for the jobs in one round trip, each ring under a fresh id: arq drops an id that it has seen."""
        try:
            await ring(self._redis, jobs)
        except (RedisError, OSError) as error:
            raise _away() from error

    async def poke(self) -> None:
        """Tells the relays that there is something to ring for."""
        try:
            await self._redis.publish(POKE, b"")
        except (RedisError, OSError) as error:
            raise _away() from error

    async def listen(self, poked: Callable[[], None]) -> None:
        """Calls `poked` at every poke, until cancelled or until Redis goes away (Unavailable)."""
        try:
            await listen(self._redis, POKE, poked)
        except (RedisError, OSError) as error:
            raise _away() from error

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._redis.aclose()


async def ring(redis: ArqRedis, jobs: Sequence[UUID]) -> None:
    """Puts rings of up to LARGEST_RING jobs into the queue, and tells the workers."""
    now = int(time.time() * 1000)
    async with redis.pipeline(transaction=False) as pipe:
        for first in range(0, len(jobs), LARGEST_RING):
            named = [str(job) for job in jobs[first : first + LARGEST_RING]]
            one = uuid4().hex
            message = serialize_job(FUNCTION, (named,), {}, None, now, serializer=serialize)
            pipe.psetex(job_key_prefix + one, EXPIRES_MS, message)
            pipe.zadd(QUEUE, {one: now})
        pipe.publish(RUNG, b"")
        await pipe.execute()


async def listen(redis: ArqRedis, channel: str, heard: Callable[[], None]) -> None:
    """Calls `heard` at every message of a channel, until cancelled."""
    async with redis.pubsub() as subscription:
        await subscription.subscribe(channel)
        while not _is_cancelled():
            if await subscription.get_message(ignore_subscribe_messages=True, timeout=4):
                heard()


def _is_cancelled() -> bool:
    # The Redis client can swallow a cancellation that comes while it sends: the loop would never end.
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _away() -> Unavailable:
    return Unavailable("Redis does not answer", retry_after=1)
