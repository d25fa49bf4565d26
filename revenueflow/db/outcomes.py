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
_CONVERSIONS = text("""
    SELECT l.owner_id, l.country, l.facts -> 'industry' ->> 'value' AS industry,
           l.facts -> 'headcount' ->> 'band' AS band, l.tier, count(*) AS leads, count(l.first_touch_at) AS touched,
           count(*) FILTER (WHERE o.met) AS met, count(*) FILTER (WHERE o.decided) AS decided,
           count(*) FILTER (WHERE o.converted) AS converted, count(*) FILTER (WHERE o.won) AS won
    FROM leads l LEFT JOIN LATERAL (
        SELECT bool_or(kind = 'meeting') AS met, bool_or(kind IN ('converted', 'won', 'lost')) AS decided,
               bool_or(kind IN ('converted', 'won')) AS converted, bool_or(kind = 'won') AS won
        FROM outcomes WHERE lead_id = l.id) o ON true
    WHERE l.owner_id IS NOT NULL AND l.erased_at IS NULL AND l.received_at >= :since
    GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5
""")


class Conversion(NamedTuple):
    """Leads of one rep in one segment, and how far they came. A part of the segment that is not known is None.

    `decided` counts leads that were converted, won or lost, `converted` those that were converted or won. A lead counts
    for whoever owns it now.
    """

    owner_id: str
    country: str | None
    industry: str | None
    band: str | None
    tier: str | None
    leads: int
    touched: int
    met: int
    decided: int
    converted: int
    won: int


async def conversions(session: Session, since: datetime) -> list[Conversion]:
    """Counts per rep and segment, of the leads received since then. Not smoothed."""
    found = await session.execute(_CONVERSIONS, {"since": since})
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
