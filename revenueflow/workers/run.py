"""One run over one version of a lead: what is finished, what comes next, and what is written when a step ends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

import orjson
from pydantic import ValidationError

from revenueflow.db.jobs import Lease, Release
from revenueflow.db.steps import Checkpoint
from revenueflow.domain.lead import Lead, LeadStatus
from revenueflow.domain.outcome import AuditEntry, Changes, Done
from revenueflow.pipeline import chain
from revenueflow.pipeline.capture import Captured
from revenueflow.pipeline.context import Context
from revenueflow.pipeline.steps import Step
from revenueflow.workers.commits import Commits, GivenUp, StepEnd

_STOPPED = {"parked": LeadStatus.PARKED, "dead": LeadStatus.DEAD}


def _nothing() -> None:
    """Nobody wants to know."""


class Run:
    """The state of a run: its lease, its context, and the hash that ties each checkpoint to what came before."""

    def __init__(self, commits: Commits, context: Context, steps: Sequence[Step]) -> None:
        self._commits = commits
        self.context = context
        self._chain = chain.start(context.lease.lead_id, context.lease.run_version)
        self._left = list(steps)
        self._kept: list[tuple[Checkpoint, datetime]] = []
        self._changes = Changes()
        self.attempt = context.lease.attempt
        self.ending: Callable[[], None] = _nothing

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
        if Captured in self.context.results:
            return self.context.result(Captured).lead
        return Lead(id=self.lease.lead_id, received_at=self.context.now)

    async def resume(self) -> None:
        """Takes up the checkpoints of earlier attempts, up to the first step that must run (again)."""
        if self._left and self.lease.step == self._left[0].name:
            return  # nothing is finished
        finished = await self._commits.finished(self.lease.job_id)
        for step in list(self._left):
            checkpoint = finished.get(step.name)
            if checkpoint is None or not self._take_up(step, checkpoint):
                return

    def _take_up(self, step: Step, checkpoint: Checkpoint) -> bool:
        """False if the step must run again: it, its result's form, or what came before it has changed."""
        if checkpoint.step_version != step.version or checkpoint.input_sha256 != self._chain:
            return False
        try:
            self.context.results[step.result] = step.result.model_validate_json(checkpoint.output)
        except ValidationError:
            return False
        self._advance(step, chain.canonical(orjson.loads(checkpoint.output)))
        return True

    def _advance(self, step: Step, output: bytes) -> None:
        self._chain = chain.after(self._chain, step.name, output)
        self._left.pop(0)

    def keep(self, step: Step, outcome: Done, started_at: datetime) -> None:
        """The step has ended: its result is known to the following ones, and written by the next `checkpoint`."""
        output = chain.canonical(outcome.result.model_dump(mode="json"))
        self._changes = self._changes.then(outcome.changes) if self._kept else outcome.changes
        self._kept.append((Checkpoint(step.name, step.version, self._chain, output.decode()), started_at))
        self.context.results[step.result] = outcome.result
        self._advance(step, output)

    async def checkpoint(self) -> None:
        """One commit: what was kept, the rows that belong to it, its audit events, and the job's next step or end.

        Raises LeaseLost if another worker owns the job now; then nothing is written.
        """
        if self._kept:
            following = self.step.name if self.step else None
            changes = self._changes if following else self._with_end(self._changes)
            if following is None:
                self.ending()
            await self._commits.end_step(StepEnd(self.lease, following, self._kept, changes))
            self._kept, self._changes, self.attempt = [], Changes(), 1

    def _with_end(self, changes: Changes) -> Changes:
        entry = AuditEntry("lead.processed", "done", {"run_version": self.lease.run_version})
        return replace(changes, audit=(*changes.audit, entry))

    async def release(
        self, state: str, *, reason: str, after: float = 0, give_back: bool = False, changes: Changes | None = None
    ) -> None:
        """One commit: gives the lease up, for later (`ready`), for a person (`parked`) or for good (`dead`)."""
        self.ending()
        changes = changes or Changes()
        if state in _STOPPED:
            changes = self._with_stop(changes, state, reason)
        await self._commits.give_up(GivenUp(Release(self.lease, state, after, give_back, reason), changes))

    def _with_stop(self, changes: Changes, state: str, reason: str) -> Changes:
        step = self._kept[0][0].name if self._kept else self.step.name if self.step else ""
        entry = AuditEntry(f"lead.{state}", state, {"step": step, "reason": reason})
        lead = {**changes.lead, "status": _STOPPED[state].value}
        return replace(changes, lead=lead, audit=(*changes.audit, entry))
