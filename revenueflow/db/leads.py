"""Queries on leads."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from revenueflow.db.models import leads
from revenueflow.db.session import Session


async def upsert(session: Session, lead_id: UUID, columns: Mapping[str, object]) -> None:
    """Writes a lead as capture folded it; makes the row at the first run. An erased lead stays as it is."""
    new = insert(leads).values(id=lead_id, **columns)
    changed = {name: new.excluded[name] for name in columns} | {"updated_at": func.now()}
    await session.execute(
        new.on_conflict_do_update(index_elements=[leads.c.id], set_=changed, where=leads.c.erased_at.is_(None))
    )


async def change(session: Session, lead_id: UUID, columns: Mapping[str, object]) -> None:
    """Sets columns of a lead that exists and is not erased."""
    await session.execute(
        update(leads).where(leads.c.id == lead_id, leads.c.erased_at.is_(None)).values(**columns, updated_at=func.now())
    )


async def get(session: Session, lead_id: UUID) -> dict[str, Any] | None:
    """All columns of a lead."""
    found = (await session.execute(select(leads).where(leads.c.id == lead_id))).mappings().first()
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
    query = select(leads).order_by(leads.c.received_at.desc(), leads.c.id.desc()).limit(limit)
    if before:
        query = query.where(tuple_(leads.c.received_at, leads.c.id) < tuple_(*before))
    if campaign_id:
        query = query.where(leads.c.campaign_id == campaign_id)
    if status:
        query = query.where(leads.c.status == status)
    return [dict(row) for row in (await session.execute(query)).mappings()]


async def finished(session: Session, lead_id: UUID) -> None:
    """A run over the lead has ended well."""
    values = {"status": "processed", "processed_at": func.now(), "updated_at": func.now()}
    await session.execute(update(leads).where(leads.c.id == lead_id, leads.c.erased_at.is_(None)).values(values))
