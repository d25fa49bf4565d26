"""One run over one version of a lead: what is finished, what comes next, and what is written when a step ends.

Every write is conditional on the lease's token: a worker that was frozen and came back changes nothing.
"""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256
from uuid import UUID

import orjson
from pydantic import ValidationError

from revenueflow.audit import trail
from revenueflow.db import jobs, leads, steps
from revenueflow.db.jobs import Lease
from revenueflow.db.session import Database, Session
from revenueflow.db.steps import Checkpoint
from revenueflow.domain.lead import Lead, LeadStatus
from revenueflow.domain.outcome import AuditEntry, Changes, Done
from revenueflow.errors import LeaseLost
from revenueflow.pipeline.capture import Captured
from revenueflow.pipeline.context import Context
from revenueflow.pipeline.steps import STEPS, Step


class Run:
    """The state of a run: its lease, its context, and the hash that ties each checkpoint to what came before."""

    def __init__(self, database: Database, context: Context) -> None:
        self._database = database
        self.context = context
        self._chain = sha256(f"{context.lease.lead_id}/{context.lease.run_version}".encode()).digest()
        self._left = list(STEPS)
        self.attempt = context.lease.attempt

    @property
    def lease(self) -> Lease:
        """The lease under which everything here is written."""
        return self.context.lease

    @property
    def step(self) -> Step | None:
        """The step that comes next; None at the end."""
        return self._left[0] if self._left else None

    @property
    def lead(self) -> Lead:
        """The lead as captured; before that, only its id."""
        captured = self.context.results.get(Captured)
        if isinstance(captured, Captured):
            return captured.lead
        return Lead(id=self.lease.lead_id, received_at=self.context.now)

    async def resume(self) -> None:
        """Takes up the checkpoints of earlier attempts, up to the first step that must run (again)."""
        async with self._database.transaction() as session:
            finished = await steps.finished(session, self.lease.job_id)
        for step in STEPS:
            checkpoint = finished.get(step.name)
            if checkpoint is None or not self._take_up(step, checkpoint):
                return

    def _take_up(self, step: Step, checkpoint: Checkpoint) -> bool:
        """False if the step must run again: it, its result's form, or what came before it has changed."""
        if checkpoint.step_version != step.version or checkpoint.input_sha256 != self._chain:
            return False
        try:
            self.context.results[step.result] = step.result.model_validate(checkpoint.output)
        except ValidationError:
            return False
        self._advance(checkpoint)
        return True

    def _advance(self, checkpoint: Checkpoint) -> None:
        output = orjson.dumps(checkpoint.output, option=orjson.OPT_SORT_KEYS)
        self._chain = sha256(self._chain + checkpoint.name.encode() + output).digest()
        self._left.pop(0)

    async def checkpoint(self, step: Step, outcome: Done, started_at: datetime) -> None:
        """One commit: the result, the rows that belong to it, its audit events, and the job's next step or end.

        Raises LeaseLost if another worker owns the job now; then nothing is written.
        """
        checkpoint = Checkpoint(step.name, step.version, self._chain, outcome.result.model_dump(mode="json"))
        async with self._database.transaction() as session:
            await self._move_on(session)
            await steps.record(session, self.lease.job_id, checkpoint, started_at)
            await apply(session, self.lease, outcome.changes)
        self.context.results[step.result] = outcome.result
        self.attempt = 1
        self._advance(checkpoint)

    async def _move_on(self, session: Session) -> None:
        if len(self._left) > 1:
            held = await jobs.advance(session, self.lease, self._left[1].name)
        else:
            held = await jobs.finish(session, self.lease)
            await self._processed(session)
        if not held:
            raise LeaseLost("another worker owns this job")

    async def _processed(self, session: Session) -> None:
        await leads.finished(session, self.lease.lead_id)
        entry = AuditEntry("lead.processed", "done", {"run_version": self.lease.run_version})
        await trail.append(session, self._subject, [entry])

    async def release(
        self,
        state: str,
        *,
        reason: str,
        after: float = 0,
        give_back: bool = False,
        error_class: str | None = None,
        changes: Changes | None = None,
    ) -> None:
        """One commit: gives the lease up, for later (`ready`), for a person (`parked`) or for good (`dead`)."""
        async with self._database.transaction() as session:
            held = await jobs.release(
                session, self.lease, state=state, after=after, give_back=give_back,
                error_class=error_class or reason, error=reason,
            )  # fmt: skip
            if not held:
                raise LeaseLost("another worker owns this job")
            await apply(session, self.lease, changes or Changes())
            if state in ("parked", "dead"):
                await stopped(session, self._subject, state, step=self.step.name if self.step else "", reason=reason)

    @property
    def _subject(self) -> trail.Subject:
        return trail.Subject(self.lease.lead_id, self.lease.job_id, self.lease.trace_id)


async def apply(session: Session, lease: Lease, changes: Changes) -> None:
    """Writes the rows that belong to a step's result."""
    if "identity_key" in changes.lead:
        await leads.upsert(session, lease.lead_id, changes.lead)
    elif changes.lead:
        await leads.change(session, lease.lead_id, changes.lead)
    await steps.add_evidence(session, lease.lead_id, lease.job_id, changes.evidence)
    await steps.add_claims(session, lease.lead_id, lease.job_id, changes.claims)
    await trail.append(session, trail.Subject(lease.lead_id, lease.job_id, lease.trace_id), changes.audit)


async def stopped(session: Session, subject: trail.Subject, state: str, *, step: str, reason: str) -> None:
    """The lead stands still: `parked` for a person, or `dead`."""
    status = LeadStatus.PARKED if state == "parked" else LeadStatus.DEAD
    await leads.change(session, _lead(subject), {"status": status.value})
    await trail.append(session, subject, [AuditEntry(f"lead.{state}", state, {"step": step, "reason": reason})])


def _lead(subject: trail.Subject) -> UUID:
    if subject.lead_id is None:
        raise TypeError("a lead is needed")
    return subject.lead_id
