"""The runner: claims a job, runs its steps, and turns each outcome into the job's next state."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from uuid import UUID

from revenueflow.clock import utcnow
from revenueflow.db.jobs import Lease
from revenueflow.domain.outcome import Done, Outcome, Park, Reject, Retry, Snooze
from revenueflow.errors import LeaseLost, Refused, RevenueFlowError, Unavailable
from revenueflow.pipeline.context import Context, Services
from revenueflow.pipeline.steps import STEPS, Step
from revenueflow.settings import WorkerSettings
from revenueflow.telemetry import logs, metrics
from revenueflow.workers.commits import Commits
from revenueflow.workers.heartbeat import Heartbeat, Held
from revenueflow.workers.run import Run

log = logs.get("runner")


ROOM_SECONDS = 0.5
"""How long jobs that were rung for wait for room here, before somebody else gets them."""


class Runner:
    """Runs up to `concurrency` jobs at a time in this process."""

    def __init__(
        self,
        commits: Commits,
        services: Services,
        settings: WorkerSettings,
        heartbeat: Heartbeat,
        *,
        steps: Sequence[Step] = STEPS,
    ) -> None:
        self.commits = commits
        self._services = services
        self._settings = settings
        self._heartbeat = heartbeat
        self._steps = steps
        self._running: set[asyncio.Task[None]] = set()
        self._room = asyncio.Event()
        self._room.set()
        self._draining = False
        self.rung_at = time.monotonic()

    @property
    def free(self) -> int:
        """How many more jobs may run."""
        return 0 if self._draining else self._settings.concurrency - len(self._running)

    async def ready(self) -> None:
        """Returns when there is room for a job, or when there will be none any more."""
        await self._room.wait()

    async def accept(self, jobs: Sequence[UUID]) -> Sequence[UUID]:
        """Answers a ring: claims and starts the jobs that there is room for; returns the others."""
        self.rung_at = time.monotonic()
        while jobs and self.free > 0:
            taken, jobs = jobs[: self.free], jobs[self.free :]
            try:
                self.start(await self.commits.claim(taken))
            except Unavailable as error:
                log.warning("claim_failed", detail=error.detail)
                return ()
            if jobs:
                await self._wait_for_room()
        return jobs

    async def accept_overdue(self, overdue: float) -> int:
        """Claims and starts jobs that have been due for `overdue` seconds, rung for or not; returns how many."""
        leases = await self.commits.claim_overdue(self.free, overdue=overdue) if self.free > 0 else []
        self.start(leases)
        return len(leases)

    def start(self, leases: Sequence[Lease]) -> None:
        """Starts runs under these leases."""
        for lease in leases:
            task = asyncio.create_task(self._guarded(lease))
            self._running.add(task)
            task.add_done_callback(self._ended)
        if self.free <= 0 and not self._draining:
            self._room.clear()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._room.set()

    async def _wait_for_room(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(ROOM_SECONDS):
                await self._room.wait()

    async def drain(self) -> None:
        """Lets what runs finish for `drain` seconds, then hands the rest back."""
        self._draining = True
        self._room.set()
        if self._running:
            await asyncio.wait(self._running, timeout=self._settings.drain)
        for task in list(self._running):
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _guarded(self, lease: Lease) -> None:
        # The edge of the process: whatever goes wrong with one job must not touch the others.
        try:
            await self.run(lease)
        except LeaseLost:
            metrics.leases_lost.inc()
        except Unavailable as error:
            log.warning("database_away", job_id=str(lease.job_id), detail=error.detail)

    async def _hand_back(self, run: Run) -> None:
        # Postgres being away is not the lead's fault. If it can't be told, the lease runs out and an attempt is spent.
        with suppress(Unavailable, LeaseLost):
            await run.release("ready", reason="database_away", after=_pause(run.attempt), give_back=True)

    async def run(self, lease: Lease) -> None:
        """Runs a claimed job as far as it goes."""
        run = Run(self.commits, Context(lease, utcnow(), self._services), self._steps)
        with self._heartbeat.holding(lease) as held:
            run.ending = held.end
            await self._to_an_end(run, held)

    async def _to_an_end(self, run: Run, held: Held) -> None:
        try:
            await self._perform_all(run)
        except asyncio.CancelledError:
            if held.lost:
                raise LeaseLost("another worker owns this job") from None
            await asyncio.shield(run.release("ready", reason="shutdown", give_back=True))
            raise
        except Unavailable:
            await self._hand_back(run)
            raise
        except LeaseLost:
            raise
        except Exception as error:
            log.exception("run_failed", job_id=str(run.lease.job_id), step=run.step.name if run.step else None)
            await self._stop(run, Retry(0, type(error).__name__))

    async def _perform_all(self, run: Run) -> None:
        await run.resume()
        stopped = None
        while stopped is None and (step := run.step):
            try:
                stopped = await self._step(step, run)
            except Refused:
                stopped = Retry(0, "checkpoint_refused")
        if stopped:
            await self._stop(run, stopped)

    async def _step(self, step: Step, run: Run) -> Snooze | Retry | Park | Reject | None:
        """None if the step has ended well. What it must not repeat is committed before the next one begins."""
        if not step.pure:
            await run.checkpoint()
        started_at, began = utcnow(), time.perf_counter()
        outcome = await self._perform(step, run)
        metrics.observe_step(step.name, type(outcome).__name__, time.perf_counter() - began)
        if isinstance(outcome, Done):
            run.keep(step, outcome, started_at)
        if not step.pure or run.step is None or not isinstance(outcome, Done):
            await run.checkpoint()
        return None if isinstance(outcome, Done) else outcome

    async def _perform(self, step: Step, run: Run) -> Outcome:
        # The edge of a step: an error that nobody foresaw spends an attempt, and its kind is kept, not its text.
        try:
            return await step.run(run.lead, run.context)
        except (LeaseLost, Unavailable):
            raise
        except RevenueFlowError as error:
            return Retry(error.retry_after or 0, error.code)
        except Exception as error:
            log.exception("step_failed", step=step.name, job_id=str(run.lease.job_id))
            return Retry(0, type(error).__name__)

    async def _stop(self, run: Run, outcome: Snooze | Retry | Park | Reject) -> None:
        match outcome:
            case Snooze(until, reason):
                after = max(0.0, _seconds_until(until))
                await run.release("ready", after=after, give_back=True, reason=reason)
            case Retry(after, reason) if run.attempt >= self._settings.max_claims:
                await run.release("dead", reason=reason)
            case Retry(after, reason):
                await run.release("ready", after=max(after, _pause(run.attempt)), reason=reason)
            case Park(reason, changes):
                await run.release("parked", give_back=True, reason=reason, changes=changes)
            case Reject(reason):
                await run.release("dead", give_back=True, reason=reason)


def _seconds_until(until: datetime) -> float:
    return (until - utcnow()).total_seconds()


def _pause(attempt: int) -> float:
    # Exponential, with full jitter: leads that failed together must not come back together.
    return random.uniform(0.5, 1) * min(60.0, 2.0**attempt)
