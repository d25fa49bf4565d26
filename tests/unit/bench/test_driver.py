"""The generator against real servers on loopback that answer late, badly, or not at all."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from revenueflow.bench.connection import parse
from revenueflow.bench.driver import Driver
from revenueflow.errors import Unavailable
from tests.support.house import eventually

BODY = b'{"status":"accepted"}'
KEPT = b"HTTP/1.1 202 Accepted\r\nContent-Length: 21\r\n\r\n" + BODY
REFUSED = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n"
Behaviour = Callable[[int, asyncio.StreamWriter], Awaitable[None]]


def make(number: int) -> bytes:
    return b"POST / HTTP/1.1\r\nx-number: %08d\r\n\r\n" % number


@dataclass
class Server:
    port: int = 0
    numbers: list[int] = field(default_factory=list)
    open: int = 0
    most_open: int = 0


@asynccontextmanager
async def serving(behave: Behaviour) -> AsyncIterator[Server]:
    """A server that calls `behave` with how many requests came before, for each request."""
    told = Server()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                told.numbers.append(int(head[-12:-4]))
                told.open += 1
                told.most_open = max(told.most_open, told.open)
                await behave(len(told.numbers) - 1, writer)
                told.open -= 1
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    told.port = server.sockets[0].getsockname()[1]
    try:
        yield told
    finally:
        server.close()


@asynccontextmanager
async def driving(port: int, connections: int) -> AsyncIterator[Driver]:
    driver = Driver("127.0.0.1", port, make)
    await driver.connect(connections)
    try:
        yield driver
    finally:
        driver.close()


async def keep(_: int, writer: asyncio.StreamWriter) -> None:
    writer.write(KEPT)


async def test_a_closed_loop_sends_each_request_once_and_counts_every_answer() -> None:
    async with serving(keep) as server, driving(server.port, 8) as driver:
        load = await driver.closed_loop(requests=500, seconds=None, limit=20)
    assert sorted(server.numbers) == list(range(500))
    assert server.most_open <= 8
    assert (load.sent, load.kept, load.errors, load.outcomes["accepted"]) == (500, 500, 0, 500)
    assert len(load.latencies) == 500
    assert min(load.latencies) > 0


async def test_a_closed_loop_ends_when_its_time_is_over() -> None:
    async with serving(keep) as server, driving(server.port, 4) as driver:
        load = await driver.closed_loop(requests=None, seconds=0.3, limit=20)
    assert load.kept == load.sent == len(server.numbers) > 0
    assert 0.25 < load.seconds < 2


async def test_refusals_are_told_from_what_is_kept() -> None:
    async def every_third(count: int, writer: asyncio.StreamWriter) -> None:
        writer.write(REFUSED if count % 3 == 0 else KEPT)

    async with serving(every_third) as server, driving(server.port, 1) as driver:
        load = await driver.closed_loop(requests=30, seconds=None, limit=20)
    assert load.statuses == {202: 20, 503: 10}
    assert load.outcomes == {"accepted": 20}
    assert load.kept == 20


async def test_a_server_that_stalls_is_charged_for_every_request_that_it_held_up() -> None:
    async def stall_once(count: int, writer: asyncio.StreamWriter) -> None:
        if count == 10:
            await asyncio.sleep(0.5)
        writer.write(KEPT)

    async with serving(stall_once) as server, driving(server.port, 1) as driver:
        load = await driver.constant_rate(100, 60, limit=20)
    assert load.kept == 60
    # Of the 50 that were to be sent while the only connection was held up, the first waited longest.
    assert sum(latency > 0.2 for latency in load.latencies) >= 25
    assert sum(late > 0.2 for late in load.late) >= 25


async def test_a_generator_that_is_held_up_itself_does_not_forget_it() -> None:
    async with serving(keep) as server, driving(server.port, 8) as driver:
        asyncio.get_running_loop().call_later(0.1, time.sleep, 0.4)  # as when the machine gives it no processor
        load = await driver.constant_rate(100, 60, limit=20)
    assert load.kept == 60
    assert sum(latency > 0.2 for latency in load.latencies) >= 15


async def test_a_constant_rate_is_kept() -> None:
    async with serving(keep) as server, driving(server.port, 4) as driver:
        load = await driver.constant_rate(200, 100, limit=20)
    assert load.kept == 100
    assert load.seconds >= 0.49


async def test_a_connection_that_is_cut_costs_one_error_and_is_opened_again() -> None:
    async def cut_once(count: int, writer: asyncio.StreamWriter) -> None:
        if count == 5:
            writer.transport.abort()
        else:
            writer.write(KEPT)

    async with serving(cut_once) as server, driving(server.port, 1) as driver:
        load = await driver.closed_loop(requests=20, seconds=None, limit=20)
    assert (load.sent, load.kept, load.errors) == (20, 19, 1)


async def test_what_is_never_answered_is_an_error_once_the_limit_is_over() -> None:
    async def silent(_: int, __: asyncio.StreamWriter) -> None: ...

    async with serving(silent) as server, driving(server.port, 3) as driver:
        load = await driver.closed_loop(requests=10, seconds=None, limit=0.2)
    assert (load.kept, load.errors) == (0, 3)


async def test_a_window_lets_no_more_in_than_is_allowed() -> None:
    async with serving(keep) as server, driving(server.port, 8) as driver:
        run = asyncio.create_task(driver.windowed(20, limit=20))
        await asyncio.sleep(0)  # it has begun

        async def sent(count: int) -> bool:
            return driver.load.kept == count

        for allowed in (5, 9, 20):
            driver.allow(allowed)
            await eventually(lambda allowed=allowed: sent(allowed))
            assert len(server.numbers) == allowed
        assert (await run).kept == 20


async def test_nobody_listening_is_said_at_once() -> None:
    async with serving(keep) as server:
        port = server.port
    with pytest.raises(Unavailable, match="nothing answers"):
        await Driver("127.0.0.1", port, make).connect(1)


def test_an_answer_is_read_however_it_is_cut() -> None:
    assert parse(KEPT) == (202, BODY)
    assert all(parse(KEPT[:length]) is None for length in range(len(KEPT)))
    with pytest.raises(ValueError, match="content-length"):
        parse(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n")
