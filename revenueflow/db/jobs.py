"""Queries on jobs: wanting, ringing, claiming, and every change of state. All clocks are the database's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ARRAY, Text, Uuid, bindparam, text

from revenueflow.db.direct import Connection
from revenueflow.db.session import Session

_HURRY = text("UPDATE jobs SET run_at = now(), rung_at = NULL WHERE id = :id AND state = 'ready' AND run_at > now()")


class Lease(NamedTuple):
    """A claimed job. `token` fences: every later write is conditional on it."""

    job_id: UUID
    lead_id: UUID
    run_version: int
    attempt: int
    token: int
    trace_id: str
    step: str = "capture"


class Release(NamedTuple):
    """A lease that is given up: for `state` (ready, parked, dead), due again `after` seconds."""

    lease: Lease
    state: str
    after: float
    give_back: bool
    error: str


ENDS = ("done", "dead")

# A live job only learns that a newer version is wanted; the runner makes the next job when this one ends. But one that
# was parked by capture, for what its deliveries lacked, looks again: the new delivery may have it.
WANT = """
    INSERT INTO jobs (lead_id, trace_id, run_version, wanted_version)
    SELECT new.lead_id, new.trace_id, last.version + 1, last.version + 1
    FROM ({leads}) AS new
    CROSS JOIN LATERAL (SELECT coalesce(max(run_version), 0) AS version FROM jobs j WHERE j.lead_id = new.lead_id) last
    ORDER BY new.lead_id
    ON CONFLICT (lead_id) WHERE state IN ('ready', 'leased', 'parked')
    DO UPDATE SET wanted_version = jobs.wanted_version + 1,
        state = CASE WHEN jobs.state = 'parked' AND jobs.step = 'capture' THEN 'ready' ELSE jobs.state END,
        run_at = CASE WHEN jobs.state = 'parked' THEN now() ELSE jobs.run_at END,
        attempt = CASE WHEN jobs.state = 'parked' THEN 0 ELSE jobs.attempt END
"""
_WANT = WANT.format(leads="SELECT * FROM unnest($1::uuid[], $2::text[]) AS one(lead_id, trace_id)")

# Only the head of what is due is rung for: those of it that were rung lately are what waits in Redis. Two selects, each
# along its own index: one with OR would sort the whole backlog at every sweep.
_HEAD = """(SELECT id, rung_at, {due} AS due FROM jobs WHERE {state} AND {due} <= now() ORDER BY {due} LIMIT $3)"""
# Written so that no index of all that is live fits: a few jobs, named by their ids, are found by those.
_IS_DUE = "CASE state WHEN 'ready' THEN run_at WHEN 'leased' THEN lease_until END <= now()"
_NOT_RUNG = "(rung_at IS NULL OR rung_at < now() - make_interval(secs => $1))"
_RING = f"""
    WITH head AS (
        {_HEAD.format(state="state = 'ready'", due="run_at")} UNION ALL
        {_HEAD.format(state="state = 'leased'", due="lease_until")}
    ), silent AS (SELECT id FROM head WHERE {_NOT_RUNG} ORDER BY due LIMIT $2),
    due AS (
        SELECT id FROM jobs WHERE id = ANY(ARRAY(SELECT id FROM silent)) AND {_NOT_RUNG} AND {_IS_DUE}
        FOR UPDATE SKIP LOCKED
    )
    UPDATE jobs SET rung_at = now() FROM due
    WHERE jobs.id = due.id AND NOT EXISTS (SELECT FROM controls WHERE name = 'paused')
    RETURNING jobs.id
"""  # noqa: S608 constants

# Locked in the order of the leads, as the ingress does: the two never wait for each other in a circle.
_CLAIM = """
    WITH due AS ({due})
    UPDATE jobs SET state = 'leased', lease_owner = $2, lease_token = lease_token + 1, attempt = attempt + 1,
        lease_until = now() + make_interval(secs => $3),
        run_version = CASE WHEN step <> 'capture' AND EXISTS (SELECT FROM steps WHERE job_id = jobs.id)
                           THEN run_version ELSE wanted_version END
    FROM due WHERE jobs.id = due.id AND NOT EXISTS (SELECT FROM controls WHERE name = 'paused')
    RETURNING jobs.id, lead_id, run_version, attempt, lease_token, trace_id, step
"""
_CLAIM_RUNG = _CLAIM.format(
    due=f"""SELECT id FROM jobs WHERE id = ANY($1::uuid[]) AND attempt < $4 AND {_IS_DUE}
            ORDER BY lead_id FOR UPDATE"""  # noqa: S608 constants
)
_OVERDUE = """SELECT id FROM jobs WHERE {state} AND {due} < now() - make_interval(secs => $5) AND attempt < $4
        ORDER BY {due} LIMIT $1 FOR UPDATE SKIP LOCKED"""
_READY_OVERDUE = _OVERDUE.format(state="state = 'ready'", due="run_at")
_LEASE_OVERDUE = _OVERDUE.format(state="state = 'leased'", due="lease_until")
_CLAIM_OVERDUE = _CLAIM.format(
    due=f"""
        WITH ready AS ({_READY_OVERDUE}), expired AS ({_LEASE_OVERDUE})
        SELECT id FROM ready UNION ALL SELECT id FROM expired LIMIT $1"""  # noqa: S608 constants
)

# The last claim that was allowed has expired: whatever it was killed the worker, or hung, each time. That `attempt` is
# at least 1 is said for the index, whose condition it is.
_BURY = """
    UPDATE jobs SET state = 'dead', lease_until = NULL, finished_at = now(), lease_token = lease_token + 1,
        error_class = 'lease_expired', last_error = 'the worker died or hung at each claim'
    WHERE id = ANY(ARRAY(SELECT id FROM jobs
                         WHERE attempt >= greatest($1, 1) AND attempt >= 1 AND state IN ('ready', 'leased')
                           AND CASE state WHEN 'leased' THEN lease_until < now() ELSE run_at <= now() END
                         FOR UPDATE SKIP LOCKED))
    RETURNING id, lead_id, step, trace_id, run_version, wanted_version, state
"""

# `lease_until` is there if and only if the state is `leased`. Asked for in this way each row is found by its key, and
# not by the index of all leases, which changes faster than its statistics.
_OURS = """
    SELECT jobs.id, {columns} FROM jobs JOIN unnest({arrays}) AS new(id, token, {columns})
      ON jobs.id = new.id AND jobs.lease_token = new.token AND jobs.lease_until IS NOT NULL
    ORDER BY jobs.lead_id FOR UPDATE OF jobs
"""
_HEARTBEAT = """
    WITH held AS (
        SELECT jobs.id FROM jobs JOIN unnest($1::uuid[], $2::bigint[]) AS ours(id, token)
          ON jobs.id = ours.id AND jobs.lease_token = ours.token AND jobs.lease_until IS NOT NULL
        ORDER BY jobs.lead_id FOR UPDATE OF jobs
    )
    UPDATE jobs SET lease_until = now() + make_interval(secs => $3) FROM held WHERE jobs.id = held.id
    RETURNING jobs.id
"""

# The beginning of a statement whose $1 to $3 are job ids, tokens and next steps. `moved` are those whose lease holds.
# A finished step resets the count: for the next one, the claim under way is the first. No next step: the run ends.
ADVANCE = f"""
    WITH ours AS ({_OURS.format(columns="next_step", arrays="$1::uuid[], $2::bigint[], $3::text[]")}),
    moved AS (
    UPDATE jobs SET step = coalesce(ours.next_step, jobs.step), error_class = NULL, last_error = NULL,
        attempt = CASE WHEN ours.next_step IS NULL THEN 0 ELSE 1 END,
        state = CASE WHEN ours.next_step IS NULL THEN 'done' ELSE 'leased' END,
        lease_until = CASE WHEN ours.next_step IS NULL THEN NULL ELSE lease_until END,
        finished_at = CASE WHEN ours.next_step IS NULL THEN now() END
    FROM ours WHERE jobs.id = ours.id
    RETURNING jobs.id, lead_id, run_version, wanted_version, trace_id, state
)"""  # noqa: S608 constants

_RELEASE = f"""
    WITH ours AS ({
    _OURS.format(
        columns="to_state, after, give_back, error",
        arrays="$1::uuid[], $2::bigint[], $3::text[], $4::float8[], $5::int[], $6::text[]",
    )
})
    UPDATE jobs SET state = to_state, lease_until = NULL, rung_at = NULL,
        run_at = now() + make_interval(secs => after), attempt = greatest(attempt - give_back, 0),
        error_class = error, last_error = error, finished_at = CASE WHEN to_state = 'dead' THEN now() END
    FROM ours WHERE jobs.id = ours.id
    RETURNING jobs.id, lead_id, run_version, wanted_version, trace_id, state
"""  # noqa: S608 constants

_NEXT = """
    INSERT INTO jobs (lead_id, run_version, wanted_version, trace_id)
    SELECT lead_id, version, version, trace_id FROM unnest($1::uuid[], $2::int[], $3::text[])
        AS new(lead_id, version, trace_id) ORDER BY lead_id
    ON CONFLICT (lead_id) WHERE state IN ('ready', 'leased', 'parked') DO NOTHING
"""

# Not where another run is live, nor where a later one has been: old data must not go over new. A run whose writes
# no longer fit what it wrote before, or that goes back behind writes that left us, gets a version of its own. What
# arrived while it was parked is still wanted after it.
_OWN_VERSION = """(
    jobs.error_class = :conflict
    OR (jobs.step <> (:again)[1] AND EXISTS (
        SELECT FROM actions WHERE job_id = jobs.id AND run_version = jobs.run_version
                              AND state NOT IN ('planned', 'failed'))))"""
_REOPEN = text(f"""
    WITH meant AS (SELECT id FROM jobs WHERE id = ANY(:ids) ORDER BY lead_id FOR UPDATE)
    UPDATE jobs SET state = 'ready', run_at = now(), rung_at = NULL, attempt = 0, finished_at = NULL,
        error_class = NULL, last_error = NULL, step = coalesce((:again)[1], step),
        run_version = CASE WHEN {_OWN_VERSION} THEN wanted_version + 1 ELSE run_version END,
        wanted_version = CASE WHEN {_OWN_VERSION} THEN wanted_version + 1 + (wanted_version > run_version)::int
                              ELSE wanted_version END
    FROM meant
    WHERE jobs.id = meant.id AND state IN ('parked', 'dead')
      AND (cardinality(:again) = 0 OR step = ANY(:again))
      AND NOT EXISTS (SELECT FROM jobs other WHERE other.lead_id = jobs.lead_id AND other.id <> jobs.id
                      AND (other.state IN ('ready', 'leased', 'parked') OR other.run_version > jobs.run_version))
    RETURNING jobs.id, jobs.lead_id, jobs.trace_id, jobs.step, jobs.run_version, old.run_version AS old_version,
        old.step AS stopped_at
""").bindparams(bindparam("ids", type_=ARRAY(Uuid)), bindparam("again", type_=ARRAY(Text)))  # noqa: S608 constants
IDEMPOTENCY_CONFLICT = "guard_idempotency_conflict"


async def want(connection: Connection, leads: Mapping[UUID, str]) -> None:
    """Makes a job for each lead (lead id -> trace id), or tells the live one that a newer version is wanted."""
    if leads:
        await connection.execute(_WANT, list(leads), list(leads.values()))


async def ring(connection: Connection, *, again: float, limit: int, window: int) -> list[UUID]:
    """Marks up to `limit` of the first `window` due jobs as rung; those rung in the last `again` seconds are left."""
    return [row[0] for row in await connection.fetch(_RING, again, limit, window)]


async def unring(connection: Connection, ids: Sequence[UUID]) -> None:
    """Takes back the mark of jobs for which nobody could be rung."""
    await connection.execute("UPDATE jobs SET rung_at = NULL WHERE id = ANY($1::uuid[]) AND state = 'ready'", ids)


async def claim(
    connection: Connection, ids: Sequence[UUID], *, owner: str, lease: float, max_claims: int
) -> list[Lease]:
    """Takes the leases of those of the jobs that are due; for stale and repeated rings there is nothing to take."""
    return [Lease(*row) for row in await connection.fetch(_CLAIM_RUNG, ids, owner, lease, max_claims)]


async def claim_overdue(
    connection: Connection, limit: int, *, overdue: float, owner: str, lease: float, max_claims: int
) -> list[Lease]:
    """Takes up to `limit` leases of jobs that have been due for `overdue` seconds, whether or not anybody rang."""
    found = await connection.fetch(_CLAIM_OVERDUE, limit, owner, lease, max_claims, overdue)
    return [Lease(*row) for row in found]


async def bury(connection: Connection, *, max_claims: int) -> list[dict[str, Any]]:
    """Ends jobs whose last allowed claim has expired; returns their id, lead_id, step and trace_id."""
    buried = await connection.fetch(_BURY, max_claims)
    await make_next(connection, buried)
    return [dict(row) for row in buried]


async def heartbeat(connection: Connection, held: Sequence[tuple[UUID, int]], *, lease: float) -> set[UUID]:
    """Extends the leases (job id, token) that are still ours; returns the ids of those."""
    ids, tokens = zip(*held, strict=True)
    return {row[0] for row in await connection.fetch(_HEARTBEAT, ids, tokens, lease)}


async def release(connection: Connection, releases: Sequence[Release]) -> set[UUID]:
    """Gives leases up; returns the ids of the jobs whose lease still held."""
    ids, tokens = [one.lease.job_id for one in releases], [one.lease.token for one in releases]
    rest = zip(*((one.state, one.after, int(one.give_back), one.error) for one in releases), strict=True)
    released = await connection.fetch(_RELEASE, ids, tokens, *rest)
    await make_next(connection, released)
    return {row["id"] for row in released}


async def make_next(connection: Connection, ended: Sequence[Mapping[str, Any]]) -> None:
    """What was accepted while a run was under way gets its own, however that run ended.

    Takes id, lead_id, run_version, wanted_version, trace_id and state of jobs, as they are now.
    """
    ends = [row for row in ended if row["state"] in ENDS and row["wanted_version"] > row["run_version"]]
    if ends:
        columns = ([row[name] for row in ends] for name in ("lead_id", "wanted_version", "trace_id"))
        await connection.execute(_NEXT, *columns)


async def reopen(session: Session, ids: Sequence[UUID], again: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Makes parked and dead jobs ready again, from the first step of `again`, or else from the one where they stopped.

    A job that stopped at none of the steps in `again` is left alone. Returns id, lead_id, trace_id, step, run_version,
    and what it was before: old_version, stopped_at (the step).
    """
    values = {"ids": list(ids), "again": list(again), "conflict": IDEMPOTENCY_CONFLICT}
    return [dict(row) for row in (await session.execute(_REOPEN, values)).mappings()]


async def hurry(session: Session, job_id: UUID) -> bool:
    """What a waiting job waited for is there: it is due now. False if it does not wait."""
    return (await session.execute(_HURRY, {"id": job_id})).rowcount == 1
