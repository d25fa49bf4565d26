"""Queries on the audit trail: appending through the one function that may, reading through the view."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

from revenueflow.db.direct import Connection
from revenueflow.db.session import Session

_APPEND = text("SELECT audit_append(:events)").bindparams(bindparam("events", type_=JSONB))
_EVERY = text("""
    SELECT id, ts, actor, action, outcome, lead_id, job_id, action_key, trace_id, detail, leaf_hash
    FROM audit_events ORDER BY ts, id
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


async def every(session: Session) -> AsyncIterator[dict[str, Any]]:
    """All events with their leaf hash, as they are stored, without holding them all in memory."""
    async with session.stream(_EVERY) as found:
        async for row in found.mappings():
            yield dict(row)
