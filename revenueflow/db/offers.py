"""Queries on offers. One is never changed, but it can be withdrawn: who wants another makes another."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select, tuple_, update

from revenueflow.db.direct import Connection
from revenueflow.db.models import offers
from revenueflow.db.session import Session

# That of the campaign goes before one for all; then the newest.
_CURRENT = """
    SELECT name, value_propositions, ideal_use_cases, profile FROM offers
    WHERE (campaign_id = $1 OR campaign_id IS NULL) AND withdrawn_at IS NULL
    ORDER BY campaign_id IS NULL, created_at DESC, id DESC LIMIT 1
"""


async def add(session: Session, values: dict[str, Any]) -> dict[str, Any]:
    """A new offer, as it is stored."""
    return dict((await session.execute(insert(offers).values(**values).returning(offers))).mappings().one())


async def page(session: Session, *, limit: int, before: UUID | None = None) -> list[dict[str, Any]]:
    """Newest first, by keyset: `before` is the id of the last one of the page before."""
    query = select(offers).order_by(offers.c.id.desc()).limit(limit)
    if before:
        query = query.where(tuple_(offers.c.id) < tuple_(before))
    return [dict(row) for row in (await session.execute(query)).mappings()]


async def get(session: Session, id_: UUID) -> dict[str, Any] | None:
    """One offer."""
    found = (await session.execute(select(offers).where(offers.c.id == id_))).mappings().first()
    return dict(found) if found else None


async def withdraw(session: Session, id_: UUID) -> bool:
    """Withdraws an offer, once; whether there is one."""
    at = func.coalesce(offers.c.withdrawn_at, func.now())
    changed = await session.execute(
        update(offers).where(offers.c.id == id_).values(withdrawn_at=at).returning(offers.c.id)
    )
    return changed.first() is not None


async def current(connection: Connection, campaign_id: str) -> dict[str, Any] | None:
    """The offer that the leads of a campaign are judged by: its lists as JSON texts."""
    found = await connection.fetchrow(_CURRENT, campaign_id)
    return dict(found) if found else None
