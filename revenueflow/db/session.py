"""Transactions: the only place that commits. Nothing awaits an upstream inside one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeAlias

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from revenueflow.errors import Contended, Unavailable

Session: TypeAlias = AsyncConnection

# SQLSTATEs that say nothing about the statement itself: connection, read-only (a standby after a failover), login,
# no such database, out of resources, ended by an operator, system error.
_NOT_NOW = ("08", "25006", "28", "3D000", "53", "57", "58")
# Lock not available, deadlock, serialization failure: the same statements may go through at once, or one by one.
_CONTENDED = ("55P03", "40P01", "40001")
_NO_SCHEMA = ("42P01", "42703", "42883", "3F000")


class Database:
    """Hands out transactions on one pool."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Session]:
        """All or nothing: commits at the end of the block, rolls back if it raises.

        Raises Unavailable if Postgres does not answer, Contended if a lock could not be had in time. The outcome of a
        commit that failed is unknown: whoever tries again must use the same ids.
        """
        try:
            async with self.engine.begin() as session:
                yield session
        except (OSError, TimeoutError, PoolTimeout) as error:
            raise Unavailable("Postgres does not answer, or refuses the connection", retry_after=1) from error
        except DBAPIError as error:
            if _sqlstate(error) in _CONTENDED:
                raise Contended("another transaction holds a row that this one needs", retry_after=1) from error
            if _is_connection_trouble(error):
                raise Unavailable("Postgres does not answer, or refuses the connection", retry_after=1) from error
            if _sqlstate(error) in _NO_SCHEMA:
                raise Unavailable("the schema is missing or old; run `revenueflow migrate`", retry_after=5) from error
            raise


def _is_connection_trouble(error: DBAPIError) -> bool:
    if error.connection_invalidated or isinstance(error, OperationalError | InterfaceError):
        return True
    return _sqlstate(error).startswith(_NOT_NOW)


def _sqlstate(error: DBAPIError) -> str:
    return str(getattr(error.orig, "sqlstate", None))
