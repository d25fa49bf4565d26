"""Queries on judged claims."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select

from revenueflow.db.models import claims
from revenueflow.db.session import Session


async def by_ids(session: Session, ids: Sequence[UUID]) -> dict[UUID, dict[str, Any]]:
    """lead_id, field, value and verdict of claims, by their id."""
    columns = (claims.c.id, claims.c.lead_id, claims.c.field, claims.c.value, claims.c.verdict)
    found = await session.execute(select(*columns).where(claims.c.id.in_(ids)))
    return {row["id"]: dict(row) for row in found.mappings()}
