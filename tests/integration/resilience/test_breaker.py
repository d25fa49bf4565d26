"""One breaker for all processes, and for each alone while Redis is away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from revenueflow.errors import UpstreamUnavailable
from revenueflow.resilience.breaker import CLOSED, OPEN, Breaker
from tests.support.house import eventually

PAUSE = 0.4
NOWHERE = "redis://127.0.0.1:1/0"


@pytest.fixture
async def several(redis_url: str) -> AsyncIterator[list[Breaker]]:
    """Three processes' breakers for one upstream."""
    clients = [Redis.from_url(redis_url) for _ in range(3)]
    yield [Breaker("vendor", client, pause=PAUSE) for client in clients]
    for client in clients:
        await client.aclose()


async def admitted(breaker: Breaker) -> bool:
    try:
        await breaker.admit()
    except UpstreamUnavailable as error:
        assert (error.reason, error.upstream) == ("breaker_open", "vendor")
        assert error.retry_after
        return False
    return True


async def fail(breakers: list[Breaker], times: int) -> None:
    for n in range(times):
        breaker = breakers[n % len(breakers)]
        if await admitted(breaker):
            await breaker.record(ok=False)


async def test_five_failures_of_all_together_open_it_for_all(several: list[Breaker]) -> None:
    await fail(several, 4)
    assert [await admitted(one) for one in several] == [True] * 3
    await fail(several, 1)
    await eventually(lambda: _all(several, OPEN))


async def test_a_success_in_between_begins_the_count_anew(several: list[Breaker]) -> None:
    await fail(several, 4)
    await several[0].record(ok=True)
    await fail(several, 4)
    assert await admitted(several[0])


async def test_after_the_pause_one_of_all_may_try_and_closes_it(several: list[Breaker]) -> None:
    await fail(several, 5)
    await eventually(lambda: _all(several, OPEN))
    winners: list[Breaker] = []

    async def somebody_may() -> bool:
        told = await asyncio.gather(*(admitted(one) for one in several * 5))
        winners.extend(one for one, may in zip(several * 5, told, strict=True) if may)
        return bool(winners)

    await eventually(somebody_may)
    assert len(winners) == 1
    await winners[0].record(ok=True)
    await eventually(lambda: _all(several, CLOSED))


async def test_a_try_that_fails_opens_it_again(several: list[Breaker]) -> None:
    await fail(several, 5)
    await eventually(lambda: admitted(several[0]))
    await several[0].record(ok=False)
    assert not await admitted(several[0])
    await eventually(lambda: admitted(several[1]))


async def test_a_try_of_which_nobody_hears_is_followed_by_another(several: list[Breaker]) -> None:
    await fail(several, 5)
    await eventually(lambda: admitted(several[0]))
    await eventually(lambda: admitted(several[1]))


async def test_without_redis_each_decides_for_itself() -> None:
    client = Redis.from_url(NOWHERE, socket_connect_timeout=0.2)
    breaker = Breaker("vendor", client, pause=PAUSE)
    await fail([breaker], 5)
    assert not await admitted(breaker)
    await eventually(lambda: admitted(breaker))
    await breaker.record(ok=True)
    assert await admitted(breaker)
    await client.aclose()


async def test_what_others_did_long_ago_is_forgotten_with_redis(several: list[Breaker], redis_url: str) -> None:
    await fail(several, 5)
    async with Redis.from_url(redis_url) as client:
        await client.flushdb()
    await eventually(lambda: _all(several, CLOSED))


async def _all(breakers: list[Breaker], state: str) -> bool:
    for one in breakers:
        await admitted(one)
    return {one.state for one in breakers} == {state}
