"""Queries on leads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import case, func, literal_column, select, true, tuple_, update

from revenueflow.db.direct import Connection
from revenueflow.db.models import jobs, leads, reviews, scores
from revenueflow.db.rows import encoded, insert, recordset
from revenueflow.db.session import Session

STOPPED = ("dead", "parked")
ADDED = frozenset({"cost"})
"""Columns of which a run writes its own share."""
_OPEN = select(reviews.c.id).where(reviews.c.lead_id == leads.c.id, reviews.c.state == "open").limit(1)
_LATEST = select(scores.c.not_understood).where(scores.c.lead_id == leads.c.id)
_NOT_UNDERSTOOD = _LATEST.order_by(scores.c.scored_at.desc(), scores.c.id.desc()).limit(1).scalar_subquery()
_JOB = select(jobs.c.state, jobs.c.error_class).where(jobs.c.lead_id == leads.c.id)
_NEWEST = _JOB.order_by(jobs.c.created_at.desc()).limit(1).lateral("newest")
_WHY = case((_NEWEST.c.state.in_(STOPPED), _NEWEST.c.error_class))
_SELECT = select(
    leads,
    _OPEN.scalar_subquery().label("review_id"),
    func.coalesce(_NOT_UNDERSTOOD, literal_column("'[]'::jsonb")).label("not_understood"),
    _WHY.label("stopped_because"),
).select_from(leads.outerjoin(_NEWEST, true()))


async def write(connection: Connection, changes: Sequence[tuple[UUID, Mapping[str, object]]]) -> None:
    """Sets columns of many leads; those with an identity_key come from capture, which makes the row at the first run.

    An erased lead stays as it is.
    """
    groups: dict[tuple[str, ...], list[dict[str, object]]] = {}
    for lead_id, columns in changes:
        if columns:
            groups.setdefault(tuple(columns), []).append({"id": lead_id, **columns})
    for names, rows in groups.items():
        rows.sort(key=lambda row: str(row["id"]))
        if "identity_key" in names:
            await connection.execute(_upsert(names), encoded(rows))
        else:
            await connection.execute(_update(names), encoded(rows), [row["id"] for row in rows])


@cache
def _upsert(names: tuple[str, ...]) -> str:
    fresh = ", ".join(f"{name} = excluded.{name}" for name in names)
    return (
        insert(leads, ("id", *names))
        + f" ON CONFLICT (id) DO UPDATE SET {fresh}, updated_at = now() WHERE leads.erased_at IS NULL"
    )


@cache
def _update(names: tuple[str, ...]) -> str:
    fresh = ", ".join(f"{name} = {f'leads.{name} + ' if name in ADDED else ''}new.{name}" for name in names)
    return (
        f"UPDATE leads SET {fresh}, updated_at = now() FROM {recordset(leads, ('id', *names))} "  # noqa: S608 constants
        # Said twice, or a plan that was made while the table was small goes through all of it.
        "WHERE leads.id = new.id AND leads.id = ANY($2::uuid[]) AND leads.erased_at IS NULL"
    )


async def change(session: Session, lead_id: UUID, columns: Mapping[str, object]) -> None:
    """Sets columns of a lead that exists and is not erased."""
    await session.execute(
        update(leads).where(leads.c.id == lead_id, leads.c.erased_at.is_(None)).values(**columns, updated_at=func.now())
    )


async def get(session: Session, lead_id: UUID) -> dict[str, Any] | None:
    """All columns of a lead, and the id of its open review, if there is one.

    `not_understood`: the facts of its newest score that nobody could read; `stopped_because`: the code of why its
    newest job is parked or dead.
    """
    found = (await session.execute(_SELECT.where(leads.c.id == lead_id))).mappings().first()
    return dict(found) if found else None


async def page(
    session: Session,
    *,
    limit: int,
    before: tuple[datetime, UUID] | None = None,
    campaign_id: str | None = None,
    status: str | None = None,
) -> list[dict[str, Any]]:
    """Newest first, by keyset: `before` is (received_at, id) of the last lead of the page before."""
    query = _SELECT.order_by(leads.c.received_at.desc(), leads.c.id.desc()).limit(limit)
    if before:
        query = query.where(tuple_(leads.c.received_at, leads.c.id) < tuple_(*before))
    if campaign_id:
        query = query.where(leads.c.campaign_id == campaign_id)
    if status:
        query = query.where(leads.c.status == status)
    return [dict(row) for row in (await session.execute(query)).mappings()]


async def domain_of(connection: Connection, lead_id: UUID) -> str | None:
    """The domain of a lead's company; None too for a lead that we don't have."""
    domain: str | None = await connection.fetchval("SELECT domain FROM leads WHERE id = $1", lead_id)
    return domain


async def campaign_of(connection: Connection, lead_id: UUID) -> str | None:
    """The campaign that a lead is in; None if there is no such lead."""
    found: str | None = await connection.fetchval("SELECT campaign_id FROM leads WHERE id = $1", lead_id)
    return found
