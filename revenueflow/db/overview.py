"""Counts for metrics, `doctor` and the demo's summary."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text

from revenueflow.db.session import Session

# Each state along its own small index. A dead job whose lead has had a later run is history, nobody can replay it.
_JOBS = text("""
    SELECT 'ready' AS state, count(*) AS n FROM jobs WHERE state = 'ready'
    UNION ALL SELECT 'leased', count(*) FROM jobs WHERE state = 'leased'
    UNION ALL SELECT 'parked', count(*) FROM jobs WHERE state = 'parked'
    UNION ALL SELECT 'dead', count(*) FROM jobs dead WHERE state = 'dead' AND NOT EXISTS (
        SELECT FROM jobs later WHERE later.lead_id = dead.lead_id AND later.run_version > dead.run_version)
""")
_ACTIONS = text("SELECT state, count(*) AS n FROM actions GROUP BY state")
_OLDEST = text("""
    SELECT step, extract(epoch FROM now() - min(run_at)) AS seconds FROM jobs
    WHERE (state = 'ready' AND run_at <= now()) OR (state = 'leased' AND lease_until < now()) GROUP BY step
""")
_RETENTION = text("""
    SELECT extract(epoch FROM now() - coalesce(ended_at, begun_at)) FROM routines WHERE name = 'retention'
""")
_REVIEWS = text("""
    SELECT kind, count(*) AS n, extract(epoch FROM now() - min(created_at)) AS seconds
    FROM reviews WHERE state = 'open' GROUP BY kind
""")
_SUMMARY = text("""
    SELECT (SELECT count(DISTINCT lead_id) FROM deliveries) AS accepted,
           (SELECT count(*) FROM deliveries WHERE outcome = 'quarantined') AS quarantined,
           (SELECT count(*) FROM leads WHERE status = 'processed') AS processed,
           (SELECT count(*) FROM leads WHERE status = 'parked') AS needs_review,
           (SELECT count(*) FROM jobs WHERE state = 'dead') AS dead,
           (SELECT count(*) FROM claims) AS claims,
           (SELECT count(*) FROM claims WHERE verdict <> 'supported') AS claims_rejected
""")


async def job_counts(session: Session) -> dict[str, int]:
    """Jobs by state."""
    return {row.state: row.n for row in await session.execute(_JOBS)}


async def action_counts(session: Session) -> dict[str, int]:
    """Actions by state."""
    return {row.state: row.n for row in await session.execute(_ACTIONS)}


async def oldest_ready(session: Session) -> dict[str, float]:
    """Seconds that the oldest due job has waited, by the step it waits for."""
    return {row.step: float(row.seconds) for row in await session.execute(_OLDEST)}


async def retention_age(session: Session) -> float:
    """Seconds since a round of retention last came to its end."""
    return float((await session.execute(_RETENTION)).scalar_one_or_none() or 0)


async def open_reviews(session: Session) -> dict[str, tuple[int, float]]:
    """Open reviews by kind: how many, and for how many seconds the oldest has waited."""
    return {row.kind: (row.n, float(row.seconds)) for row in await session.execute(_REVIEWS)}


async def summary(session: Session) -> dict[str, Any]:
    """What became of everything that was delivered."""
    return dict((await session.execute(_SUMMARY)).mappings().one())
