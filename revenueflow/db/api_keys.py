"""Queries on API keys. A key is stored as its SHA-256 only: it has 256 random bits, so no salt is needed."""

from __future__ import annotations

import secrets
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert

from revenueflow.db.models import api_keys
from revenueflow.db.session import Session

ROLES = ("ingest", "reader", "operator", "auditor", "agent", "admin")


def new_key() -> str:
    """A fresh key, `rf_…`: shown once, never stored."""
    return "rf_" + secrets.token_urlsafe(32)


def digest(key: str) -> bytes:
    """What is stored of a key."""
    return sha256(key.encode()).digest()


async def add(session: Session, key: str, *, role: str, name: str) -> UUID | None:
    """Stores a key's digest; None if it is there already."""
    row = {"key_sha256": digest(key), "prefix": key[:7], "role": role, "name": name}
    new = insert(api_keys).values(**row).on_conflict_do_nothing().returning(api_keys.c.id)
    key_id: UUID | None = (await session.execute(new)).scalar_one_or_none()
    return key_id


async def find(session: Session, key: str) -> dict[str, Any] | None:
    """id, role and name of a key that is not revoked."""
    query = select(api_keys.c.id, api_keys.c.role, api_keys.c.name).where(
        api_keys.c.key_sha256 == digest(key), api_keys.c.revoked_at.is_(None)
    )
    found = (await session.execute(query)).mappings().first()
    return dict(found) if found else None


async def list_all(session: Session) -> list[dict[str, Any]]:
    """Every key, without its digest."""
    columns = [column for column in api_keys.c if column.name != "key_sha256"]
    found = await session.execute(select(*columns).order_by(api_keys.c.created_at))
    return [dict(row) for row in found.mappings()]


async def revoke(session: Session, key_id: UUID) -> bool:
    """Ends a key; False if there is none with this id, or it was ended before."""
    ended = update(api_keys).where(api_keys.c.id == key_id, api_keys.c.revoked_at.is_(None))
    return (await session.execute(ended.values(revoked_at=func.now()))).rowcount == 1
