"""Queries on what the CRM was asked about leads that wait for a first touch."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from revenueflow.db.session import Session
from revenueflow.domain.touches import WORKED

GAP = 120.0
"""Seconds between two questions without an answer, after which they are no longer one silence."""

# An overdue timer whose days are over by the next look is put out of the way of the others.
_CLAIM = text("""
    UPDATE sla_timers SET look_at = CASE
        WHEN state = 'overdue'
         AND now() + greatest(make_interval(mins => :every), (now() - started_at) / 10)
           > due_at + make_interval(days => :days) THEN now() + interval '100 years'
        ELSE now() + greatest(make_interval(mins => :every), (now() - started_at) / 10) END
    WHERE id IN (
        SELECT id FROM sla_timers
        WHERE state IN ('open', 'overdue') AND coalesce(look_at, started_at) <= now()
          AND (look_at IS NOT NULL OR started_at <= now() - make_interval(mins => :every))
          AND (state = 'open' OR due_at > now() - make_interval(days => :days))
        ORDER BY coalesce(look_at, started_at) LIMIT 1 FOR UPDATE SKIP LOCKED)
      AND NOT EXISTS (SELECT FROM controls WHERE name = 'paused')
    RETURNING *
""")
_ANSWERED = text("""
    UPDATE sla_timers SET unanswered_since = NULL, unanswered_at = NULL, crm_status = :status WHERE id = :id
""")
_UNANSWERED = text("""
    UPDATE sla_timers SET unanswered_at = now(), unanswered_since = CASE
        WHEN unanswered_at > now() - make_interval(secs => :gap) THEN coalesce(unanswered_since, now()) ELSE now() END
    WHERE id = :id
""")
_SILENT = text("""
    INSERT INTO crm_silence AS known (asker) VALUES ('looks') ON CONFLICT (asker) DO UPDATE SET last_at = now(),
        since = CASE WHEN known.last_at > now() - make_interval(secs => :gap) THEN known.since ELSE now() END
""")
_HEARD = text("DELETE FROM crm_silence")
_SILENT_FOR = text("""
    SELECT extract(epoch FROM now() - least(
        (SELECT unanswered_since FROM sla_timers
         WHERE id = :id AND unanswered_at > now() - make_interval(secs => :gap)),
        (SELECT since FROM crm_silence WHERE last_at > now() - make_interval(secs => :gap))))
""")
_TURN = text("""
    UPDATE sla_timers SET look_at = now() + make_interval(secs => :after) WHERE id = :id AND look_at = :look_at
""")
_THROUGH_TOOLS = text("""
    SELECT CASE tool WHEN 'log_activity' THEN (args ->> 'happened_at')::timestamptz ELSE sent_at END AS at, tool
    FROM actions
    WHERE lead_id = :lead_id AND state = 'confirmed' AND sent_at IS NOT NULL AND (
        tool = 'convert_lead'
        OR (tool = 'update_lead_status' AND args ->> 'status' = ANY(:worked))
        OR (tool = 'log_activity' AND args ->> 'kind' IN ('call', 'email', 'meeting')
            AND args ->> 'happened_at' IS NOT NULL))
""")


async def through_tools(session: Session, lead_id: UUID) -> list[tuple[datetime, str]]:
    """When people and agents worked a lead with our own tools, which no run does, and with which."""
    found = await session.execute(_THROUGH_TOOLS, {"lead_id": lead_id, "worked": list(WORKED)})
    return [(row.at, row.tool) for row in found]


async def claim(session: Session, *, every: int, days: int) -> dict[str, Any] | None:
    """The running timer whose look into the CRM has been due for longest; all its columns.

    The first is due after `every` minutes, the next after as many or a tenth of what the timer has run, whichever is
    more: until then nobody else takes it. An overdue one only for so many `days`. None while everything is paused.
    """
    found = (await session.execute(_CLAIM, {"every": every, "days": days})).mappings().first()
    return dict(found) if found else None


async def not_asked(session: Session, timer: Mapping[str, Any], after: float) -> None:
    """Its look was claimed and could not be made: its turn comes in so many seconds."""
    await session.execute(_TURN, {"id": timer["id"], "look_at": timer["look_at"], "after": after})


async def answered(session: Session, timer_id: UUID, status: str) -> None:
    """The CRM shows no touch; where the record stands."""
    await session.execute(_ANSWERED, {"id": timer_id, "status": status})


async def heard(session: Session) -> None:
    """The CRM answers."""
    await session.execute(_HEARD)


async def unanswered(session: Session, timer_id: UUID, *, away: bool) -> None:
    """There was no answer about this one; `away`: nor would there be one about others. Since when, is kept.

    What was GAP seconds ago or longer does not count: nobody knows what was since.
    """
    await session.execute(_UNANSWERED, {"id": timer_id, "gap": GAP})
    if away:
        await session.execute(_SILENT, {"gap": GAP})


async def silent_for(session: Session, timer_id: UUID) -> float | None:
    """For how many seconds there has been no answer about this one, or about anybody; None if there was one."""
    found = (await session.execute(_SILENT_FOR, {"id": timer_id, "gap": GAP})).scalar()
    return None if found is None else float(found)
