"""Queries on leads that got another owner, of whom the CRM has not been told: one row for a lead, until it was.

Whoever tells has claimed the row: its `next_at` is moved into the future, and it ends only under that very time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text

from revenueflow.db.session import Session

# Another move takes the place of one that is not told yet, under an id of its own; who is telling it goes first.
_OWE = text("""
    INSERT INTO owner_moves (lead_id, owner_id, owner_name, reason)
    SELECT lead_id, :owner_id, :owner_name, :reason FROM unnest(CAST(:ids AS uuid[])) AS lead_id
    ON CONFLICT (lead_id) DO UPDATE SET id = excluded.id, owner_id = excluded.owner_id, reason = excluded.reason,
        owner_name = excluded.owner_name, made_at = now(), next_at = greatest(owner_moves.next_at, now())
""")
_CLAIM = text("""
    UPDATE owner_moves SET next_at = now() + make_interval(secs => :hold)
    WHERE id IN (SELECT id FROM owner_moves WHERE next_at <= now() ORDER BY next_at LIMIT 1 FOR UPDATE SKIP LOCKED)
      AND NOT EXISTS (SELECT FROM controls WHERE name = 'paused')
    RETURNING *, now() AS now
""")
_LATER = text("""
    UPDATE owner_moves SET next_at = now() + make_interval(secs => :after) WHERE id = :id AND next_at = :next_at
""")
_SETTLED = text("DELETE FROM owner_moves WHERE id = :id AND next_at = :next_at")
_RUN = text("SELECT state FROM jobs WHERE lead_id = :lead_id ORDER BY created_at DESC, id DESC LIMIT 1")
_TASK = text("""
    SELECT action_key, args ->> 'subject' AS subject, args ->> 'body' AS body FROM actions
    WHERE record_key = :record_key AND tool = 'create_task' AND caller = 'pipeline' AND state = 'confirmed'
      AND args ->> 'subject' IS NOT NULL AND args ->> 'body' IS NOT NULL
    ORDER BY planned_at DESC LIMIT 1
""")


async def owe(session: Session, ids: Sequence[UUID], owner_id: str, owner_name: str, reason: str) -> None:
    """These leads have this owner now, and the CRM is to be told."""
    if ids:
        owner = {"owner_id": owner_id, "owner_name": owner_name, "reason": reason}
        await session.execute(_OWE, {"ids": list(ids), **owner})


async def claim(session: Session, *, hold: float) -> dict[str, Any] | None:
    """Takes the move that has waited longest, for `hold` seconds: all columns, and the database's `now`.

    None while everything is paused.
    """
    found = (await session.execute(_CLAIM, {"hold": hold})).mappings().first()
    return dict(found) if found else None


async def later(session: Session, move: Mapping[str, Any], after: float) -> None:
    """Look again after so many seconds."""
    await session.execute(_LATER, {"id": move["id"], "next_at": move["next_at"], "after": after})


async def settled(session: Session, move: Mapping[str, Any]) -> bool:
    """There is nothing left to tell. False if the move is not ours any more."""
    result = await session.execute(_SETTLED, {"id": move["id"], "next_at": move["next_at"]})
    return bool(result.rowcount == 1)


async def run_of(session: Session, lead_id: UUID) -> str | None:
    """The state of the lead's newest job."""
    state: str | None = (await session.execute(_RUN, {"lead_id": lead_id})).scalar()
    return state


async def task(session: Session, record_key: UUID) -> dict[str, Any] | None:
    """The follow-up task as a run wrote it (action_key, subject, body); None if there is none, or it was forgotten."""
    found = (await session.execute(_TASK, {"record_key": record_key})).mappings().first()
    return dict(found) if found else None
