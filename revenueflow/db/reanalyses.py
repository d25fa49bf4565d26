"""Leads that the rules analysed because models failed: taken once each time, a few a minute, by whoever comes first."""

from __future__ import annotations

from uuid import UUID

from revenueflow.db.direct import Connection

_LOCK = 0x52465241
# A lead with a live job is analysed by that one. Whoever has the lock alone counts and takes; the others leave it.
_TAKE = """
    WITH room AS (
        SELECT greatest(0, $1 - (SELECT count(*) FROM leads
                                 WHERE reanalysed_at > now() - interval '1 minute'))::int AS n
        WHERE pg_try_advisory_xact_lock($4)
    ), given_up AS (
        UPDATE leads SET reanalyse_at = NULL WHERE EXISTS (SELECT FROM room) AND id = ANY(ARRAY(
            SELECT id FROM leads WHERE reanalyse_at <= now()
              AND (reanalyses >= $3 OR received_at <= now() - make_interval(hours => 1) * $2)
            ORDER BY reanalyse_at LIMIT 500 FOR UPDATE SKIP LOCKED))
    ), due AS (
        SELECT id FROM leads
        WHERE reanalyse_at <= now() AND reanalyses < $3 AND erased_at IS NULL
          AND received_at > now() - make_interval(hours => 1) * $2
          AND NOT EXISTS (SELECT FROM jobs WHERE lead_id = leads.id AND state IN ('ready', 'leased', 'parked'))
        ORDER BY reanalyse_at LIMIT coalesce((SELECT n FROM room), 0) FOR UPDATE SKIP LOCKED
    )
    UPDATE leads SET reanalyse_at = NULL, reanalysed_at = now(), reanalyses = reanalyses + 1
    FROM due WHERE leads.id = due.id AND EXISTS (SELECT FROM room)
    RETURNING leads.id
"""


async def take(connection: Connection, *, per_minute: int, oldest_hours: float, times: int) -> list[UUID]:
    """Leads that are due, and are now marked as taken; belongs into the transaction that wants their jobs.

    Those that are too old, or were taken often enough, are no longer due.
    """
    rows = await connection.fetch(_TAKE, per_minute, oldest_hours, times, _LOCK)
    return [row["id"] for row in rows]
