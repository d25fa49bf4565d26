"""The sealed trail: its places, its checkpoints, and giving places.

On a connection of its own: it is read as a whole.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final
from uuid import UUID

import asyncpg

from revenueflow.db.direct import Connection, connect, server_settings
from revenueflow.db.session import translated

LOCK: Final = 0x5EA1
PREFETCH: Final = 2000
EVENT: Final = ("id", "ts", "actor", "action", "outcome", "lead_id", "job_id", "action_key", "trace_id", "detail")
_COLUMNS = ", ".join(EVENT)
_SEAL = """
    WITH taken AS (
        DELETE FROM audit_pending WHERE event_id IN (SELECT event_id FROM audit_pending ORDER BY event_id LIMIT $1)
        RETURNING event_id
    ), places AS (
        SELECT e.id, e.leaf_hash, row_number() OVER (ORDER BY e.id) - 1 AS place
        FROM taken JOIN audit_events e ON e.id = taken.event_id
    )
    INSERT INTO audit_leaves (seq, event_id, leaf_hash)
    SELECT (SELECT coalesce(max(seq) + 1, 0) FROM audit_leaves) + place, id, leaf_hash FROM places
"""
_WAITING = "SELECT extract(epoch FROM now() - min(e.ts)) FROM audit_pending p JOIN audit_events e ON e.id = p.event_id"
_SEALED = f"SELECT seq, sealed_hash, event_id, leaf_hash, {_COLUMNS} FROM audit_sealed ORDER BY seq"  # noqa: S608
_UNSEALED = f"SELECT leaf_hash, pending, {_COLUMNS} FROM audit_unsealed ORDER BY id"  # noqa: S608
_ONE = f"SELECT seq, sealed_hash, {_COLUMNS} FROM audit_sealed WHERE event_id = $1"  # noqa: S608
_ROOTS = "SELECT tree_size, root_hash, note, created_at FROM audit_roots ORDER BY tree_size"
_LAST = "SELECT tree_size, root_hash, note, created_at FROM audit_roots ORDER BY tree_size DESC LIMIT 1"
_ADD = "INSERT INTO audit_checkpoints (tree_size, root_hash, note) VALUES ($1, $2, $3)"
_TROUBLE = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)


@asynccontextmanager
async def opened(url: str, *, application: str) -> AsyncIterator[Connection]:
    """A connection. Raises Unavailable if Postgres does not answer."""
    try:
        connection = await connect(url, timeout=5, server_settings=server_settings(application, lock_timeout=5))
        try:
            yield connection
        finally:
            connection.terminate()
    except _TROUBLE as error:
        raise translated(error) from error


@asynccontextmanager
async def snapshot(url: str, *, application: str) -> AsyncIterator[Connection]:
    """A connection on which all that is read is of one moment."""
    async with opened(url, application=application) as connection:
        # Between two parts of a long answer we compute; the session is not idle for anybody else's worry.
        await connection.execute("SET idle_in_transaction_session_timeout = 0")
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            yield connection


async def seal(connection: Connection, most: int) -> int | None:
    """Gives a place to up to `most` pending events, by the order of their ids; None if another process is at it."""
    if not await connection.fetchval("SELECT pg_try_advisory_xact_lock($1)", LOCK):
        return None
    done: str = await connection.execute(_SEAL, most)
    return int(done.rpartition(" ")[2])


async def waiting(connection: Connection) -> float:
    """The age of the oldest event without a place, in seconds; 0 if there is none."""
    return float(await connection.fetchval(_WAITING) or 0)


async def leaves(connection: Connection, start: int = 0) -> AsyncIterator[bytes]:
    """The leaf hashes in order. Needs a transaction."""
    query = "SELECT sealed_hash FROM audit_sealed WHERE seq >= $1 ORDER BY seq"
    async for row in connection.cursor(query, start, prefetch=PREFETCH):
        yield row["sealed_hash"]


async def sealed(connection: Connection) -> AsyncIterator[Any]:
    """Every place with its event, in order. Needs a transaction."""
    async for row in connection.cursor(_SEALED, prefetch=PREFETCH):
        yield row


async def unsealed(connection: Connection) -> AsyncIterator[Any]:
    """Every event without a place. Needs a transaction."""
    async for row in connection.cursor(_UNSEALED, prefetch=PREFETCH):
        yield row


async def vanished(connection: Connection) -> list[UUID]:
    """Events that wait for a place and are not there."""
    return [row["event_id"] for row in await connection.fetch("SELECT event_id FROM audit_vanished")]


async def place(connection: Connection, event_id: UUID) -> Any | None:
    """An event with its place, or None if it has none yet."""
    return await connection.fetchrow(_ONE, event_id)


async def checkpoints(connection: Connection) -> list[Any]:
    """All checkpoints, the smallest tree first."""
    return list(await connection.fetch(_ROOTS))


async def last_checkpoint(connection: Connection) -> Any | None:
    """The checkpoint of the largest tree."""
    return await connection.fetchrow(_LAST)


async def add_checkpoint(connection: Connection, size: int, root: bytes, note: str) -> None:
    """Stores a signed checkpoint."""
    await connection.execute(_ADD, size, root, note)
