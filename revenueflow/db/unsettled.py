"""Queries on writes whose outcome is open. Only the ledger and the reconciler call them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Text, bindparam, text

from revenueflow.db.session import Session

_DOUBT = text("UPDATE actions SET state = 'unknown', error = :error WHERE action_key = :key AND state = 'sent'")
_ABSENT = text("""
    UPDATE actions SET state = 'unknown', error = 'absent', absent_at = coalesce(absent_at, now())
    WHERE action_key = :key AND state IN ('sent', 'unknown')
    RETURNING extract(epoch FROM now() - absent_at)
""")
# Each look moves an action to the end of the line: one that can't be settled holds up none of the others.
_OPEN = text("""
    UPDATE actions SET looked_at = now() WHERE action_key IN (
        SELECT action_key FROM actions a
        WHERE state IN ('sent', 'unknown') AND tool = ANY(:tools)
          AND coalesce(looked_at, sent_at) < now() - make_interval(secs => :quiet)
          AND NOT EXISTS (SELECT FROM jobs WHERE id = a.job_id AND state = 'leased' AND lease_until > now())
        ORDER BY looked_at NULLS FIRST, sent_at LIMIT :limit FOR UPDATE SKIP LOCKED)
    RETURNING *
""").bindparams(bindparam("tools", type_=ARRAY(Text)))


async def doubt(session: Session, key: UUID, error: str) -> bool:
    """The write may or may not have been executed: only reading back tells. False if that was known before."""
    return (await session.execute(_DOUBT, {"key": key, "error": error})).rowcount == 1


async def seen_absent(session: Session, key: UUID) -> float | None:
    """Reading back found nothing: seconds since that was first seen, by the database's clock; None if settled."""
    found = (await session.execute(_ABSENT, {"key": key})).scalar()
    return None if found is None else float(found)


async def open_actions(
    session: Session, tools: Sequence[str], *, quiet: float, limit: int = 100
) -> list[dict[str, Any]]:
    """Writes that have been open, and not looked at, for `quiet` seconds, and whose job nobody works on."""
    values = {"tools": list(tools), "quiet": quiet, "limit": limit}
    return [dict(row) for row in (await session.execute(_OPEN, values)).mappings()]
