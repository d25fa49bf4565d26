"""Queries on reps, and on the open leads that they have: owned, not touched yet, not erased."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

from revenueflow.db.session import Session

_ALL = text("SELECT id, data, removed_at IS NOT NULL AS removed FROM reps ORDER BY id")
_LOCK = text("LOCK TABLE reps IN SHARE ROW EXCLUSIVE MODE")
_PUT = text("""
    INSERT INTO reps (id, data) VALUES (:id, :data)
    ON CONFLICT (id) DO UPDATE SET data = excluded.data, removed_at = NULL, updated_at = now()
    WHERE reps.data <> excluded.data OR reps.removed_at IS NOT NULL
""").bindparams(bindparam("data", type_=JSONB))
_REMOVE = text("""
    INSERT INTO reps (id, data, removed_at) VALUES (:id, '{}', now())
    ON CONFLICT (id) DO UPDATE SET removed_at = now(), updated_at = now()
""")
_OPEN = text("""
    SELECT owner_id, count(*)::integer AS leads FROM leads
    WHERE owner_id = ANY(:ids) AND first_touch_at IS NULL AND erased_at IS NULL GROUP BY owner_id
""")
_MOVE = text("""
    UPDATE leads SET owner_id = :to, owner_name = :name, routing_rule = 'moved', routing_reason = :reason,
        updated_at = now()
    WHERE owner_id = :from AND first_touch_at IS NULL AND erased_at IS NULL RETURNING id
""")


async def all_(session: Session) -> list[dict[str, Any]]:
    """(id, data, removed) of every rep that was ever stored."""
    return [dict(row) for row in (await session.execute(_ALL)).mappings()]


async def lock(session: Session) -> None:
    """One change at a time; reading goes on."""
    await session.execute(_LOCK)


async def put(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Stores reps (id, data), new or changed; one that was removed is back."""
    if rows:
        await session.execute(_PUT, [dict(row) for row in rows])


async def remove(session: Session, rep_id: str) -> None:
    """Removes a rep, also one that only routing.toml knows."""
    await session.execute(_REMOVE, {"id": rep_id})


async def open_leads(session: Session, ids: Sequence[str]) -> dict[str, int]:
    """How many open leads each of these has, those without any left out."""
    found = await session.execute(_OPEN, {"ids": list(ids)})
    return {row.owner_id: row.leads for row in found}


async def move_leads(session: Session, from_: str, to: str, name: str, reason: str) -> list[Any]:
    """Gives the open leads of one to another; their ids."""
    found = await session.execute(_MOVE, {"from": from_, "to": to, "name": name, "reason": reason})
    return [row.id for row in found]
