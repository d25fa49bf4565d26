"""Queries on what enrichment has come to: which leads are to be looked up, how far they are, and what is exported."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, bindparam, text

from revenueflow.db.session import Session

_LEADS = text("""
    SELECT l.id, l.cost, (SELECT max(s.finished_at) FROM steps s JOIN jobs j ON j.id = s.job_id
                  WHERE j.lead_id = l.id AND s.name = 'enrich') AS enriched_at,
           EXISTS (SELECT FROM jobs j WHERE j.lead_id = l.id AND j.state IN ('ready', 'leased')) AS under_way
    FROM leads l
    WHERE l.erased_at IS NULL AND (CAST(:campaign AS text) IS NULL OR l.campaign_id = :campaign)
    ORDER BY l.received_at, l.id LIMIT :limit
""")
_UNCAPTURED = text("""
    SELECT count(DISTINCT d.lead_id) FROM deliveries d JOIN jobs j ON j.lead_id = d.lead_id
    WHERE d.parsed ->> 'campaign_id' = :campaign AND j.state IN ('ready', 'leased')
      AND NOT EXISTS (SELECT FROM leads l WHERE l.id = d.lead_id)
""")
_ENDED = text("""
    SELECT DISTINCT ON (j.lead_id) j.lead_id AS id, j.state FROM jobs j WHERE j.lead_id = ANY(:ids)
    ORDER BY j.lead_id, j.created_at DESC
""").bindparams(bindparam("ids", type_=ARRAY(Uuid)))
_EXPORT = text("""
    SELECT l.id AS lead_id, l.campaign_id, l.status, l.email, l.domain, l.score, l.tier, l.owner_id AS owner,
           l.facts, l.completeness, l.cost AS cost_usd, l.signals_missed, l.received_at,
           coalesce((
               SELECT jsonb_agg(jsonb_build_object('provider', e.provider, 'lookup', e.lookup, 'signal', e.signal,
                    'path', e.path, 'value', e.value, 'trust', e.trust, 'fetched_at', e.fetched_at, 'cost_usd', e.cost)
                    ORDER BY e.ordinal)
               FROM evidence e WHERE e.lead_id = l.id AND e.job_id = (
                    SELECT j.id FROM jobs j WHERE j.lead_id = l.id ORDER BY j.created_at DESC LIMIT 1)
           ), '[]') AS evidence
    FROM leads l WHERE l.id = ANY(:ids) ORDER BY l.received_at, l.id
""").bindparams(bindparam("ids", type_=ARRAY(Uuid)))


async def leads(session: Session, *, campaign_id: str | None, limit: int) -> list[dict[str, Any]]:
    """`{id, cost, enriched_at, under_way}` of the leads of a campaign, or of all, oldest first."""
    found = await session.execute(_LEADS, {"campaign": campaign_id, "limit": limit})
    return [dict(row) for row in found.mappings()]


async def uncaptured(session: Session, campaign_id: str) -> int:
    """How many leads of a campaign were accepted and have not been looked at yet."""
    found: int = (await session.execute(_UNCAPTURED, {"campaign": campaign_id})).scalar_one()
    return found


async def ended(session: Session, ids: Sequence[UUID]) -> dict[UUID, str]:
    """The state of those leads whose newest job has come to an end, or waits for a person."""
    found = (await session.execute(_ENDED, {"ids": ids})).mappings()
    return {row["id"]: row["state"] for row in found if row["state"] in ("done", "dead", "parked")}


async def export(session: Session, ids: Sequence[UUID]) -> list[dict[str, Any]]:
    """The leads with the evidence of their last run."""
    return [dict(row) for row in (await session.execute(_EXPORT, {"ids": ids})).mappings()]


def is_due(row: dict[str, Any], before: datetime) -> bool:
    """Whether a lead of `leads` was not enriched since `before`, and is not being enriched now."""
    return not row["under_way"] and (row["enriched_at"] is None or row["enriched_at"] < before)
