"""Queries for what is stored about a person: as stored, and found by the data map."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import orjson

from revenueflow.db.direct import Connection
from revenueflow.privacy.data_map import MAP

_TABLES = {table: held.rows for table, held in MAP.items() if held.personal and held.rows}
_LOOKUPS = """
    SELECT to_jsonb(one) FROM (
        SELECT provider, lookup, findings, answered_at FROM lookups WHERE key_hmac = ANY($1::bytea[])) one
"""
_ANALYSES = """
    SELECT to_jsonb(one) FROM (
        SELECT DISTINCT ON (key_hmac) analyst, model, answer, expires_at
        FROM analyses JOIN analysis_uses USING (key_hmac) WHERE lead_id = ANY($1::uuid[])) one
"""
_AUDIT = "SELECT to_jsonb(one) FROM audit_trail one WHERE lead_id = ANY($1::uuid[]) ORDER BY ts, id"


async def stored(connection: Connection, leads: Sequence[UUID], lookups: Sequence[bytes]) -> dict[str, list[Any]]:
    """Rows as JSON, by table. Bytes are `\\\\x` and hexadecimal digits."""
    found = {
        table: await _rows(connection, f"SELECT to_jsonb({table}) FROM {table} WHERE {rows}", leads)  # noqa: S608
        for table, rows in _TABLES.items()
    }
    found["lookups"] = await _rows(connection, _LOOKUPS, lookups)
    found["analyses"] = await _rows(connection, _ANALYSES, leads)
    found["audit_trail"] = await _rows(connection, _AUDIT, leads)
    return found


async def _rows(connection: Connection, query: str, value: Sequence[object]) -> list[Any]:
    return [orjson.loads(row[0]) for row in await connection.fetch(query, value)]
