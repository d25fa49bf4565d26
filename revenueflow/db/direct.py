"""asyncpg without SQLAlchemy, for the statements that every lead passes: a fraction of the processor time of each.

Those are batches: one statement for the rows of many leads, as arrays. Everything else goes through `session`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Self, TypeAlias, TypeVar

import asyncpg

from revenueflow.db.session import translated
from revenueflow.errors import Contended, Refused, RevenueFlowError
from revenueflow.settings import DatabaseSettings

Connection: TypeAlias = Any  # an asyncpg.Connection; the library has no types

Item = TypeVar("Item")
Result = TypeVar("Result")

_TROUBLE = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)

_SETTINGS = {
    # Between two messages of one statement a session whose network is gone does not count as idle, and would hold its
    # rows until TCP gives up, hours later. Nothing here takes long.
    "transaction_timeout": "15000",
    # Every statement here finds its few rows by a key. How many an array holds the planner can't know; it guesses a
    # hundred, and reads the whole table to join them.
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "enable_bitmapscan": "off",
    # So one plan fits all: it is made once, and not anew for each execution.
    "plan_cache_mode": "force_generic_plan",
}


class Direct:
    """A pool of up to `size` connections. Opened without connecting: Postgres may be away."""

    def __init__(self, settings: DatabaseSettings, *, application: str, size: int = 4, lock_timeout: float = 5) -> None:
        self._pool = asyncpg.create_pool(
            settings.url,
            min_size=0,
            max_size=size,
            timeout=5,
            command_timeout=settings.command_timeout,
            connect=connect,
            reset=_nothing,  # no statement here changes the state of a session
            server_settings=server_settings(application, lock_timeout) | _SETTINGS,
        )

    async def __aenter__(self) -> Self:
        await self._pool
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.terminate()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection; each statement on it is a transaction of its own.

        Raises Unavailable, Contended, or Refused for values that Postgres does not take. The outcome of a statement
        that failed otherwise is unknown: whoever tries again must use the same ids.
        """
        try:
            async with self._pool.acquire(timeout=5) as connection:
                try:
                    yield connection
                except (asyncpg.PostgresError, RevenueFlowError):
                    raise
                except BaseException:
                    connection.terminate()  # whatever it is in the middle of: a hung server must not hold us
                    raise
        except _TROUBLE as error:
            raise translated(error) from error

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """All or nothing, in one commit. Raises as `connection` does."""
        async with self.connection() as connection, connection.transaction():
            yield connection

    async def together(
        self,
        items: Sequence[Item],
        write: Callable[[Connection, Sequence[Item]], Awaitable[Sequence[Result]]],
        *,
        one_statement: bool = False,
    ) -> list[Result | Exception]:
        """Writes what belongs to many leads in one commit; the result, or its own error, for each.

        If Postgres does not take one of them, or a row of one is held, each is written in a commit of its own. Where
        `write` changes rows with one statement only, that is its own transaction: two round trips less.
        """
        try:
            async with self.connection() if one_statement else self.transaction() as connection:
                return list(await write(connection, items))
        except (Refused, Contended) as error:
            if len(items) == 1:
                return [error]
            return [each for item in items for each in await self.together([item], write, one_statement=one_statement)]

    async def answers(self, timeout: float) -> bool:
        """Whether Postgres executes a statement within `timeout` seconds."""
        try:
            async with asyncio.timeout(timeout), self.connection() as connection:
                await connection.execute("SELECT 1")
        except (RevenueFlowError, TimeoutError):
            return False
        return True


async def connect(*arguments: Any, **options: Any) -> Connection:
    """asyncpg.connect; a server that does not let us in (starting up, no connection left, …) counts as away."""
    try:
        return await asyncpg.connect(*arguments, **options)
    except asyncpg.PostgresError as error:
        raise ConnectionRefusedError(f"Postgres refused the connection: {type(error).__name__}") from error


def server_settings(application: str, lock_timeout: float) -> dict[str, str]:
    """What each of our sessions asks for. `lock_timeout` is in seconds."""
    return {
        "application_name": f"revenueflow-{application}",
        "timezone": "UTC",
        # A process that was frozen inside a transaction must not hold up everybody else.
        "idle_in_transaction_session_timeout": "5000",
        "lock_timeout": str(round(lock_timeout * 1000)),
    }


async def _nothing(_: Connection) -> None:
    """Instead of a round trip that resets a session."""
