"""Queries on deliveries: the ingress write, and what capture reads."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from sqlalchemy import ARRAY, LargeBinary, Text, Uuid, bindparam, text

from revenueflow.db.session import Session


class NewDelivery(NamedTuple):
    """A row to insert. `parsed` is what we understood, None in quarantine."""

    id: UUID
    source: str
    delivery_key: str
    raw: bytes
    body_sha256: bytes
    content_type: str
    parsed: dict[str, Any] | None
    lead_id: UUID | None
    identity_key: str | None
    outcome: str
    reason: str | None
    trace_id: str


class KnownDelivery(NamedTuple):
    """What tells a repeated delivery from another one under the same key. No lead: it is in quarantine."""

    body_sha256: bytes
    lead_id: UUID | None


class StoredDelivery(NamedTuple):
    """What capture folds into the lead."""

    id: UUID
    source: str
    delivery_key: str
    parsed: dict[str, Any]
    identity_key: str
    received_at: datetime
    outcome: str


# unnest() keeps the statement the same for any number of rows, so it is prepared once.
_INSERT = text("""
    INSERT INTO deliveries (id, source, delivery_key, raw, body_sha256, content_type, parsed, lead_id, identity_key,
                            outcome, reason, trace_id)
    SELECT id, source, delivery_key, raw, body_sha256, content_type, parsed::jsonb, lead_id, identity_key,
           outcome, reason, trace_id
    FROM unnest(:id, :source, :delivery_key, :raw, :body_sha256, :content_type, :parsed, :lead_id, :identity_key,
                :outcome, :reason, :trace_id)
         AS new(id, source, delivery_key, raw, body_sha256, content_type, parsed, lead_id, identity_key,
                outcome, reason, trace_id)
    ON CONFLICT (source, delivery_key) DO NOTHING
    RETURNING id
""").bindparams(
    *(bindparam(name, type_=ARRAY(Uuid)) for name in ("id", "lead_id")),
    *(bindparam(name, type_=ARRAY(LargeBinary)) for name in ("raw", "body_sha256")),
    *(
        bindparam(name, type_=ARRAY(Text))
        for name in (
            "source", "delivery_key", "content_type", "parsed", "identity_key", "outcome", "reason", "trace_id",
        )
    ),
)  # fmt: skip

_KNOWN = text("SELECT id, body_sha256, lead_id FROM deliveries WHERE id = ANY(:ids)").bindparams(
    bindparam("ids", type_=ARRAY(Uuid))
)

_OF_LEAD = text("""
    SELECT id, source, delivery_key, parsed, identity_key, received_at, outcome FROM deliveries
    WHERE lead_id = :lead_id AND outcome <> 'quarantined' ORDER BY received_at, id
""")

_FIRST = text("""
    SELECT d.parsed, d.received_at, d.source, j.state FROM deliveries d
    LEFT JOIN LATERAL (SELECT state FROM jobs WHERE lead_id = d.lead_id ORDER BY created_at DESC LIMIT 1) j ON true
    WHERE d.lead_id = :lead_id ORDER BY d.received_at, d.id LIMIT 1
""")

_QUARANTINED = text("""
    SELECT id, source, reason, content_type, octet_length(raw) AS bytes, received_at FROM deliveries
    WHERE outcome = 'quarantined' ORDER BY received_at DESC LIMIT :limit
""")


async def insert(session: Session, rows: Sequence[NewDelivery]) -> set[UUID]:
    """Inserts the rows whose (source, delivery_key) is new; returns the ids of those."""
    columns: dict[str, list[Any]] = {
        name: list(values) for name, values in zip(NewDelivery._fields, zip(*rows, strict=True), strict=True)
    }
    columns["parsed"] = [None if value is None else orjson.dumps(value).decode() for value in columns["parsed"]]
    return set((await session.execute(_INSERT, columns)).scalars())


async def known(session: Session, ids: Sequence[UUID]) -> dict[UUID, KnownDelivery]:
    """What is known of each delivery that exists."""
    found = await session.execute(_KNOWN, {"ids": list(ids)})
    return {row.id: KnownDelivery(row.body_sha256, row.lead_id) for row in found}


async def of_lead(session: Session, lead_id: UUID) -> list[StoredDelivery]:
    """A lead's deliveries in the order in which capture folds them."""
    found = await session.execute(_OF_LEAD, {"lead_id": lead_id})
    return [StoredDelivery(*row) for row in found]


async def first_of_lead(session: Session, lead_id: UUID) -> dict[str, Any] | None:
    """The first delivery of a lead and the state of its job: all that is known before capture."""
    found = (await session.execute(_FIRST, {"lead_id": lead_id})).mappings().first()
    return dict(found) if found else None


async def quarantined(session: Session, limit: int) -> list[dict[str, Any]]:
    """What could not be understood, newest first, without its content."""
    return [dict(row) for row in (await session.execute(_QUARANTINED, {"limit": limit})).mappings()]
