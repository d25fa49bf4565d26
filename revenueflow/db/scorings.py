"""Queries on runs that score stored leads anew. A worker holds one under a lease; its token fences every write."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import text

from revenueflow.db import requests
from revenueflow.db.direct import Connection
from revenueflow.db.session import Session

_ADD = text("""
    INSERT INTO scorings (scope, campaign_id, offer_id, profile, created_by, request_key, request_sha256)
    VALUES (:scope, :campaign_id, :offer_id, :profile, :created_by, :request_key, :request_sha256) RETURNING *
""")
_COUNT = """
    SELECT count(*) FROM leads WHERE erased_at IS NULL AND ($1::text IS NULL OR campaign_id = $1)
      AND (NOT $2::boolean OR score IS NULL)
"""
_CLAIM = """
    UPDATE scorings SET state = 'running', lease_token = lease_token + 1, updated_at = now(),
        lease_until = now() + make_interval(secs => $1)
    WHERE id = (SELECT id FROM scorings WHERE state = 'ready' OR (state = 'running' AND lease_until < now())
                ORDER BY created_at, id LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING id, scope, campaign_id, offer_id, profile, cursor, lease_token, leads, scored + skipped AS done,
        created_by
"""
_ADVANCE = """
    UPDATE scorings SET cursor = $3, scored = scored + $4, skipped = skipped + $5, updated_at = now(),
        leads = greatest(leads, scored + skipped + $4 + $5), lease_until = now() + make_interval(secs => $6)
    WHERE id = $1 AND lease_token = $2 AND state = 'running' RETURNING id
"""
_FINISH = """
    UPDATE scorings SET state = CASE WHEN $3::text IS NULL THEN 'done' ELSE 'failed' END, error = $3,
        lease_until = NULL, finished_at = now(), updated_at = now()
    WHERE id = $1 AND lease_token = $2 AND state = 'running'
"""


class Held(NamedTuple):
    """A run that a worker holds: what it is to score, and the last lead that is done."""

    id: UUID
    scope: str
    campaign_id: str | None
    offer_id: UUID | None
    profile: str | None
    cursor: UUID | None
    token: int
    leads: int
    done: int
    created_by: str


async def add(session: Session, values: dict[str, Any]) -> dict[str, Any]:
    """A run that a worker will take up."""
    return dict((await session.execute(_ADD, requests.NO_KEY | values)).mappings().one())


def at_first(row: Mapping[str, Any]) -> dict[str, Any]:
    """What may have changed since a run was asked for, as it was then: what the first answer said."""
    counts = {"leads": 0, "scored": 0, "skipped": 0}
    return {"state": "ready", **counts, "error": None, "updated_at": row["created_at"], "finished_at": None}


async def get(session: Session, id_: UUID) -> dict[str, Any] | None:
    """How far a run has come."""
    found = (await session.execute(text("SELECT * FROM scorings WHERE id = :id"), {"id": id_})).mappings().first()
    return dict(found) if found else None


async def claim(connection: Connection, *, lease: float) -> Held | None:
    """Takes the oldest run that nobody holds, for `lease` seconds."""
    found = await connection.fetchrow(_CLAIM, lease)
    return Held(*found) if found else None


async def count(connection: Connection, held: Held) -> None:
    """Notes how many leads there are to do: for the progress that people see, no more."""
    leads = await connection.fetchval(_COUNT, held.campaign_id, held.scope == "unscored")
    await connection.execute("UPDATE scorings SET leads = $2 WHERE id = $1 AND leads = 0", held.id, leads)


async def advance(connection: Connection, held: Held, *, cursor: UUID, scored: int, skipped: int, lease: float) -> bool:
    """Notes that all leads up to `cursor` are done; False if another worker holds the run now."""
    values = (held.id, held.token, cursor, scored, skipped, lease)
    return await connection.fetchval(_ADVANCE, *values) is not None


async def finish(connection: Connection, held: Held, *, error: str | None = None) -> None:
    """It is over: done, or failed with a code."""
    await connection.execute(_FINISH, held.id, held.token, error)
