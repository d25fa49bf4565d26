"""Looking into a test's database, and taking it away, whether or not an event loop runs here."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import asyncpg

from revenueflow.devserver import blocking
from revenueflow.devserver.cluster import DatabaseUrls


def rows(url: str, query: str, *values: object) -> list[dict[str, Any]]:
    """The rows that `query` gives with the rights of the role in `url`. Raises what PostgreSQL says."""

    async def ask() -> list[dict[str, Any]]:
        connection = await asyncpg.connect(url)
        try:
            return [dict(row) for row in await connection.fetch(query, *values)]
        finally:
            await connection.close()

    return blocking.run(ask())


def value(url: str, query: str, *values: object) -> Any:
    """The first column of the only row."""
    (row,) = rows(url, query, *values)
    return next(iter(row.values()))


class Looker:
    """The same on one connection, for tests that look often: from any thread, and from inside an event loop."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True, name="looker")
        self._connection: Any = None
        self._thread.start()

    def rows(self, query: str, *values: object) -> list[dict[str, Any]]:
        """The rows that `query` gives."""
        return asyncio.run_coroutine_threadsafe(self._ask(query, values), self._loop).result(30)

    def close(self) -> None:
        """Closes the connection and ends the thread."""
        if self._connection is not None:
            asyncio.run_coroutine_threadsafe(self._connection.close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _ask(self, query: str, values: tuple[object, ...]) -> list[dict[str, Any]]:
        async with self._one_at_a_time:
            if self._connection is None or self._connection.is_closed():
                self._connection = await asyncpg.connect(self._url)
            return [dict(row) for row in await self._connection.fetch(query, *values)]

    @cached_property
    def _one_at_a_time(self) -> asyncio.Lock:
        return asyncio.Lock()


def waits(database: DatabaseUrls) -> bool:
    """Whether something in this database waits for a lock."""
    query = "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = $1"
    return bool(value(database.superuser_url, query, database.name))


@contextmanager
def away(database: DatabaseUrls) -> Iterator[None]:
    """PostgreSQL refuses this database: every connection to it is ended, and new ones are turned down."""
    server = database.superuser_url.replace(f"/{database.name}", "/postgres")
    rows(server, f"ALTER DATABASE {database.name} ALLOW_CONNECTIONS false")
    rows(server, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", database.name)
    try:
        yield
    finally:
        rows(server, f"ALTER DATABASE {database.name} ALLOW_CONNECTIONS true")


@contextmanager
def locked(database: DatabaseUrls, statement: str) -> Iterator[None]:
    """Holds whatever `statement` locks, in a transaction of its own, while the block runs."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def hold() -> Any:
        connection = await asyncpg.connect(database.superuser_url)
        await connection.execute("BEGIN")
        await connection.execute(statement)
        return connection

    holder = asyncio.run_coroutine_threadsafe(hold(), loop).result(10)
    try:
        yield
    finally:
        asyncio.run_coroutine_threadsafe(holder.close(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
