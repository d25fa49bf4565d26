"""How far each source was read, and who reads it: one process at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from sqlalchemy import text

from revenueflow.db.direct import Connection
from revenueflow.db.session import Session

_LOCKS = 0x52465343
"""Our advisory locks on sources begin with this, the other half is the source."""
_LOCK = "SELECT pg_try_advisory_lock($1, hashtext($2))"
_UNLOCK = "SELECT pg_advisory_unlock($1, hashtext($2))"
_DUE = """
    SELECT coalesce(pulled_at < now() - make_interval(secs => $2), true) AND coalesce(not_before <= now(), true)
    FROM source_cursors WHERE source = $1
"""
_READ = "SELECT cursor FROM source_cursors WHERE source = $1"
_SAVE = """
    INSERT INTO source_cursors AS old (source, cursor, pulled_at) VALUES ($1, $2::jsonb, CASE WHEN $3 THEN now() END)
    ON CONFLICT (source) DO UPDATE SET
        cursor = excluded.cursor, pulled_at = coalesce(excluded.pulled_at, old.pulled_at),
        not_before = NULL, updated_at = now()
"""
_PUT_OFF = """
    INSERT INTO source_cursors (source, not_before) VALUES ($1, now() + make_interval(secs => $2))
    ON CONFLICT (source) DO UPDATE SET not_before = excluded.not_before, updated_at = now()
"""
_ALL = text("""
    SELECT source, pulled_at, not_before, extract(epoch FROM now() - pulled_at)::float8 AS age
    FROM source_cursors ORDER BY source
""")


async def lock(connection: Connection, source: str) -> bool:
    """Takes the source for this connection, until `unlock` or its end; False if another one has it."""
    taken: bool = await connection.fetchval(_LOCK, _LOCKS, source)
    return taken


async def unlock(connection: Connection, source: str) -> None:
    """Gives the source back."""
    await connection.execute(_UNLOCK, _LOCKS, source)


async def due(connection: Connection, source: str, every: float) -> bool:
    """Whether the last pull is `every` seconds old, and the source did not ask to be left alone."""
    found: bool | None = await connection.fetchval(_DUE, source, every)
    return found is None or found


async def read(connection: Connection, source: str) -> dict[str, Any]:
    """The cursor; empty for a source that was never read."""
    found = await connection.fetchval(_READ, source)
    cursor: dict[str, Any] = orjson.loads(found) if found else {}
    return cursor


async def save(connection: Connection, source: str, cursor: Mapping[str, Any], *, ended: bool) -> None:
    """Keeps how far it was read; `ended` when that was to the end."""
    await connection.execute(_SAVE, source, orjson.dumps(cursor).decode(), ended)


async def put_off(connection: Connection, source: str, seconds: float) -> None:
    """Nobody reads the source for so long."""
    await connection.execute(_PUT_OFF, source, seconds)


async def every(session: Session) -> list[dict[str, Any]]:
    """All sources: when they were read to the end (`age` in seconds), and before when they shall not be read."""
    return [dict(row) for row in (await session.execute(_ALL)).mappings()]
