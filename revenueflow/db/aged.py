"""Queries on leads that are past their time: which they are, and what closes and ends their erasing.

A person's leads go together: one that is not past its time, or that somebody works on, keeps the others.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from revenueflow.db.direct import Connection, Direct

ACTOR: Final = "retention"
REASON: Final = "past its time by retention.toml"
_BEGINNING: Final = datetime(1, 1, 1, tzinfo=UTC)
_UNTOUCHED = """{lead}.status = 'processed' AND {lead}.first_touch_at IS NULL
    AND NOT EXISTS (SELECT FROM outcomes WHERE outcomes.lead_id = {lead}.id)"""
KINDS: Final[Mapping[str, str]] = {
    "untouched": _UNTOUCHED,
    "rejected": f"{_UNTOUCHED} AND {{lead}}.analysis_verdict = 'rejected'",
    "lost": "{lead}.status = 'processed' AND {lead}.stage = 'lost'",
    "parked": "{lead}.status IN ('parked', 'dead')",
}
"""By the name of its setting in retention.toml; the days are $1 to $4, in this order."""

# Since when nothing has been heard of the lead: neither from the person nor from sales.
_QUIET = """greatest({lead}.received_at, {lead}.processed_at,
    (SELECT max(received_at) FROM deliveries WHERE deliveries.lead_id = {lead}.id),
    (SELECT max(recorded_at) FROM outcomes WHERE outcomes.lead_id = {lead}.id))"""
_AGED = " OR ".join(
    f"(${n} > 0 AND {which} AND {_QUIET} < now() - make_interval(days => ${n}))"
    for n, which in enumerate(KINDS.values(), 1)
)
_IN_USE = """EXISTS (SELECT FROM jobs WHERE jobs.lead_id = {lead}.id
        AND (state IN ('ready', 'leased') OR (state = 'parked' AND wanted_version > run_version)))
    OR EXISTS (SELECT FROM reviews WHERE reviews.lead_id = {lead}.id AND state = 'open')"""
_KEPT = f"(({_IN_USE}) OR ({{lead}}.erased_at IS NULL AND ({_AGED}) IS NOT TRUE))"
# Page by page, whatever is on it: how many leads there are between two that go is not known.
_PAGE = f"""
    SELECT l.id, l.received_at,
        NOT EXISTS (SELECT FROM leads o WHERE o.identity_key = l.identity_key AND {_KEPT.format(lead="o")}) AS aged
    FROM (SELECT id, received_at, identity_key FROM leads
          WHERE erased_at IS NULL AND (received_at, id) > ($5, $6) AND received_at < now() - make_interval(days => $7)
          ORDER BY received_at, id LIMIT $8) l
    ORDER BY l.received_at, l.id
"""  # noqa: S608 constants
_KEEPS = f"""
    SELECT EXISTS (SELECT FROM unnest($5::uuid[]) AS one(id) LEFT JOIN leads l ON l.id = one.id
                   WHERE l.id IS NULL OR {_KEPT.format(lead="l")})
"""  # noqa: S608 constants
_LAST = """
    SELECT greatest((SELECT max(received_at) FROM leads WHERE id = ANY($1::uuid[])),
                    (SELECT max(received_at) FROM deliveries WHERE lead_id = ANY($1::uuid[])),
                    (SELECT max(received_at) FROM deliveries WHERE identity_key = ANY($2::text[])))
"""
_END = """
    WITH live AS (
        SELECT id FROM jobs WHERE lead_id = ANY($1::uuid[]) AND state = 'parked' AND wanted_version = run_version
        ORDER BY lead_id FOR UPDATE
    )
    UPDATE jobs SET state = 'done', lease_token = lease_token + 1, error_class = 'erased', last_error = 'erased',
        finished_at = now()
    FROM live WHERE jobs.id = live.id
"""
# That the person asked to be erased is not forgotten for the age of another lead.
_NOTE = f"""
    INSERT INTO erasures (key, erased_at, reason, erased_by)
    SELECT key, $2, '{REASON}', '{ACTOR}' FROM unnest($1::text[]) AS key ORDER BY key
    ON CONFLICT (key) DO UPDATE SET erased_at = greatest(erasures.erased_at, excluded.erased_at), reopened_at = NULL,
        reason = excluded.reason, erased_by = excluded.erased_by
        WHERE erasures.reopened_at IS NOT NULL OR erasures.erased_by = excluded.erased_by
"""  # noqa: S608 constants
_CLOSE = """
    UPDATE leads SET status = 'erased', erased_at = now(), reanalyse_at = NULL
    WHERE id = ANY($1::uuid[]) AND erased_at IS NULL
"""
_UNFINISHED = f"""
    SELECT DISTINCT ON (l.identity_key) l.id FROM erasures JOIN leads l ON l.identity_key = erasures.key
    WHERE erasures.erased_by = '{ACTOR}' AND erasures.reopened_at IS NULL ORDER BY l.identity_key LIMIT $1
"""  # noqa: S608 constants
_OPEN = f"""
    UPDATE erasures SET reopened_at = now()
    WHERE key = ANY($1::text[]) AND reopened_at IS NULL AND erased_by = '{ACTOR}'
"""  # noqa: S608 constants
# Of what came while its lead was erased a run may have missed the beginning.
_AGAIN = """
    INSERT INTO jobs (lead_id, trace_id, run_version, wanted_version, step)
    SELECT later.lead_id, later.trace_id, last.version + 1, last.version + 1, 'capture'
    FROM (SELECT d.lead_id, max(d.trace_id) AS trace_id FROM deliveries d JOIN erasures e ON e.key = d.identity_key
          WHERE d.lead_id = ANY($1::uuid[]) AND d.parsed IS NOT NULL AND d.received_at > e.erased_at
          GROUP BY d.lead_id) later,
         LATERAL (SELECT coalesce(max(run_version), 0) AS version FROM jobs WHERE jobs.lead_id = later.lead_id) last
    ON CONFLICT (lead_id) WHERE state IN ('ready', 'leased', 'parked')
    DO UPDATE SET wanted_version = jobs.wanted_version + 1
"""
_REVIVE = """
    UPDATE leads SET status = 'accepted', erased_at = NULL, updated_at = now()
    WHERE id = $1 AND erased_at IS NOT NULL
      AND EXISTS (SELECT FROM erasures WHERE key = leads.identity_key AND reopened_at IS NOT NULL)
"""


async def walk(direct: Direct, days: Mapping[str, int], batch: int) -> AsyncIterator[list[UUID]]:
    """Leads that are past their time and that nobody works on, oldest first, some at a time.

    `days` by kind, 0: kept for good.
    """
    soonest = min(filter(None, days.values()), default=0)
    place: tuple[datetime, UUID] | None = (_BEGINNING, UUID(int=0)) if soonest else None
    while place:
        async with direct.connection() as connection:
            rows = await connection.fetch(_PAGE, *_in_order(days), *place, soonest, batch)
        yield [row["id"] for row in rows if row["aged"]]
        place = (rows[-1]["received_at"], rows[-1]["id"]) if len(rows) == batch else None


async def unfinished(connection: Connection, limit: int) -> list[UUID]:
    """One lead of each person whose erasing was closed, and not cleared since."""
    return [row["id"] for row in await connection.fetch(_UNFINISHED, limit)]


async def close(connection: Connection, keys: Sequence[str], leads: Sequence[UUID], days: Mapping[str, int]) -> bool:
    """From the commit on nothing is written about these leads any more, until `open_again`.

    False: one of them is to be kept, or all were erased before. What comes from now on is of another time than what
    goes: `erased_at` is when something last came.
    """
    # In this order: what is committed from here on came later than `last`, or keeps the lead.
    last: datetime = await connection.fetchval(_LAST, leads, keys)
    if await connection.fetchval(_KEEPS, *_in_order(days), leads):
        return False
    if await connection.execute(_CLOSE, leads) == "UPDATE 0":
        return False
    await connection.execute(_END, leads)
    await connection.execute(_NOTE, keys, last)
    return True


async def open_again(connection: Connection, keys: Sequence[str], leads: Sequence[UUID]) -> None:
    """Whoever comes again is welcome; what has come meanwhile gets its run."""
    await connection.execute(_AGAIN, leads)
    await connection.execute(_OPEN, keys)


async def revive(connection: Connection, lead_id: UUID) -> None:
    """The lead of somebody who has come again is a lead again."""
    await connection.execute(_REVIVE, lead_id)


def _in_order(days: Mapping[str, int]) -> list[int]:
    return [days[kind] for kind in KINDS]
