"""Shared writes: one batch under way at a time, and each caller gets what is its own."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from revenueflow.errors import Refused, Unavailable
from revenueflow.resilience.sharing import Shared


class Writing:
    """A write that takes until it is let through, and keeps what it was given."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.under_way = 0
        self.most = 0
        self.open = asyncio.Event()

    async def __call__(self, items: Sequence[int]) -> list[int | Exception]:
        self.batches.append(list(items))
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            await self.open.wait()
        finally:
            self.under_way -= 1
        return [item * 10 for item in items]


async def turns(count: int = 20) -> None:
    """Lets everything run that can."""
    for _ in range(count):
        await asyncio.sleep(0)


async def asked(shared: Shared[int, int], *items: int) -> list[asyncio.Task[int]]:
    """Callers that have asked and wait."""
    tasks = [asyncio.ensure_future(shared(item)) for item in items]
    await turns()
    return tasks


async def answers(*tasks: asyncio.Task[int]) -> list[int | BaseException]:
    """What became of each. Raises TimeoutError if one of them waits for ever."""
    async with asyncio.timeout(5):
        return await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_lone_item_is_performed_at_once() -> None:
    """Not after a window: the loop is never idle in between, and no timer is set."""
    writing = Writing()
    writing.open.set()
    shared = Shared[int, int](writing)
    (one,) = await asked(shared, 1)
    assert one.done()
    assert one.result() == 10


async def test_what_is_asked_while_one_is_under_way_is_the_next_one() -> None:
    writing = Writing()
    shared = Shared[int, int](writing)
    first = await asked(shared, 1)
    rest = await asked(shared, 2, 3, 4)
    assert writing.batches == [[1]]
    writing.open.set()
    assert await answers(*first, *rest) == [10, 20, 30, 40]
    assert (writing.batches, writing.most) == ([[1], [2, 3, 4]], 1)


async def test_with_two_lanes_two_are_under_way_and_no_more() -> None:
    writing = Writing()
    shared = Shared[int, int](writing, lanes=2)
    everyone = [task for item in range(5) for task in await asked(shared, item)]
    assert writing.batches == [[0], [1]]
    writing.open.set()
    assert await answers(*everyone) == [0, 10, 20, 30, 40]
    assert writing.most == 2
    assert sorted(item for batch in writing.batches for item in batch) == [0, 1, 2, 3, 4]


async def test_a_batch_has_no_more_than_the_largest_in_the_order_in_which_they_came() -> None:
    writing = Writing()
    shared = Shared[int, int](writing, largest=3)
    everyone = await asked(shared, *range(8))
    writing.open.set()
    await answers(*everyone)
    assert writing.batches == [[0, 1, 2], [3, 4, 5], [6, 7]]


async def test_each_gets_its_own_result_or_its_own_error() -> None:
    async def perform(items: Sequence[int]) -> list[int | Exception]:
        return [Unavailable(f"not {item}") if item % 2 else item for item in items]

    told = await answers(*await asked(Shared(perform), 0, 1, 2, 3))
    assert (told[0], told[2]) == (0, 2)
    assert [str(error) for error in (told[1], told[3])] == ["not 1", "not 3"]
    assert {type(error) for error in (told[1], told[3])} == {Unavailable}


async def test_an_error_of_the_write_goes_to_all_of_its_batch_and_to_nobody_else() -> None:
    async def perform(items: Sequence[int]) -> list[int | Exception]:
        await asyncio.sleep(0)
        if 2 in items:
            raise Refused("broken")
        return list(items)

    shared = Shared[int, int](perform, largest=2)
    told = await answers(*await asked(shared, 0, 1, 2, 3, 4, 5))
    assert (told[:2], told[4:]) == ([0, 1], [4, 5])
    assert [type(error) for error in told[2:4]] == [Refused, Refused]


async def test_too_few_answers_leave_nobody_waiting() -> None:
    async def perform(items: Sequence[int]) -> list[int | Exception]:
        return [] if 1 in items else list(items)

    shared = Shared[int, int](perform, largest=2)
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)  # what the lane broke off with
    tasks = await asked(shared, 0, 1, 2)
    told = await answers(*tasks)
    assert [type(error) for error in told[:2]] == [Unavailable, Unavailable]
    assert told[2] == 2


async def test_a_caller_that_goes_away_does_not_stop_the_batch() -> None:
    writing = Writing()
    shared = Shared[int, int](writing)
    stays, goes = await asked(shared, 1, 2)
    goes.cancel()
    await turns()
    assert goes.cancelled()
    writing.open.set()
    assert await answers(stays) == [10]
    assert writing.batches == [[1, 2]]


async def test_a_caller_that_goes_away_before_its_batch_began_takes_nobody_with_it() -> None:
    writing = Writing()
    shared = Shared[int, int](writing)
    first = await asked(shared, 1)
    goes, stays = await asked(shared, 2, 3)
    goes.cancel()
    writing.open.set()
    assert await answers(*first, stays) == [10, 30]


@pytest.mark.parametrize("lanes", [1, 2])
async def test_a_write_that_is_cancelled_from_within_forgets_no_one(lanes: int) -> None:
    async def perform(items: Sequence[int]) -> list[int | Exception]:
        await asyncio.sleep(0)
        if 0 in items:
            raise asyncio.CancelledError
        return list(items)

    shared = Shared[int, int](perform, largest=2, lanes=lanes)
    tasks = await asked(shared, *range(6))
    told = await answers(*tasks)
    assert [isinstance(one, BaseException) for one in told[:2]] == [True, True]
    assert told[2:] == [2, 3, 4, 5]


async def test_who_leaves_before_its_batch_begins_is_left_out() -> None:
    gate, seen = asyncio.Event(), []

    async def perform(items: Sequence[int]) -> Sequence[int]:
        seen.append(list(items))
        await gate.wait()
        return items

    shared: Shared[int, int] = Shared(perform)
    first = asyncio.create_task(shared(1))
    await asyncio.sleep(0)
    leaving, staying = asyncio.create_task(shared(2)), asyncio.create_task(shared(3))
    await asyncio.sleep(0)
    leaving.cancel()
    await asyncio.sleep(0)
    gate.set()
    assert (await first, await staying) == (1, 3)
    assert seen == [[1], [3]]
    assert leaving.cancelled()
