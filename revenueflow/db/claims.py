"""Queries on judged claims."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import orjson

from revenueflow.db.direct import Connection

_BY_IDS = "SELECT id, lead_id, field, value, verdict FROM claims WHERE id = ANY($1::uuid[])"


async def by_ids(connection: Connection, ids: Sequence[UUID]) -> dict[UUID, dict[str, Any]]:
    """lead_id, field, value and verdict of claims, by their id."""
    found = await connection.fetch(_BY_IDS, ids)
    return {row["id"]: {**row, "value": None if row["value"] is None else orjson.loads(row["value"])} for row in found}
