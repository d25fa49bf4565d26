"""The sealed trail as rows: each event with its place and leaf hash. Whoever has all can compute the root."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from revenueflow.audit.events import plain
from revenueflow.db import audit_log
from revenueflow.db.audit_log import EVENT
from revenueflow.db.direct import Connection

COLUMNS: Final = ("seq", *EVENT, "leaf_hash")


async def exported(
    connection: Connection, *, since: datetime | None = None, lead_id: UUID | None = None
) -> AsyncIterator[dict[str, Any]]:
    """The sealed events in the order of their places. Needs a snapshot. Not held in memory."""
    async for row in audit_log.sealed(connection):
        wanted = row["id"] is not None and (since is None or row["ts"] >= since)
        if wanted and (lead_id is None or row["lead_id"] == lead_id):
            yield {"seq": row["seq"]} | plain(row) | {"leaf_hash": row["sealed_hash"].hex()}
