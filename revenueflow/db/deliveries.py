"""Queries on deliveries: the ingress write, and what capture reads."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple, TypeAlias
from uuid import UUID

import orjson
from sqlalchemy import text

from revenueflow.db.direct import Connection
from revenueflow.db.jobs import WANT
from revenueflow.db.session import Session


class NewDelivery(NamedTuple):
    """A row to insert. `parsed` is what we understood, as JSON; None in quarantine.

    `received_at` is for what was spooled; None is the database's now().
    """

    id: UUID
    source: str
    delivery_key: str
    raw: bytes
    body_sha256: bytes
    content_type: str
    parsed: str | None
    lead_id: UUID | None
    identity_key: str | None
    outcome: str
    reason: str | None
    trace_id: str
    received_at: datetime | None = None


class KnownDelivery(NamedTuple):
    """What tells a repeated delivery from another one under the same key. No lead: it is in quarantine."""

    body_sha256: bytes
    lead_id: UUID | None


class LatestDelivery(NamedTuple):
    """The last delivery of an identity in one campaign. `received_at` is None if this source never delivered it."""

    identity_key: str
    campaign_id: str
    received_at: datetime | None
    erased: bool


Erased: TypeAlias = Literal["dropped", "held", "leaving"]


class StoredDelivery(NamedTuple):
    """What capture folds into the lead.

    `erased`: its person was; what was received before that is to be dropped, what came later waits for an operator, or
    until what was past its time has left. `buried`: the lead was erased, and its person may come again.
    """

    id: UUID
    source: str
    delivery_key: str
    parsed: dict[str, Any]
    identity_key: str
    received_at: datetime
    outcome: str
    erased: Erased | None = None
    buried: bool = False


_COLUMNS = """id, source, delivery_key, raw, body_sha256, content_type, parsed, lead_id, identity_key, outcome, reason,
    trace_id, received_at"""
# unnest() keeps the statement the same for any number of rows, so it is prepared once. A delivery whose person was
# erased has lost its key, not its id: it is known all the same.
_KEEP = f"""
    INSERT INTO deliveries ({_COLUMNS})
    SELECT id, source, delivery_key, raw, body_sha256, content_type, parsed::jsonb, lead_id, identity_key, outcome,
        reason, trace_id, coalesce(received_at, now())
    FROM unnest($1::uuid[], $2::text[], $3::text[], $4::bytea[], $5::bytea[], $6::text[], $7::text[], $8::uuid[],
                $9::text[], $10::text[], $11::text[], $12::text[], $13::timestamptz[]) AS new({_COLUMNS})
    ON CONFLICT DO NOTHING
"""  # noqa: S608 constants
_INSERT = _KEEP + " RETURNING id"
# What is kept and the job that it calls for, in one statement: one round trip and one commit for a group.
_ACCEPT = f"""
    WITH kept AS ({_KEEP} RETURNING id, lead_id, trace_id),
    wanted AS ({WANT.format(leads="SELECT lead_id, min(trace_id) AS trace_id FROM kept GROUP BY lead_id")})
    SELECT id FROM kept
"""  # noqa: S608 constants

_KNOWN = "SELECT id, body_sha256, lead_id FROM deliveries WHERE id = ANY($1::uuid[])"

_OF_LEAD = """
    SELECT d.id, d.source, d.delivery_key, d.parsed, d.identity_key, d.received_at, d.outcome, CASE
        WHEN d.received_at <= e.erased_at THEN 'dropped'
        WHEN e.erased_at IS NOT NULL AND e.reopened_at IS NULL AND e.erased_by = 'retention' THEN 'leaving'
        WHEN e.erased_at IS NOT NULL AND e.reopened_at IS NULL THEN 'held'
        END AS erased, e.reopened_at IS NOT NULL AND l.erased_at IS NOT NULL AS buried
    FROM deliveries d LEFT JOIN erasures e ON e.key = d.identity_key LEFT JOIN leads l ON l.id = d.lead_id
    WHERE d.lead_id = $1 AND d.outcome <> 'quarantined' AND d.parsed IS NOT NULL ORDER BY d.received_at, d.id
"""

_FIRST = text("""
    SELECT d.parsed, d.received_at, d.source, j.state, j.error_class FROM deliveries d
    LEFT JOIN LATERAL (
        SELECT state, error_class FROM jobs WHERE lead_id = d.lead_id ORDER BY created_at DESC LIMIT 1
    ) j ON true
    WHERE d.lead_id = :lead_id AND d.parsed IS NOT NULL ORDER BY d.received_at, d.id LIMIT 1
""")

# A delivery that capture has not folded yet has no lead row: it is found through its job.
_LATEST = """
    SELECT l.identity_key, l.campaign_id, d.received_at, l.erased_at IS NOT NULL AS erased
    FROM leads l LEFT JOIN LATERAL (
        SELECT received_at FROM deliveries WHERE lead_id = l.id AND source = $2 ORDER BY received_at DESC LIMIT 1
    ) d ON true
    WHERE l.identity_key = ANY($1::text[])
    UNION ALL
    SELECT d.identity_key, d.parsed ->> 'campaign_id', d.received_at, false
    FROM jobs j JOIN deliveries d ON d.lead_id = j.lead_id
    WHERE j.state IN ('ready', 'leased', 'parked') AND j.step = 'capture'
        AND d.identity_key = ANY($1::text[]) AND d.source = $2 AND d.parsed IS NOT NULL
"""
_KEYS = "SELECT delivery_key FROM deliveries WHERE lead_id = ANY($1::uuid[]) AND source = $2"

_QUARANTINED = text("""
    SELECT id, source, reason, content_type, octet_length(raw) AS bytes, received_at FROM deliveries
    WHERE outcome = 'quarantined' ORDER BY received_at DESC LIMIT :limit
""")


async def accept(connection: Connection, rows: Sequence[NewDelivery]) -> set[UUID]:
    """Inserts those of the rows, all with a lead, whose key is new, and the jobs that they call for, in one commit.

    Returns the ids of the new ones. Rows come sorted by their keys: two groups never wait for each other in a circle.
    """
    return {row[0] for row in await connection.fetch(_ACCEPT, *_arrays(rows))}


async def insert(connection: Connection, rows: Sequence[NewDelivery]) -> set[UUID]:
    """Inserts the rows whose (source, delivery_key) is new; returns the ids of those."""
    return {row[0] for row in await connection.fetch(_INSERT, *_arrays(rows))}


async def known(connection: Connection, ids: Sequence[UUID]) -> dict[UUID, KnownDelivery]:
    """What is known of each delivery that exists."""
    found = await connection.fetch(_KNOWN, ids) if ids else []
    return {row["id"]: KnownDelivery(row["body_sha256"], row["lead_id"]) for row in found}


def _arrays(rows: Sequence[NewDelivery]) -> Sequence[Sequence[Any]]:
    return tuple(zip(*rows, strict=True)) if rows else [()] * len(NewDelivery._fields)


async def of_lead(connection: Connection, lead_id: UUID) -> list[StoredDelivery]:
    """A lead's deliveries in the order in which capture folds them."""
    found = await connection.fetch(_OF_LEAD, lead_id)
    return [StoredDelivery(**{**row, "parsed": orjson.loads(row["parsed"])}) for row in found]


async def latest(connection: Connection, identities: Sequence[str], source: str) -> list[LatestDelivery]:
    """What `source` delivered last of these identities, for each campaign in which they are leads."""
    found = await connection.fetch(_LATEST, identities, source) if identities else []
    return [LatestDelivery(*row) for row in found]


async def keys_of_leads(connection: Connection, lead_ids: Sequence[UUID], source: str) -> list[str]:
    """The keys of all deliveries of these leads by `source`."""
    found = await connection.fetch(_KEYS, lead_ids, source) if lead_ids else []
    return [row[0] for row in found]


async def first_of_lead(session: Session, lead_id: UUID) -> dict[str, Any] | None:
    """The first delivery of a lead and the state of its job: all that is known before capture."""
    found = (await session.execute(_FIRST, {"lead_id": lead_id})).mappings().first()
    return dict(found) if found else None


async def quarantined(session: Session, limit: int) -> list[dict[str, Any]]:
    """What could not be understood, newest first, without its content."""
    return [dict(row) for row in (await session.execute(_QUARANTINED, {"limit": limit})).mappings()]
