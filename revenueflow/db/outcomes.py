"""Queries on what sales did with leads: added, never changed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import select, text, tuple_
from sqlalchemy.dialects.postgresql import insert

from revenueflow.db.models import leads, outcomes
from revenueflow.db.session import Session

_SUBJECT = (leads.c.received_at, leads.c.first_touch_at, leads.c.stage, leads.c.owner_id, leads.c.erased_at)
# From what was decided, which is little, to its leads: not from all leads.
_CONVERSIONS = text("""
    SELECT l.owner_id, l.facts -> 'industry' ->> 'value' AS industry, l.facts -> 'headcount' ->> 'band' AS band,
           count(*) AS decided, count(*) FILTER (WHERE o.converted) AS converted
    FROM (
        SELECT lead_id, bool_or(kind IN ('converted', 'won')) AS converted FROM outcomes
        WHERE kind IN ('converted', 'won', 'lost') AND recorded_at >= now() - make_interval(days => :days)
        GROUP BY lead_id) o JOIN leads l ON l.id = o.lead_id
    WHERE l.owner_id IS NOT NULL AND l.erased_at IS NULL
    GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
""")


class Conversion(NamedTuple):
    """Leads of one rep in one segment that were decided (converted, won or lost), and those converted or won of them.

    A part of the segment that is not known is None. A lead counts for whoever owns it now.
    """

    owner_id: str
    industry: str | None
    band: str | None
    decided: int
    converted: int


async def conversions(session: Session, days: int) -> list[Conversion]:
    """Counts per rep and segment, of what was told in the last `days`. Not smoothed."""
    found = await session.execute(_CONVERSIONS, {"days": days})
    return [Conversion(**row) for row in found.mappings()]


async def subject(session: Session, lead_id: UUID) -> dict[str, Any] | None:
    """What an outcome is held against (received_at, first_touch_at, stage, owner_id, erased_at, now); locks the lead.

    `now` is the database's.
    """
    query = select(*_SUBJECT, text("clock_timestamp() AS now")).where(leads.c.id == lead_id).with_for_update()
    found = (await session.execute(query)).mappings().first()
    return dict(found) if found else None


async def add(session: Session, row: Mapping[str, Any]) -> bool:
    """Adds an outcome; False if it was there."""
    query = insert(outcomes).values(**row).on_conflict_do_nothing().returning(outcomes.c.id)
    return (await session.execute(query)).first() is not None


async def of_lead(session: Session, lead_id: UUID) -> list[dict[str, Any]]:
    """The history of a lead, in the order in which it happened."""
    query = select(outcomes).where(outcomes.c.lead_id == lead_id).order_by(outcomes.c.happened_at, outcomes.c.id)
    return [dict(row) for row in (await session.execute(query)).mappings()]


async def page(
    session: Session, *, limit: int, before: tuple[datetime, UUID] | None = None, lead_id: UUID | None = None
) -> list[dict[str, Any]]:
    """What was recorded last comes first: `before` is (recorded_at, id) of the last one of the page before."""
    query = select(outcomes).order_by(outcomes.c.recorded_at.desc(), outcomes.c.id.desc()).limit(limit)
    if before:
        query = query.where(tuple_(outcomes.c.recorded_at, outcomes.c.id) < tuple_(*before))
    if lead_id:
        query = query.where(outcomes.c.lead_id == lead_id)
    return [dict(row) for row in (await session.execute(query)).mappings()]
