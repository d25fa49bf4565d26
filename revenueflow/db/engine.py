"""The connection pool of one process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import orjson
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from revenueflow.settings import DatabaseSettings


def sqlalchemy_url(dsn: str) -> str:
    """A libpq DSN in SQLAlchemy's form, for asyncpg."""
    return "postgresql+asyncpg://" + dsn.split("://", 1)[1]


def _dumps(value: Any) -> str:
    return orjson.dumps(value).decode()


def create_engine(settings: DatabaseSettings, *, application: str, lock_timeout: float = 5) -> AsyncEngine:
    """A pool for `settings.url`; `lock_timeout` is in seconds.

    Every statement has a time-out: a half-open connection would hang for minutes.
    """

    async def connect() -> asyncpg.Connection:
        try:
            return await asyncpg.connect(
                settings.url,
                timeout=5,
                command_timeout=settings.command_timeout,
                server_settings={
                    "application_name": f"revenueflow-{application}",
                    "timezone": "UTC",
                    # A process that was frozen inside a transaction must not hold up everybody else.
                    "idle_in_transaction_session_timeout": "5000",
                    "lock_timeout": str(round(lock_timeout * 1000)),
                },
            )
        except asyncpg.PostgresError as error:  # starting up, no connection left, no such database, wrong password
            raise ConnectionRefusedError(f"Postgres refused the connection: {type(error).__name__}") from error

    return create_async_engine(
        "postgresql+asyncpg://",
        async_creator=connect,
        pool_size=settings.pool_size,
        max_overflow=0,
        pool_timeout=5,
        hide_parameters=True,  # an error's text goes to logs, and parameters are personal data
        json_serializer=_dumps,
        json_deserializer=orjson.loads,
    )


@asynccontextmanager
async def engine_for(
    settings: DatabaseSettings, *, application: str, lock_timeout: float = 5
) -> AsyncIterator[AsyncEngine]:
    """`create_engine`, closed at the end."""
    engine = create_engine(settings, application=application, lock_timeout=lock_timeout)
    try:
        yield engine
    finally:
        await engine.dispose()
