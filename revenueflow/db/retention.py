"""Queries that delete what is past its time, batch by batch. Any number of processes may run them at once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Final, NamedTuple
from uuid import UUID

from revenueflow.db.direct import Connection, Direct


class Rule(NamedTuple):
    """What is past its time in a table: `where`, with $1 the days; `change` is what becomes of a row, else it goes.

    `of_runs`: rows of runs that ended well so long ago; their ids are $1, and `where` is what else must hold.
    """

    table: str
    where: str
    change: str | None = None
    of_runs: bool = False


_PAST = "now() - make_interval(days => $1)"
_SETTLED = "state IN ('confirmed', 'denied', 'superseded') AND args <> '{}'"
_HELD = f"""outcome <> 'quarantined' AND parsed IS NOT NULL AND received_at < {_PAST} AND identity_key = ANY(ARRAY(
    SELECT key FROM erasures WHERE reopened_at IS NULL AND erased_at < received_at))"""  # noqa: S608 constants
_OLD_IMPORTS = f"import_id = ANY(ARRAY(SELECT id FROM imports WHERE created_at < {_PAST}))"  # noqa: S608 constants
RULES: Final[Mapping[str, Sequence[Rule]]] = {
    "raw_deliveries": [
        Rule("deliveries", f"outcome <> 'quarantined' AND raw <> '' AND received_at < {_PAST}", "raw = ''")
    ],
    "quarantine": [
        Rule("deliveries", f"outcome = 'quarantined' AND received_at < {_PAST}"),
        Rule("deliveries", _HELD, "raw = '', parsed = NULL, body_sha256 = '', delivery_key = id::text"),
    ],
    "import_rejects": [Rule("import_rejects", _OLD_IMPORTS)],
    "checkpoints": [Rule("steps", "true", of_runs=True)],
    "evidence": [Rule("evidence", "true", of_runs=True)],
    "claims": [Rule("claims", "true", of_runs=True)],
    "action_arguments": [
        Rule("actions", _SETTLED, "args = '{}'", of_runs=True),
        Rule("actions", f"job_id IS NULL AND {_SETTLED} AND settled_at < {_PAST}", "args = '{}'"),
    ],
    "lookups": [Rule("lookups", f"state = 'idle' AND answered_at < {_PAST}")],
}
"""By the name of its setting in retention.toml."""

# One that did not come to its end is begun again before its time.
_BEGIN = """
    INSERT INTO routines (name, begun_at) VALUES ($1, now())
    ON CONFLICT (name) DO UPDATE SET begun_at = now()
        WHERE routines.begun_at < now() - make_interval(secs => $2)
           OR (routines.ended_at < routines.begun_at AND routines.begun_at < now() - make_interval(secs => $3))
    RETURNING true
"""
_END = """
    INSERT INTO routines (name, begun_at, ended_at) VALUES ($1, now(), now())
    ON CONFLICT (name) DO UPDATE SET ended_at = now()
"""
RETRY_SECONDS = 3600.0
# What a person has still to decide keeps what the decision is about.
_RUNS = f"""
    SELECT id, finished_at FROM jobs
    WHERE state = 'done' AND finished_at < {_PAST} AND (finished_at, id) > (coalesce($2, '-infinity'::timestamptz), $3)
      AND NOT EXISTS (SELECT FROM reviews WHERE reviews.job_id = jobs.id AND state = 'open')
    ORDER BY finished_at, id LIMIT $4
"""  # noqa: S608 constants
_NO_ID = UUID(int=0)


async def begin(connection: Connection, routine: str, seconds: float) -> bool:
    """Whether a routine was begun `seconds` ago or longer, or an hour ago and not ended; if so it counts as begun now,
    by us."""
    return bool(await connection.fetchval(_BEGIN, routine, seconds, RETRY_SECONDS))


async def ended(connection: Connection, routine: str) -> None:
    """Notes that all was done that the routine is for."""
    await connection.execute(_END, routine)


async def batches(direct: Direct, rule: Rule, days: int, batch: int) -> AsyncIterator[int]:
    """Applies a rule; how many rows each transaction took. Rows that somebody else holds are left for the next time."""
    if rule.of_runs:
        query = _of_runs(rule)
        async for runs in _runs(direct, days, batch):
            async with direct.connection() as connection:
                yield _count(await connection.execute(query, runs))
        return
    done = batch
    while done == batch:
        async with direct.connection() as connection:
            done = _count(await connection.execute(_some(rule), days, batch))
        yield done


async def count(direct: Direct, rule: Rule, days: int, batch: int) -> int:
    """How many rows a rule would take now."""
    query = f"SELECT count(*) FROM {rule.table} WHERE "  # noqa: S608 constants
    if not rule.of_runs:
        async with direct.connection() as connection:
            return int(await connection.fetchval(query + rule.where, days))
    found = 0
    async for runs in _runs(direct, days, batch):
        async with direct.connection() as connection:
            found += await connection.fetchval(query + f"job_id = ANY($1::uuid[]) AND {rule.where}", runs)
    return found


async def _runs(direct: Direct, days: int, batch: int) -> AsyncIterator[list[UUID]]:
    after, last = None, _NO_ID
    while True:
        async with direct.connection() as connection:
            rows = await connection.fetch(_RUNS, days, after, last, batch)
        if not rows:
            return
        after, last = rows[-1]["finished_at"], rows[-1]["id"]
        yield [row["id"] for row in rows]


def _of_runs(rule: Rule) -> str:
    return f"{_verb(rule)} WHERE job_id = ANY($1::uuid[]) AND {rule.where}"


def _some(rule: Rule) -> str:
    found = f"SELECT ctid FROM {rule.table} WHERE {rule.where} LIMIT $2 FOR UPDATE SKIP LOCKED"  # noqa: S608 constants
    return f"{_verb(rule)} WHERE ctid = ANY(ARRAY({found}))"


def _verb(rule: Rule) -> str:
    if rule.change is None:
        return f"DELETE FROM {rule.table}"  # noqa: S608 constants
    return f"UPDATE {rule.table} SET {rule.change}"  # noqa: S608 constants


def _count(told: str) -> int:
    return int(told.rpartition(" ")[2])
