"""Setting jobs going again that stood still: from the step where they stopped, or from an earlier one.

A run keeps its version, and so the keys of its writes, unless what it wrote may come out differently this time: then
it gets a version of its own. What was finished before the step stays finished either way.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from revenueflow.audit import trail
from revenueflow.db import audit_events, dead_letters, jobs, jobs_view, reruns
from revenueflow.db.dead_letters import Chosen, Kept, Terms
from revenueflow.db.session import Database, Session
from revenueflow.domain.outcome import AuditEntry
from revenueflow.errors import Contended, Refused
from revenueflow.mcp import ledger
from revenueflow.pipeline import chain
from revenueflow.pipeline.steps import STEPS

NAMES = tuple(step.name for step in STEPS)
MOST = 10_000
"""How many jobs one replay sets going at the most."""
_BATCH = 100


@dataclass(frozen=True, slots=True)
class Replayed:
    """The jobs that were set going again (in a dry run: that would be), and how many were left alone, by reason.

    The reasons are those of `dead_letters.judge`.
    """

    jobs: list[UUID]
    left: dict[str, int]


async def replay(
    database: Database,
    chosen: Chosen,
    *,
    actor: str,
    from_step: str | None = None,
    poison: bool = False,
    limit: int = MOST,
    dry_run: bool = False,
) -> Replayed:
    """Sets the chosen jobs going again, oldest first, from `from_step` or else from where each of them stopped.

    Poison jobs are left alone unless they are named, or `poison`. Writes that the CRM had refused may be tried again.
    """
    again = _onwards(from_step) if from_step else ()
    terms = Terms(again, poison or chosen.ids is not None)
    async with database.transaction() as session:
        judged = await dead_letters.judge(session, chosen, terms, limit=limit)
    if dry_run:
        return Replayed(judged.jobs, judged.left)
    done: set[UUID] = set()
    for first in range(0, len(judged.jobs), _BATCH):
        done |= await _reopen_each(database, judged.jobs[first : first + _BATCH], again, actor)
    left = _with_overtaken(judged.left, len(judged.jobs) - len(done))
    return Replayed([job for job in judged.jobs if job in done], left)


async def again(session: Session, ended: Mapping[str, Any], step: str) -> reruns.Again:
    """The next run of a lead, from `step` on with what the one that has ended left before it.

    `ended`: its id, lead_id, run_version, trace_id. A run that is under way goes on, and another one follows it (`made`
    is false then).
    """
    fresh = await reruns.again(session, {name: ended[name] for name in ("lead_id", "run_version", "trace_id")}, step)
    if not fresh.made:
        return fresh
    if fresh.step == step:
        await reruns.carry_over(session, ended["id"], fresh.job_id, NAMES[: NAMES.index(step)])
        kept = await dead_letters.checkpoints(session, [fresh.job_id])
        versions = {
            "lead_id": ended["lead_id"], "old_version": ended["run_version"], "run_version": fresh.run_version,
        }  # fmt: skip
        await dead_letters.rechain(session, list(rechained({fresh.job_id: versions}, kept)))
    await dead_letters.under_way(session, [ended["lead_id"]])
    return fresh


async def process_again(database: Database, lead_id: UUID, step: str, *, actor: str) -> UUID | None:
    """A run of a lead whose last one is done, from `step` on; its id. None if the lead has no such run."""
    async with database.transaction() as session:
        ended = await jobs_view.done_of_lead(session, lead_id)
        if ended is None:
            return None
        kept = {one.name for one in await dead_letters.checkpoints(session, [ended["id"]])}
        # What retention has taken away is made again.
        from_ = step if kept.issuperset(NAMES[: NAMES.index(step)]) else NAMES[0]
        fresh = await again(session, ended, from_)
        if not fresh.made:
            return None
        job = ended | {"id": fresh.job_id, "step": fresh.step, "run_version": fresh.run_version, "stopped_at": "done"}
        await audit_events.append(session, [_event(job, actor)])
        return fresh.job_id


def _onwards(step: str) -> tuple[str, ...]:
    return NAMES[NAMES.index(step) :]


def _with_overtaken(left: Mapping[str, int], count: int) -> dict[str, int]:
    """Jobs of which somebody else started another run since they were judged."""
    return {**left, "another_run": left.get("another_run", 0) + count} if count else dict(left)


async def _reopen_each(database: Database, ids: Sequence[UUID], again: Sequence[str], actor: str) -> set[UUID]:
    """One commit for all; if a delivery has just made a run for one of the leads, one for each."""
    try:
        async with database.transaction() as session:
            return await _reopen(session, ids, again, actor)
    except (Refused, Contended):
        if len(ids) == 1:
            return set()
        return {done for one in ids for done in await _reopen_each(database, [one], again, actor)}


async def _reopen(session: Session, ids: Sequence[UUID], again: Sequence[str], actor: str) -> set[UUID]:
    reopened = await jobs.reopen(session, ids, again)
    for step, of_step in _by_step(reopened).items():
        await dead_letters.forget(session, of_step, _onwards(step))
    new = {job["id"]: job for job in reopened if job["run_version"] != job["old_version"]}
    kept = await dead_letters.checkpoints(session, list(new)) if new else []
    await dead_letters.rechain(session, list(rechained(new, kept)))
    await ledger.plan_again(session, [job["id"] for job in reopened if job["id"] not in new], actor=actor)
    await dead_letters.under_way(session, [job["lead_id"] for job in reopened])
    await audit_events.append(session, [_event(job, actor) for job in reopened])
    return {job["id"] for job in reopened}


def _by_step(reopened: Sequence[Mapping[str, Any]]) -> dict[str, list[UUID]]:
    found: defaultdict[str, list[UUID]] = defaultdict(list)
    for job in reopened:
        found[job["step"]].append(job["id"])
    return found


def rechained(new: Mapping[UUID, Mapping[str, Any]], kept: Sequence[Kept]) -> Iterator[Kept]:
    """The checkpoints of jobs with another version, tied to that one; those that did not fit are left as misfits.

    `new` are the jobs by id: lead_id, old_version, run_version.
    """
    outputs = {(one.job_id, one.name): one for one in kept}
    for job_id, job in new.items():
        old, fresh = (chain.start(job["lead_id"], job[name]) for name in ("old_version", "run_version"))
        for name in NAMES:
            one = outputs.get((job_id, name))
            if one is None or one.input_sha256 != old:
                break
            yield one._replace(input_sha256=fresh)
            old, fresh = (chain.after(link, name, chain.canonical(one.output)) for link in (old, fresh))


def _event(job: Mapping[str, Any], actor: str) -> dict[str, Any]:
    detail = {"from_step": job["step"], "stopped_at": job["stopped_at"], "run_version": job["run_version"]}
    entry = AuditEntry("job.replayed", "done", detail, actor=actor)
    return trail.row(trail.Subject(job["lead_id"], job["id"], job["trace_id"]), entry)
