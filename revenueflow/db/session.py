"""Transactions: the only place that commits. Nothing awaits an upstream inside one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeAlias

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from revenueflow.errors import Contended, Refused, Unavailable

Session: TypeAlias = AsyncConnection

# SQLSTATEs that say nothing about the statement itself: connection, read-only (a standby after a failover), login,
# no such database, out of resources, ended by an operator, system error.
_NOT_NOW = ("08", "25006", "28", "3D000", "53", "57", "58")
# Lock not available, deadlock, serialization failure: the same statements may go through at once, or one by one.
_CONTENDED = ("55P03", "40P01", "40001")
# A value of the wrong form, or one that a constraint forbids.
_REFUSED = ("22", "23")
_NO_SCHEMA = ("42P01", "42703", "42883", "3F000")


class Database:
    """Hands out transactions on one pool."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Session]:
        """All or nothing: commits at the end of the block, rolls back if it raises.

        Raises Unavailable if Postgres does not answer, Contended if a lock could not be had in time, Refused for values
        that it does not take. The outcome of a commit that failed is unknown: who tries again must use the same ids.
        """
        try:
            async with self.engine.begin() as session:
                yield session
        except (OSError, TimeoutError, PoolTimeout, DBAPIError) as error:
            raise translated(error) from error


def translated(error: Exception) -> Exception:
    """What Postgres, its driver or the network said, as one of our errors; itself if it is a mistake of ours."""
    if not isinstance(error, DBAPIError) and not hasattr(error, "sqlstate") and not isinstance(error, ValueError):
        return _away()
    state = _sqlstate(error)
    if state in _CONTENDED:
        return Contended("another transaction holds a row that this one needs", retry_after=1)
    if state.startswith(_NOT_NOW) or _lost_connection(error):
        return _away()
    if state in _NO_SCHEMA:
        return Unavailable("the schema is missing or old; run `revenueflow migrate`", retry_after=5)
    if state.startswith(_REFUSED) or isinstance(getattr(error, "orig", error), ValueError):
        return Refused("Postgres does not take one of the values")
    return error


def _away() -> Unavailable:
    return Unavailable("Postgres does not answer, or refuses the connection", retry_after=1)


def _lost_connection(error: Exception) -> bool:
    if not isinstance(error, DBAPIError):
        return False
    return error.connection_invalidated or isinstance(error, OperationalError | InterfaceError)


def _sqlstate(error: Exception) -> str:
    return str(getattr(getattr(error, "orig", error), "sqlstate", None))
