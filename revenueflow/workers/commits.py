"""What the runs of one worker write, each kind in commits that all share which need one at the same moment.

Every row is conditional on its own lease's token: a run that lost its lease gets LeaseLost and changes nothing, the
others in the commit are not touched by that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from revenueflow.audit import trail
from revenueflow.db import jobs, leads, reviews, scores, steps, timers
from revenueflow.db.direct import Connection, Direct
from revenueflow.db.jobs import Lease, Release
from revenueflow.db.steps import Checkpoint, Ended
from revenueflow.domain.outcome import AuditEntry, Changes
from revenueflow.domain.scoring import Score
from revenueflow.errors import LeaseLost
from revenueflow.resilience.crash import crash_point
from revenueflow.resilience.sharing import Shared
from revenueflow.scoring.reasoning import reasoning
from revenueflow.settings import WorkerSettings

LANES = 3
"""Commits of steps under way at the same time: while Postgres writes one, the steps that follow the other run."""


class StepEnd(NamedTuple):
    """Steps that have ended: their checkpoints, each with the time at which it was started, and the rows of all.

    `next_step` is None at the end of a run.
    """

    lease: Lease
    next_step: str | None
    checkpoints: Sequence[tuple[Checkpoint, datetime]]
    changes: Changes


@dataclass(frozen=True, slots=True)
class GivenUp:
    """A lease that is given up, and what is written with it."""

    release: Release
    changes: Changes = field(default_factory=Changes)

    @property
    def lease(self) -> Lease:
        """The lease."""
        return self.release.lease


class Commits:
    """The writes of one worker. `owner` names it in the leases that it takes."""

    def __init__(self, direct: Direct, settings: WorkerSettings, *, owner: str) -> None:
        self._direct = direct
        self._claiming: dict[str, Any] = {
            "owner": owner, "lease": settings.lease, "max_claims": settings.max_claims,
        }  # fmt: skip
        self.end_step: Shared[StepEnd, None] = Shared(self._end_steps, lanes=LANES)
        self.give_up: Shared[GivenUp, None] = Shared(self._give_up)

    async def claim(self, ids: Sequence[UUID]) -> list[Lease]:
        """Takes the leases of those of the jobs that are due."""
        crash_point("claim.before_commit")
        async with self._direct.connection() as connection:
            leases = await jobs.claim(connection, ids, **self._claiming)
        if leases:
            crash_point("claim.after_commit")
        return leases

    async def claim_overdue(self, limit: int, *, overdue: float) -> list[Lease]:
        """Takes the leases of up to `limit` jobs that nobody has claimed for `overdue` seconds."""
        crash_point("claim.before_commit")
        async with self._direct.connection() as connection:
            leases = await jobs.claim_overdue(connection, limit, overdue=overdue, **self._claiming)
        if leases:
            crash_point("claim.after_commit")
        return leases

    async def finished(self, job_id: UUID) -> dict[str, Checkpoint]:
        """The checkpoints of a job, by the step's name."""
        async with self._direct.connection() as connection:
            return await steps.finished(connection, job_id)

    async def _end_steps(self, ends: Sequence[StepEnd]) -> list[Exception | None]:
        crash_point("checkpoint.before_commit")
        alone = all(map(_is_one_statement, ends))
        results = await self._direct.together(ends, _write_ends, one_statement=alone)
        crash_point("checkpoint.after_commit")
        return results

    async def _give_up(self, given_up: Sequence[GivenUp]) -> list[Exception | None]:
        crash_point("release.before_commit")
        results = await self._direct.together(given_up, _write_given_up)
        crash_point("release.after_commit")
        return results


async def _write_ends(connection: Connection, ends: Sequence[StepEnd]) -> list[Exception | None]:
    held = await steps.end(connection, [_ended(end) for end in ends])
    await _write_rows(connection, [(end.lease, end.changes) for end in ends if end.lease.job_id in held])
    return _results(ends, held)


def _ended(end: StepEnd) -> Ended:
    events = [_event(end.lease, entry) for entry in end.changes.audit]
    return Ended(end.lease, end.next_step, end.checkpoints, events)


def _is_one_statement(end: StepEnd) -> bool:
    changes = end.changes
    return end.next_step is not None and not (changes.lead or changes.evidence or changes.claims)


async def _write_given_up(connection: Connection, given_up: Sequence[GivenUp]) -> list[Exception | None]:
    held = await jobs.release(connection, [one.release for one in given_up])
    changed = [(one.lease, one.changes) for one in given_up if one.lease.job_id in held]
    await _write_rows(connection, changed)
    await trail.append_rows(connection, [_event(lease, entry) for lease, changes in changed for entry in changes.audit])
    return _results(given_up, held)


async def _write_rows(connection: Connection, changed: Sequence[tuple[Lease, Changes]]) -> None:
    await leads.write(connection, [(lease.lead_id, changes.lead) for lease, changes in changed])
    await steps.add_evidence(connection, [(lease, changes.evidence) for lease, changes in changed])
    await steps.add_claims(connection, [(lease, changes.claims) for lease, changes in changed])
    await scores.add(connection, [_made(lease, changes.score) for lease, changes in changed if changes.score])
    questions = [reviews.Judged(lease, changes.questions) for lease, changes in changed if changes.questions]
    await reviews.judged(connection, questions)
    await timers.begin(connection, [(lease, changes.timer) for lease, changes in changed if changes.timer])


def _made(lease: Lease, score: Score) -> scores.Made:
    return scores.Made(lease.lead_id, lease.run_version, score, reasoning(score), job_id=lease.job_id)


def _event(lease: Lease, entry: AuditEntry) -> dict[str, Any]:
    return trail.row(trail.Subject(lease.lead_id, lease.job_id, lease.trace_id), entry)


def _results(items: Sequence[StepEnd] | Sequence[GivenUp], held: set[UUID]) -> list[Exception | None]:
    return [None if item.lease.job_id in held else LeaseLost("another worker owns this job") for item in items]
