"""The runner: claims a job, runs its steps, and turns each outcome into the job's next state."""

from __future__ import annotations

import asyncio
import random
import time
from contextlib import suppress
from datetime import datetime
from uuid import UUID

from sqlalchemy.exc import DBAPIError

from revenueflow.clock import utcnow
from revenueflow.db import jobs
from revenueflow.db.session import Database
from revenueflow.domain.outcome import Done, Outcome, Park, Reject, Retry, Snooze
from revenueflow.errors import LeaseLost, RevenueFlowError, Unavailable
from revenueflow.pipeline.context import Context, Services
from revenueflow.pipeline.steps import Step
from revenueflow.settings import WorkerSettings
from revenueflow.telemetry import logs, metrics
from revenueflow.workers.heartbeat import Heartbeat, Held
from revenueflow.workers.run import Run

log = logs.get("runner")


class Runner:
    """Runs up to `concurrency` jobs at a time in this process."""

    def __init__(
        self,
        database: Database,
        services: Services,
        settings: WorkerSettings,
        heartbeat: Heartbeat,
        *,
        owner: str,
    ) -> None:
        self._database = database
        self._services = services
        self._settings = settings
        self._heartbeat = heartbeat
        self._owner = owner
        self._slots = asyncio.Semaphore(settings.concurrency)
        self._running: set[asyncio.Task[None]] = set()
        self._draining = False

    async def accept(self, job_id: UUID) -> None:
        """Answers a doorbell: waits for a free slot, starts the job, and returns."""
        await self._slots.acquire()
        if self._draining:
            self._slots.release()
            return
        task = asyncio.create_task(self._guarded(job_id))
        self._running.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._slots.release()

    async def drain(self) -> None:
        """Lets what runs finish for `drain` seconds, then hands the rest back."""
        self._draining = True
        if self._running:
            await asyncio.wait(self._running, timeout=self._settings.drain)
        for task in list(self._running):
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _guarded(self, job_id: UUID) -> None:
        # The edge of the process: whatever goes wrong with one job must not touch the others.
        try:
            await self.run(job_id)
        except LeaseLost:
            metrics.leases_lost.inc()
        except Unavailable as error:
            log.warning("database_away", job_id=str(job_id), detail=error.detail)

    async def _hand_back(self, run: Run) -> None:
        # Postgres being away is not the lead's fault. If it can't be told, the lease runs out and an attempt is spent.
        with suppress(Unavailable, LeaseLost):
            await run.release("ready", reason="database_away", after=_pause(run.attempt), give_back=True)

    async def run(self, job_id: UUID) -> None:
        """Claims the job and runs it as far as it goes; a ring that finds nothing to claim ends here."""
        async with self._database.transaction() as session:
            lease = await jobs.claim(
                session,
                job_id,
                owner=self._owner,
                lease=self._settings.lease,
                max_claims=self._settings.max_claims,
            )
        if lease is None:
            return
        run = Run(self._database, Context(lease, utcnow(), self._services))
        with self._heartbeat.holding(lease) as held:
            await self._to_an_end(run, held)

    async def _to_an_end(self, run: Run, held: Held) -> None:
        try:
            await self._steps(run)
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

    async def _steps(self, run: Run) -> None:
        await run.resume()
        while step := run.step:
            started_at, began = utcnow(), time.perf_counter()
            outcome = await self._perform(step, run)
            metrics.step_seconds.labels(step.name, type(outcome).__name__.lower()).observe(time.perf_counter() - began)
            if not isinstance(outcome, Done):
                return await self._stop(run, outcome)
            try:
                await run.checkpoint(step, outcome, started_at)
            except DBAPIError as error:
                return await self._stop(run, Retry(0, f"checkpoint_{type(error).__name__}"))
        return None

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
