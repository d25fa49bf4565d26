"""Several windows in one step: exact with many processes, all or nothing, and a share of each without Redis."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise

import pytest
from redis.asyncio import Redis

from revenueflow.resilience.quota import SHARE, Quota, Window
from tests.support.house import eventually

NOWHERE = "redis://127.0.0.1:1/0"


@pytest.fixture
async def several(redis_url: str) -> AsyncIterator[list[Quota]]:
    """The quotas of four processes."""
    clients = [Redis.from_url(redis_url) for _ in range(4)]
    yield [Quota(client) for client in clients]
    for client in clients:
        await client.aclose()


async def test_no_more_than_the_limit_pass_however_many_ask_at_once(several: list[Quota]) -> None:
    told = await asyncio.gather(*(several[n % 4].take([Window("w", 10)]) for n in range(60)))
    assert told.count(0) == 10
    assert all(0 < wait <= 60 for wait in told if wait)


async def test_what_finds_one_window_full_takes_a_place_in_none(several: list[Quota]) -> None:
    narrow, wide = Window("narrow", 1), Window("wide", 3)
    assert await several[0].take([narrow, wide]) == 0
    for n in range(8):
        assert await several[n % 4].take([narrow, wide] if n % 2 else [wide, narrow]) > 0
    assert [await several[1].take([wide]) for _ in range(2)] == [0, 0]
    assert await several[2].take([wide]) > 0


async def test_the_window_moves(several: list[Quota]) -> None:
    window = Window("w", 3, 0.5)
    assert [await several[n].take([window]) for n in range(3)] == [0, 0, 0]
    wait = await several[3].take([window])
    assert 0 < wait <= 0.5

    async def passes() -> bool:
        return await several[0].take([window]) == 0

    await eventually(passes)


async def test_those_who_wait_are_told_different_times(several: list[Quota]) -> None:
    window = Window("w", 10, 60, spread=True)
    for _ in range(10):
        assert await several[0].take([window]) == 0
    told = [await several[n % 4].take([window]) for n in range(20)]
    apart = [later - one for one, later in pairwise(told)]
    assert all(5 < one < 6.5 for one in apart)  # a place comes free every six seconds in the mean
    assert max(told) < 200
    for _ in range(200):
        assert await several[0].take([window]) <= 600


async def test_keys_end_with_their_window(several: list[Quota], redis_url: str) -> None:
    await several[0].take([Window("w", 3, 2)])
    async with Redis.from_url(redis_url) as client:
        (key,) = await client.keys("revenueflow:quota:*")
        assert 0 < await client.pttl(key) <= 2000


async def test_without_redis_each_process_keeps_to_a_share() -> None:
    client = Redis.from_url(NOWHERE, socket_connect_timeout=0.2)
    quota, window = Quota(client), Window("w", 5 * SHARE)
    told = [await quota.take([window]) for _ in range(8)]
    assert told[:5] == [0] * 5
    assert all(0 < wait <= 60 for wait in told[5:])
    assert await quota.take([Window("lead", 1, alone=False)] * 2) == 0
    await client.aclose()
