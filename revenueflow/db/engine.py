"""The connection pool of one process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from revenueflow.db import direct
from revenueflow.db.direct import Connection
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

    async def connect() -> Connection:
        return await direct.connect(
            settings.url,
            timeout=5,
            command_timeout=settings.command_timeout,
            server_settings=direct.server_settings(application, lock_timeout),
        )

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
