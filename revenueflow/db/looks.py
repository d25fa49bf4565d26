"""Queries on what the CRM was asked about leads that wait for a first touch."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from revenueflow.db.session import Session
from revenueflow.domain.touches import WORKED

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
    UPDATE sla_timers SET unanswered_since = NULL, crm_status = :status WHERE id = :id
""")
_UNANSWERED = text("UPDATE sla_timers SET unanswered_since = coalesce(unanswered_since, now()) WHERE id = :id")
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


async def answered(session: Session, timer_id: UUID, status: str) -> None:
    """The CRM shows no touch; where the record stands."""
    await session.execute(_ANSWERED, {"id": timer_id, "status": status})


async def unanswered(session: Session, timer_id: UUID) -> None:
    """The CRM did not answer; since when it does not, is kept."""
    await session.execute(_UNANSWERED, {"id": timer_id})
