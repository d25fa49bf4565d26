"""Queries on campaigns: what sources call them, and how their leads stand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
from sqlalchemy import text

from revenueflow.db.direct import Connection
from revenueflow.db.session import Session

_STORE = text("""
    INSERT INTO campaigns (id, name, source, leads)
    SELECT id, name, :source, leads FROM jsonb_to_recordset(CAST(:found AS jsonb)) AS new(id text, name text, leads int)
    ON CONFLICT (id) DO UPDATE SET name = excluded.name, source = excluded.source, leads = excluded.leads
""")
_PULLED = text("""
    INSERT INTO campaigns (id, source, pulled_at) VALUES (:id, :source, now())
    ON CONFLICT (id) DO UPDATE SET source = excluded.source, pulled_at = now()
""")
# From one campaign to the next in the index of leads: distinct values, without reading every lead.
_PAGE = text("""
    WITH RECURSIVE own AS (
        (SELECT campaign_id AS id, 1 AS n FROM leads WHERE campaign_id > :after ORDER BY campaign_id LIMIT 1)
        UNION ALL
        SELECT next.campaign_id, own.n + 1 FROM own, LATERAL (
            SELECT campaign_id FROM leads WHERE campaign_id > own.id ORDER BY campaign_id LIMIT 1
        ) next WHERE own.n < :limit
    ), page AS (
        SELECT id FROM own
        UNION (SELECT id FROM campaigns WHERE id > :after ORDER BY id LIMIT :limit)
        ORDER BY id LIMIT :limit
    )
    SELECT page.id, c.name, c.source, c.pulled_at, c.leads AS leads_at_source, coalesce(counted.leads, 0) AS leads,
        coalesce(counted.by_status, '{}') AS by_status
    FROM page LEFT JOIN campaigns c ON c.id = page.id LEFT JOIN LATERAL (
        SELECT sum(n)::bigint AS leads, jsonb_object_agg(status, n) AS by_status
        FROM (SELECT status, count(*) AS n FROM leads WHERE campaign_id = page.id GROUP BY status) s
    ) counted ON true
    ORDER BY page.id
""")
_IS_KNOWN = """
    SELECT EXISTS (SELECT FROM campaigns WHERE id = {id}) OR EXISTS (SELECT FROM leads WHERE campaign_id = {id})
"""
_KNOWN, _KNOWN_TO = text(_IS_KNOWN.format(id=":id")), _IS_KNOWN.format(id="$1")
NOT_KNOWN = "no lead is in this campaign, and no source has told of it"


async def store(session: Session, source: str, found: Sequence[tuple[str, str | None, int | None]]) -> None:
    """Keeps (id, name, leads) of each campaign."""
    rows = {id_: {"id": id_, "name": name, "leads": leads} for id_, name, leads in found}
    await session.execute(_STORE, {"source": source, "found": orjson.dumps(list(rows.values())).decode()})


async def pulled(session: Session, campaign_id: str, source: str) -> None:
    """Its leads were pulled now."""
    await session.execute(_PULLED, {"id": campaign_id, "source": source})


async def page(session: Session, *, limit: int, after: str = "") -> list[dict[str, Any]]:
    """Campaigns by id, by keyset: those that have leads, and those that a source has told of."""
    return [dict(row) for row in (await session.execute(_PAGE, {"limit": limit, "after": after})).mappings()]


async def known(session: Session, campaign_id: str) -> bool:
    """Whether it has leads, or a source has told of it."""
    return bool((await session.execute(_KNOWN, {"id": campaign_id})).scalar())


async def known_to(connection: Connection, campaign_id: str) -> bool:
    """As `known`, on a connection."""
    return bool(await connection.fetchval(_KNOWN_TO, campaign_id))
