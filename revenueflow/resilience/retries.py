"""Tries, with growing pauses and jitter, for what was clearly not executed."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import stamina

from revenueflow.errors import UpstreamUnavailable

T = TypeVar("T")

FIRST_PAUSE = 0.1
LONGEST_PAUSE = 2.0
JITTER = 0.25


def pause_after(number: int, asked: float | None) -> float:
    """Seconds to wait after try `number` (from 1): what was asked for, else doubling, plus jitter."""
    pause = asked if asked is not None else min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (number - 1))
    return pause + random.uniform(0, JITTER)


async def retrying(attempt: Callable[[], Awaitable[T]], *, tries: int, budget: float) -> T:
    """The result of `attempt`, tried up to `tries` times while it raises UpstreamUnavailable.

    A pause that the upstream asked for (`retry_after`) is kept to, and never cut short: one that would end
    more than `budget` seconds after the start is not begun, and the error is raised for the caller to come
    back later. OutcomeUnknown is never tried again here: only reading back can tell.
    """
    end = time.monotonic() + budget
    number = 1
    try:
        return await attempt()  # nearly always all there is to it
    except UpstreamUnavailable as error:
        if tries == 1 or not await _paused(number, error, end):
            raise

    def again(error: Exception) -> bool | float:
        if not isinstance(error, UpstreamUnavailable):
            return False
        pause = pause_after(number + 1, error.retry_after)
        return pause if time.monotonic() + pause < end else False

    async for turn in stamina.retry_context(on=again, attempts=tries - 1, timeout=None):
        number = turn.num
        with turn:
            return await attempt()
    raise AssertionError("a retry ends by a result or an error")


async def _paused(number: int, error: UpstreamUnavailable, end: float) -> bool:
    """Waits after try `number`; False if the next one would come too late."""
    pause = pause_after(number, error.retry_after)
    if time.monotonic() + pause >= end:
        return False
    await asyncio.sleep(pause)
    return True
