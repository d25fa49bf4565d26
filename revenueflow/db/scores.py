"""Queries on the history of scores, on what stored leads are scored from, and on results."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import text
from uuid_utils.compat import uuid5

from revenueflow.db.direct import Connection
from revenueflow.db.models import scores
from revenueflow.db.rows import encoded, insert
from revenueflow.db.session import Session
from revenueflow.domain.scoring import Score

_FRESH = ", ".join(
    f"{name} = excluded.{name}"
    for name in ("run_version", "profile", "total", "tier", "intent", "fit", "factors", "missing", "not_understood",
                 "reasoning")
)  # fmt: skip
_OF_LEAD = text("""
    SELECT id, run_version, scoring_id, profile, total AS score, tier, intent, fit, factors AS score_factors, missing,
           not_understood, reasoning, scored_at
    FROM scores WHERE lead_id = :lead_id
      AND (CAST(:at AS timestamptz) IS NULL OR (scored_at, id) < (:at, CAST(:id AS uuid)))
    ORDER BY scored_at DESC, id DESC LIMIT :limit
""")
# What was there of a lead when it was analysed last; a lead that never was has its form alone.
_STORED = """
    SELECT l.id, l.version, l.campaign_id, l.form::text AS form, l.received_at, l.score, l.tier, j.run_version,
           l.score_factors::text AS score_factors,
           c.output::text AS capture,
           e.output::text AS enrich, a.output -> 'analysis' ->> 'analyst' AS analyst, g.output::text AS ground
    FROM leads l
    LEFT JOIN LATERAL (
        SELECT j.id, j.run_version FROM jobs j
        WHERE j.lead_id = l.id AND EXISTS (SELECT FROM steps s WHERE s.job_id = j.id AND s.name = 'ground')
        ORDER BY j.run_version DESC, j.id DESC LIMIT 1
    ) j ON true
    LEFT JOIN steps c ON c.job_id = j.id AND c.name = 'capture'
    LEFT JOIN steps e ON e.job_id = j.id AND e.name = 'enrich'
    LEFT JOIN steps a ON a.job_id = j.id AND a.name = 'analyse'
    LEFT JOIN steps g ON g.job_id = j.id AND g.name = 'ground'
    WHERE l.erased_at IS NULL AND ($1::uuid IS NULL OR l.id > $1) AND ($2::text IS NULL OR l.campaign_id = $2)
      AND (NOT $3::boolean OR l.score IS NULL) AND ($4::timestamptz IS NULL OR l.received_at >= $4)
    ORDER BY l.id LIMIT $5
"""
_RESULTS = text("""
    SELECT l.id, l.name, l.company, l.title AS role, coalesce(l.facts -> 'industry' ->> 'value', l.form ->> 'industry')
           AS industry, l.score, coalesce(s.intent, l.intent) AS intent, l.tier, l.profile, l.score_factors,
           l.owner_name AS owner, l.received_at
    FROM leads l LEFT JOIN LATERAL (
        SELECT intent FROM scores WHERE lead_id = l.id ORDER BY scored_at DESC, id DESC LIMIT 1
    ) s ON true
    WHERE l.score IS NOT NULL AND l.erased_at IS NULL
      AND (CAST(:campaign AS text) IS NULL OR l.campaign_id = :campaign)
      AND (CAST(:tier AS text) IS NULL OR l.tier = :tier)
      AND (CAST(:at AS timestamptz) IS NULL OR (l.received_at, l.id) < (:at, CAST(:id AS uuid)))
    ORDER BY l.received_at DESC, l.id DESC LIMIT :limit
""")


class Made(NamedTuple):
    """A score of a lead: by a run of the pipeline (`job_id`), or by one that scores stored leads (`scoring_id`)."""

    lead_id: UUID
    run_version: int
    score: Score
    reasoning: str
    job_id: UUID | None = None
    scoring_id: UUID | None = None


class Which(NamedTuple):
    """Which stored leads: of a campaign, without a score, received since."""

    campaign_id: str | None = None
    unscored: bool = False
    since: datetime | None = None


async def add(connection: Connection, made: Sequence[Made]) -> None:
    """Adds to the history; what the same run has written before is written over."""
    rows = [_row(one) for one in made]
    if rows:
        rows.sort(key=lambda row: str(row["id"]))
        statement = insert(scores, tuple(rows[0])) + f" ON CONFLICT (id) DO UPDATE SET {_FRESH}, scored_at = now()"
        await connection.execute(statement, encoded(rows))


def _row(made: Made) -> dict[str, Any]:
    run = made.scoring_id or made.job_id
    assert run is not None
    values = made.score.model_dump(mode="json")
    return {
        "id": uuid5(run, str(made.lead_id)),
        "lead_id": made.lead_id,
        "job_id": made.job_id,
        "scoring_id": made.scoring_id,
        "run_version": made.run_version,
        "reasoning": made.reasoning,
        **values,
    }


async def of_lead(
    session: Session, lead_id: UUID, *, limit: int, before: tuple[datetime, UUID] | None = None
) -> list[dict[str, Any]]:
    """The scores of a lead, newest first, by keyset: `before` is (scored_at, id) of the last one of the page before."""
    at, id_ = before or (None, None)
    found = await session.execute(_OF_LEAD, {"lead_id": lead_id, "limit": limit, "at": at, "id": id_})
    return [dict(row) for row in found.mappings()]


async def stored(
    connection: Connection, which: Which, *, after: UUID | None, limit: int, lock: bool = False
) -> list[dict[str, Any]]:
    """What leads are scored from, by id: the outputs of their last analysed run as JSON texts, None without one.

    With `lock` no run of the pipeline writes a newer score of them before this transaction ends.
    """
    statement = f"{_STORED} FOR UPDATE OF l" if lock else _STORED
    return [dict(row) for row in await connection.fetch(statement, after, *which, limit)]


async def results(
    session: Session,
    *,
    limit: int,
    before: tuple[datetime, UUID] | None = None,
    campaign_id: str | None = None,
    tier: str | None = None,
) -> list[dict[str, Any]]:
    """Leads that have a score, newest first, by keyset."""
    at, id_ = before or (None, None)
    values = {"limit": limit, "at": at, "id": id_, "campaign": campaign_id, "tier": tier}
    return [dict(row) for row in (await session.execute(_RESULTS, values)).mappings()]
