"""Queries on the mock CRM's records."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import orjson

from revenueflow.db.direct import Connection
from revenueflow.db.rows import encoded

# Nothing is written about somebody who was erased while the write was under way.
_PUT = """
    INSERT INTO mock_crm_records (object_type, record_key, crm_id, fields)
    VALUES ($1, $2, 'mock-' || replace(uuidv7()::text, '-', ''), CASE WHEN (
        SELECT coalesce(bool_and(erased_at IS NOT NULL), false) FROM actions JOIN leads ON leads.id = lead_id
        WHERE record_key = $2) THEN '{}' ELSE $3::jsonb END)
    ON CONFLICT (object_type, record_key)
    DO UPDATE SET fields = mock_crm_records.fields || excluded.fields, updated_at = now()
    RETURNING crm_id, fields
"""
_GET = "SELECT crm_id, fields FROM mock_crm_records WHERE object_type = $1 AND record_key = $2"


async def put(connection: Connection, object_type: str, key: UUID, fields: dict[str, Any]) -> dict[str, Any]:
    """Merges fields into a record, or makes it; returns crm_id and all fields. One statement."""
    return _decoded(await connection.fetchrow(_PUT, object_type, key, encoded(fields)))


async def get(connection: Connection, object_type: str, key: UUID) -> dict[str, Any] | None:
    """crm_id and fields of a record."""
    found = await connection.fetchrow(_GET, object_type, key)
    return _decoded(found) if found else None


def _decoded(row: Mapping[str, Any]) -> dict[str, Any]:
    return {"crm_id": row["crm_id"], "fields": orjson.loads(row["fields"])}
