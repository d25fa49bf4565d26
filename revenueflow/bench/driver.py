"""Sends requests over keep-alive connections: as fast as they are answered, or at a constant rate.

At a constant rate a request's latency counts from when it was to be sent: a server that stalls is charged for every
request that it held up, also for those that had no free connection.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable
from time import perf_counter

from revenueflow.bench.connection import Connection
from revenueflow.bench.load import Load
from revenueflow.errors import Unavailable

LOOK_SECONDS = 0.005
RECONNECT_SECONDS = 0.05
TIMER_SECONDS = 0.0005

_STATUS = b'"status":"'


class Driver:
    """All connections of a generator. One run at a time."""

    def __init__(self, host: str, port: int, make: Callable[[int], bytes]) -> None:
        self._address = host, port
        self._make = make
        self._free: deque[Connection] = deque()
        self._due: deque[float] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._open = 0
        self._made = 0
        self._quota: float = 0
        self._until = math.inf
        self._ended_at = 0.0
        self._closed = False
        self.load = Load()

    async def connect(self, connections: int) -> None:
        """Raises Unavailable if nobody listens."""
        try:
            for _ in range(connections):
                self._free.append(await self._new())
        except OSError:
            raise Unavailable(f"nothing answers at http://{self._address[0]}:{self._address[1]}") from None

    def close(self) -> None:
        """Ends all connections."""
        self._closed = True
        for task in self._tasks:
            task.cancel()
        for connection in list(self._free):
            connection.close()

    async def closed_loop(self, *, requests: int | None, seconds: float | None, limit: float) -> Load:
        """Each connection sends its next request when the last one is answered."""
        began = self._start(math.inf if requests is None else requests, seconds)
        self.feed()
        return await self._finish(began, requests or 0, limit)

    async def windowed(self, requests: int, *, limit: float) -> Load:
        """As a closed loop of so many requests, but not more than `allow` allows at any time."""
        return await self._finish(self._start(0, None), requests, limit)

    def allow(self, requests: int) -> None:
        """So many requests may have been sent by now."""
        self._quota = max(self._quota, requests)
        self.feed()

    async def constant_rate(self, rate: float, requests: int, *, limit: float) -> Load:
        """Sends the n-th request n / rate seconds after the first, answered or not."""
        began = self._start(0, None)
        for number in range(requests):
            due = began + number / rate
            await _sleep_until(due)
            if perf_counter() - began > limit:
                break
            self._due.append(min(due, perf_counter()))
            self.feed()
        return await self._finish(began, requests, limit)

    def feed(self) -> None:
        """Gives work to free connections, as long as there is some."""
        while self._free and (began := self._next()) is not None:
            self._send(self._free.pop(), began)

    def _start(self, quota: float, seconds: float | None) -> float:
        began = perf_counter()
        self.load, self._quota = Load(), quota
        self._until = began + seconds if seconds else math.inf
        self._due.clear()
        return began

    async def _finish(self, began: float, requests: int, limit: float) -> Load:
        while perf_counter() - began < limit:
            if self._finished(requests):
                break
            await asyncio.sleep(LOOK_SECONDS)
        self._quota, load = 0, self.load
        load.errors += self._open + len(self._due)
        load.seconds = max(self._ended_at - began, 1e-9)
        return load

    def _finished(self, requests: int) -> bool:
        return not self._open and not self._due and (self.load.sent >= requests and not self._more())

    def _more(self) -> bool:
        return self.load.sent < self._quota and perf_counter() < self._until

    def _next(self) -> float | None:
        """When the next request was, or is, to be sent; None if there is none now."""
        if self._due:
            due = self._due.popleft()
            self.load.late.append(perf_counter() - due)
            return due
        return perf_counter() if self._more() else None

    def _send(self, connection: Connection, began: float) -> None:
        self.load.sent += 1
        self._open += 1
        connection.send(self._make(self._made), began)
        self._made += 1

    def _answered(self, connection: Connection, status: int, body: bytes) -> None:
        self._ended_at = now = perf_counter()
        load = self.load
        load.latencies.append(now - connection.began)
        load.statuses[status] += 1
        at = body.find(_STATUS) + len(_STATUS)
        if at >= len(_STATUS):
            load.outcomes[body[at : body.find(b'"', at)].decode("ascii", "replace")] += 1
        self._open -= 1
        began = self._next()
        if began is None:
            self._free.append(connection)
        else:
            self._send(connection, began)

    def _lost(self, connection: Connection) -> None:
        if connection.busy:
            self._open -= 1
            self.load.errors += 1
            self._ended_at = perf_counter()
        elif connection in self._free:
            self._free.remove(connection)
        if not self._closed:
            task = asyncio.ensure_future(self._again())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _again(self) -> None:
        while True:
            await asyncio.sleep(RECONNECT_SECONDS)
            try:
                self._free.append(await self._new())
            except OSError:
                continue
            return self.feed()

    async def _new(self) -> Connection:
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(lambda: Connection(self._answered, self._lost), *self._address)
        return connection


async def _sleep_until(due: float) -> None:
    # The event loop's timers count milliseconds: to be more exact than that would keep a processor busy.
    while True:
        wait = due - perf_counter()
        if wait < TIMER_SECONDS:
            return
        await asyncio.sleep(wait)
