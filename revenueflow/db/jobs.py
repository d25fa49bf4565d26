"""Queries on jobs: wanting, ringing, claiming, and every change of state. All clocks are the database's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, Text, Uuid, bindparam, text

from revenueflow.db.session import Session


class Lease(NamedTuple):
    """A claimed job. `token` fences: every later write is conditional on it."""

    job_id: UUID
    lead_id: UUID
    run_version: int
    attempt: int
    token: int
    trace_id: str


# A live job only learns that a newer version is wanted; the runner makes the next job when this one ends. But one that
# was parked by capture, for what its deliveries lacked, looks again: the new delivery may have it.
_WANT = text("""
    INSERT INTO jobs (lead_id, trace_id, run_version, wanted_version)
    SELECT new.lead_id, new.trace_id, last.version + 1, last.version + 1
    FROM unnest(:lead_ids, :trace_ids) AS new(lead_id, trace_id)
    CROSS JOIN LATERAL (SELECT coalesce(max(run_version), 0) AS version FROM jobs j WHERE j.lead_id = new.lead_id) last
    ORDER BY new.lead_id
    ON CONFLICT (lead_id) WHERE state IN ('ready', 'leased', 'parked')
    DO UPDATE SET wanted_version = jobs.wanted_version + 1,
        state = CASE WHEN jobs.state = 'parked' AND jobs.step = 'capture' THEN 'ready' ELSE jobs.state END,
        run_at = CASE WHEN jobs.state = 'parked' THEN now() ELSE jobs.run_at END,
        attempt = CASE WHEN jobs.state = 'parked' THEN 0 ELSE jobs.attempt END
""").bindparams(bindparam("lead_ids", type_=ARRAY(Uuid)), bindparam("trace_ids", type_=ARRAY(Text)))

# Two selects, each along its own index: one with OR would sort the whole backlog at every sweep.
_RING = text("""
    WITH ready AS (
        SELECT id FROM jobs
        WHERE state = 'ready' AND run_at <= now()
          AND (rung_at IS NULL OR rung_at < now() - make_interval(secs => :again))
        ORDER BY run_at LIMIT :limit FOR UPDATE SKIP LOCKED
    ), expired AS (
        SELECT id FROM jobs
        WHERE state = 'leased' AND lease_until < now()
          AND (rung_at IS NULL OR rung_at < now() - make_interval(secs => :again))
        ORDER BY lease_until LIMIT :limit FOR UPDATE SKIP LOCKED
    )
    UPDATE jobs SET rung_at = now()
    WHERE id IN (SELECT id FROM ready UNION ALL SELECT id FROM expired)
      AND NOT EXISTS (SELECT FROM controls WHERE name = 'paused')
    RETURNING id
""")

_CLAIM = text("""
    UPDATE jobs SET state = 'leased', lease_owner = :owner, lease_token = lease_token + 1, attempt = attempt + 1,
        lease_until = now() + make_interval(secs => :lease),
        run_version = CASE WHEN EXISTS (SELECT FROM steps WHERE job_id = jobs.id) THEN run_version
                           ELSE wanted_version END
    WHERE id = :id AND attempt < :max_claims
      AND ((state = 'ready' AND run_at <= now()) OR (state = 'leased' AND lease_until < now()))
      AND NOT EXISTS (SELECT FROM controls WHERE name = 'paused')
    RETURNING id, lead_id, run_version, attempt, lease_token, trace_id
""")

# The last claim that was allowed has expired: whatever it was killed the worker, or hung, each time.
_BURY = text("""
    UPDATE jobs SET state = 'dead', lease_until = NULL, finished_at = now(), lease_token = lease_token + 1,
        error_class = coalesce(error_class, 'lease_expired'),
        last_error = coalesce(last_error, 'the worker died or hung')
    WHERE id IN (SELECT id FROM jobs
                 WHERE attempt >= :max_claims
                   AND ((state = 'leased' AND lease_until < now()) OR (state = 'ready' AND run_at <= now()))
                 FOR UPDATE SKIP LOCKED)
    RETURNING id, lead_id, step, trace_id, run_version, wanted_version
""")

# Locked in the order of the leads, as the ingress does: the two never wait for each other in a circle.
_HEARTBEAT = text("""
    WITH held AS (
        SELECT jobs.id FROM jobs JOIN unnest(:ids, :tokens) AS ours(id, token)
          ON jobs.id = ours.id AND jobs.lease_token = ours.token AND jobs.state = 'leased'
        ORDER BY jobs.lead_id FOR UPDATE OF jobs
    )
    UPDATE jobs SET lease_until = now() + make_interval(secs => :lease) FROM held WHERE jobs.id = held.id
    RETURNING jobs.id
""").bindparams(bindparam("ids", type_=ARRAY(Uuid)), bindparam("tokens", type_=ARRAY(BigInteger)))

# A finished step resets the count: for the next one, the claim under way is the first.
_ADVANCE = text("""
    UPDATE jobs SET step = :step, attempt = 1, error_class = NULL, last_error = NULL
    WHERE id = :id AND lease_token = :token AND state = 'leased'
""")

_FINISH = text("""
    UPDATE jobs SET state = :state, lease_until = NULL, attempt = 0, finished_at = now()
    WHERE id = :id AND lease_token = :token AND state = 'leased'
    RETURNING lead_id, run_version, wanted_version, trace_id
""")

_RELEASE = text("""
    UPDATE jobs SET state = :state, lease_until = NULL, rung_at = NULL,
        run_at = now() + make_interval(secs => :after), attempt = greatest(attempt - :give_back, 0),
        error_class = :error_class, last_error = :error,
        finished_at = CASE WHEN :state = 'dead' THEN now() END
    WHERE id = :id AND lease_token = :token AND state = 'leased'
    RETURNING lead_id, run_version, wanted_version, trace_id
""")

_NEXT = text("""
    INSERT INTO jobs (lead_id, run_version, wanted_version, trace_id)
    VALUES (:lead_id, :version, :version, :trace_id)
    ON CONFLICT (lead_id) WHERE state IN ('ready', 'leased', 'parked') DO NOTHING
""")

# Not where another run is live, nor where a later one has been: old data must not go over new. A run whose writes
# no longer fit what it wrote before gets a version of its own, and begins again.
_REOPEN = text("""
    UPDATE jobs SET state = 'ready', run_at = now(), rung_at = NULL, attempt = 0, finished_at = NULL,
        run_version = CASE WHEN error_class = :conflict THEN wanted_version + 1 ELSE run_version END,
        wanted_version = CASE WHEN error_class = :conflict THEN wanted_version + 1 ELSE wanted_version END,
        step = CASE WHEN error_class = :conflict THEN 'capture' ELSE step END
    WHERE id = ANY(:ids) AND state IN ('parked', 'dead')
      AND NOT EXISTS (SELECT FROM jobs other WHERE other.lead_id = jobs.lead_id AND other.id <> jobs.id
                      AND (other.state IN ('ready', 'leased', 'parked') OR other.run_version > jobs.run_version))
    RETURNING id, lead_id, trace_id, step
""").bindparams(bindparam("ids", type_=ARRAY(Uuid)))
IDEMPOTENCY_CONFLICT = "guard_idempotency_conflict"


async def want(session: Session, leads: Mapping[UUID, str]) -> None:
    """Makes a job for each lead (lead id -> trace id), or tells the live one that a newer version is wanted."""
    if leads:
        await session.execute(_WANT, {"lead_ids": list(leads), "trace_ids": list(leads.values())})


async def ring(session: Session, *, again: float, limit: int) -> list[UUID]:
    """Marks due jobs as rung and returns them, oldest first; those rung in the last `again` seconds are left."""
    return list((await session.execute(_RING, {"again": again, "limit": limit})).scalars())


async def claim(session: Session, job_id: UUID, *, owner: str, lease: float, max_claims: int) -> Lease | None:
    """Takes the lease of a due job; None if there is nothing to take (a stale or repeated ring)."""
    values = {"id": job_id, "owner": owner, "lease": lease, "max_claims": max_claims}
    found = (await session.execute(_CLAIM, values)).first()
    return Lease(*found) if found else None


async def bury(session: Session, *, max_claims: int) -> list[dict[str, Any]]:
    """Ends jobs whose last allowed claim has expired; returns their id, lead_id, step and trace_id."""
    buried = (await session.execute(_BURY, {"max_claims": max_claims})).mappings().all()
    for row in buried:
        await _make_next(session, row)
    return [dict(row) for row in buried]


async def heartbeat(session: Session, held: Sequence[tuple[UUID, int]], *, lease: float) -> set[UUID]:
    """Extends the leases (job id, token) that are still ours; returns the ids of those."""
    values = {"ids": [job for job, _ in held], "tokens": [token for _, token in held], "lease": lease}
    return set((await session.execute(_HEARTBEAT, values)).scalars())


async def advance(session: Session, lease: Lease, step: str) -> bool:
    """Names the step that comes next, and forgets the attempts; False if the lease is lost."""
    values = {"id": lease.job_id, "token": lease.token, "step": step}
    return (await session.execute(_ADVANCE, values)).rowcount == 1


async def finish(session: Session, lease: Lease) -> bool:
    """Ends the run, and makes the next job if a newer version was wanted meanwhile; False if the lease is lost."""
    values = {"id": lease.job_id, "token": lease.token, "state": "done"}
    found = (await session.execute(_FINISH, values)).mappings().first()
    if found:
        await _make_next(session, found)
    return found is not None


async def _make_next(session: Session, ended: Mapping[Any, Any]) -> None:
    """What was accepted while a run was under way gets its own, however that run ended."""
    if ended["wanted_version"] > ended["run_version"]:
        names = ("lead_id", "trace_id")
        await session.execute(_NEXT, {name: ended[name] for name in names} | {"version": ended["wanted_version"]})


async def release(
    session: Session,
    lease: Lease,
    *,
    state: str,
    after: float = 0,
    give_back: bool = False,
    error_class: str | None = None,
    error: str | None = None,
) -> bool:
    """Gives the lease up for `state` (ready, parked, dead), due again `after` seconds; False if it is lost."""
    values = {
        "id": lease.job_id, "token": lease.token, "state": state, "after": after, "give_back": int(give_back),
        "error_class": error_class, "error": error,
    }  # fmt: skip
    found = (await session.execute(_RELEASE, values)).mappings().first()
    if found and state == "dead":
        await _make_next(session, found)
    return found is not None


async def reopen(session: Session, ids: Sequence[UUID]) -> list[dict[str, Any]]:
    """Makes parked and dead jobs ready again, from the step where they stopped; returns id, lead_id, trace_id, step."""
    values = {"ids": list(ids), "conflict": IDEMPOTENCY_CONFLICT}
    return [dict(row) for row in (await session.execute(_REOPEN, values)).mappings()]
