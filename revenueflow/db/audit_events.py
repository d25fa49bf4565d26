"""Queries on the audit trail: appending through the one function that may, reading through the view."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

from revenueflow.db.direct import Connection
from revenueflow.db.session import Session

_APPEND = text("SELECT audit_append(:events)").bindparams(bindparam("events", type_=JSONB))
_PAGE = text("""
    SELECT * FROM audit_trail
    WHERE (CAST(:ts AS timestamptz) IS NULL OR (ts, id) < (CAST(:ts AS timestamptz), CAST(:id AS uuid)))
      AND (CAST(:since AS timestamptz) IS NULL OR ts >= :since)
      AND (CAST(:lead_id AS uuid) IS NULL OR lead_id = :lead_id)
      AND (CAST(:action AS text) IS NULL OR action = :action)
    ORDER BY ts DESC, id DESC LIMIT :limit
""")
_OF_LEAD = text("SELECT * FROM audit_trail WHERE lead_id = :lead_id ORDER BY ts, id")


async def append(session: Session, events: list[dict[str, Any]]) -> None:
    """Appends events, each with all columns of audit_events as JSON (leaf_hash in hex)."""
    await session.execute(_APPEND, {"events": events})


async def append_direct(connection: Connection, events: list[dict[str, Any]]) -> None:
    """The same, on a direct connection."""
    await connection.execute("SELECT audit_append($1::jsonb)", orjson.dumps(events).decode())


async def of_lead(session: Session, lead_id: UUID) -> list[dict[str, Any]]:
    """All events about a lead, oldest first."""
    return [dict(found) for found in (await session.execute(_OF_LEAD, {"lead_id": lead_id})).mappings()]


async def page(
    session: Session,
    *,
    limit: int,
    before: Sequence[Any] | None = None,
    since: datetime | None = None,
    lead_id: UUID | None = None,
    action: str | None = None,
) -> list[dict[str, Any]]:
    """Events, newest first, from before (ts, id) on."""
    ts, event_id = before or (None, None)
    given = {"ts": ts, "id": event_id, "since": since, "lead_id": lead_id, "action": action, "limit": limit}
    return [dict(found) for found in (await session.execute(_PAGE, given)).mappings()]
