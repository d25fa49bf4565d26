"""The gate: shut after three failures in a row, and open again as soon as Postgres answers a probe."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise

import pytest

from revenueflow.db.direct import Direct
from revenueflow.devserver.cluster import DatabaseUrls
from revenueflow.settings import DatabaseSettings
from revenueflow.sources.gate import FAILURES, PROBE_SECONDS, Gate
from tests.support.house import eventually

NOWHERE = "postgresql://nobody@127.0.0.1:1/nothing"


class Silent:
    """A server that is not Postgres: it hangs up at once, or it holds on and says nothing. Knows when it was asked."""

    def __init__(self, *, hangs: bool) -> None:
        self.asked: list[float] = []
        self._hangs = hangs
        self._over = asyncio.Event()

    async def answer(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.asked.append(time.monotonic())
        if self._hangs:
            await self._over.wait()
        writer.close()

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[str]:
        server = await asyncio.start_server(self.answer, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        try:
            yield f"postgresql://nobody:x@127.0.0.1:{port}/nothing"
        finally:
            self._over.set()
            server.close()


@asynccontextmanager
async def gate(url: str) -> AsyncIterator[Gate]:
    async with Direct(DatabaseSettings(url=url), application="test") as direct:
        one = Gate(direct)
        try:
            yield one
        finally:
            one.close()


def fail(one: Gate, times: int) -> None:
    for _ in range(times):
        one.failed()


async def test_it_shuts_at_the_third_failure_in_a_row() -> None:
    async with gate(NOWHERE) as one:
        shut_after = []
        for _ in range(FAILURES + 2):
            shut_after.append(not one.is_open)
            one.failed()
        assert shut_after == [False, False, False, True, True]


async def test_an_answer_between_begins_the_count_again() -> None:
    async with gate(NOWHERE) as one:
        for _ in range(4):
            fail(one, FAILURES - 1)
            one.succeeded()
        fail(one, FAILURES - 1)
        assert one.is_open
        one.failed()
        assert not one.is_open


async def test_it_opens_when_postgres_answers_and_then_counts_from_nothing(database: DatabaseUrls) -> None:
    async with gate(database.app_url) as one:
        for _ in range(2):
            began = time.monotonic()
            fail(one, FAILURES)
            assert not one.is_open
            await eventually(lambda: _opened(one))
            assert time.monotonic() - began >= PROBE_SECONDS
            fail(one, FAILURES - 1)
            assert one.is_open
            one.succeeded()


@pytest.mark.parametrize("hangs", [False, True], ids=["hangs up", "hangs"])
async def test_while_there_is_no_answer_it_stays_shut_and_asks_once_in_a_while(hangs: bool) -> None:
    """However many failures come in late: one probe at a time."""
    server = Silent(hangs=hangs)
    async with server.serve() as url, gate(url) as one:
        fail(one, FAILURES * 3)
        await eventually(lambda: _asked(server, 3))
        assert not one.is_open
    gaps = [later - earlier for earlier, later in pairwise(server.asked)]
    assert min(gaps) > PROBE_SECONDS * 0.9


async def test_an_answer_to_somebody_who_had_waited_opens_it_and_ends_the_probing() -> None:
    before = asyncio.all_tasks()
    async with gate(NOWHERE) as one:
        fail(one, FAILURES)
        one.succeeded()
        assert one.is_open
        await eventually(lambda: _ended(before))


async def test_closing_ends_the_probing() -> None:
    before = asyncio.all_tasks()
    async with gate(NOWHERE) as one:
        fail(one, FAILURES)
        assert not await _ended(before)
        one.close()
        for _ in range(3):
            await asyncio.sleep(0)
        assert await _ended(before)


async def _opened(one: Gate) -> bool:
    return one.is_open


async def _asked(server: Silent, times: int) -> bool:
    return len(server.asked) >= times


async def _ended(before: set[asyncio.Task[object]]) -> bool:
    return not asyncio.all_tasks() - before
