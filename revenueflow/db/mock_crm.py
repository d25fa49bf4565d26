"""Queries on the mock CRM's records."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

from revenueflow.db.session import Session

# Nothing is written about somebody who was erased while the write was under way.
_PUT = text("""
    INSERT INTO mock_crm_records (object_type, record_key, crm_id, fields)
    VALUES (:object_type, :key, 'mock-' || replace(uuidv7()::text, '-', ''), CASE WHEN (
        SELECT coalesce(bool_and(erased_at IS NOT NULL), false) FROM actions JOIN leads ON leads.id = lead_id
        WHERE record_key = :key) THEN '{}' ELSE CAST(:fields AS jsonb) END)
    ON CONFLICT (object_type, record_key)
    DO UPDATE SET fields = mock_crm_records.fields || excluded.fields, updated_at = now()
    RETURNING crm_id, fields
""").bindparams(bindparam("fields", type_=JSONB))
_GET = text("SELECT crm_id, fields FROM mock_crm_records WHERE object_type = :object_type AND record_key = :key")


async def put(session: Session, object_type: str, key: UUID, fields: dict[str, Any]) -> dict[str, Any]:
    """Merges fields into a record, or makes it; returns crm_id and all fields."""
    found = await session.execute(_PUT, {"object_type": object_type, "key": key, "fields": fields})
    return dict(found.mappings().one())


async def get(session: Session, object_type: str, key: UUID) -> dict[str, Any] | None:
    """crm_id and fields of a record."""
    found = (await session.execute(_GET, {"object_type": object_type, "key": key})).mappings().first()
    return dict(found) if found else None
