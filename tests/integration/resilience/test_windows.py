"""Limits that all processes keep together."""

from __future__ import annotations

import asyncio
import time

import pytest

from revenueflow.errors import UpstreamUnavailable
from revenueflow.resilience.windows import Windows, windows_of


async def taken(windows: list[Windows], count: int, limit: int, patience: float = 0) -> int:
    """How many of `count` at the same time found room for a call in a minute."""
    items = windows_of(None, limit)

    async def one(n: int) -> bool:
        try:
            await windows[n % len(windows)].take("vendor", items, patience=patience)
        except UpstreamUnavailable as error:
            assert error.reason == "rate_limited"
            assert error.retry_after
            assert 0 < error.retry_after <= 60
            return False
        return True

    return sum(await asyncio.gather(*(one(n) for n in range(count))))


async def test_no_more_than_the_limit_whoever_asks(redis_url: str) -> None:
    assert await taken([Windows(redis_url) for _ in range(4)], 50, 10) == 10


async def test_each_upstream_has_its_own(redis_url: str) -> None:
    windows = Windows(redis_url)
    assert await taken([windows], 5, 3) == 3
    await windows.take("other", windows_of(None, 3), patience=0)


async def test_who_is_patient_gets_the_next_place(redis_url: str) -> None:
    windows, items = Windows(redis_url), windows_of(3, None)
    began = time.monotonic()
    for _ in range(7):
        await windows.take("vendor", items, patience=5)
    assert time.monotonic() - began >= 1.0


async def test_without_redis_the_same_numbers_hold_for_each() -> None:
    assert await taken([Windows("redis://127.0.0.1:1/0")], 8, 3) == 3


@pytest.mark.parametrize(("second", "minute", "count"), [(None, None, 0), (5, None, 1), (5, 100, 2)])
async def test_windows_of_limits(second: int | None, minute: int | None, count: int) -> None:
    assert len(windows_of(second, minute)) == count
