"""One worker process: answers doorbells, keeps its leases alive, and settles writes whose outcome is open."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import Sequence

from revenueflow import defaults
from revenueflow.analysis import ledger as analyses
from revenueflow.db.direct import Direct
from revenueflow.enrichment import ledger
from revenueflow.errors import Unavailable
from revenueflow.mcp.registry import Registry
from revenueflow.pipeline.context import Services
from revenueflow.pipeline.steps import STEPS, Step
from revenueflow.privacy.identity_file import identity_key
from revenueflow.privacy.retention import FILE, RetentionRules
from revenueflow.queue import answering
from revenueflow.resilience import heap
from revenueflow.settings import Settings
from revenueflow.telemetry import logs, metrics
from revenueflow.workers import first_touch, reanalysis, retention, schedule, scorings
from revenueflow.workers.commits import Commits
from revenueflow.workers.heartbeat import Heartbeat
from revenueflow.workers.runner import Runner

OVERDUE_SECONDS = 1.0
"""How long a job has been due that a worker claims without having been rung."""

TIDY_SECONDS = 900.0
"""How long after the patience of a lead a reservation is given up."""
TIDY_PAUSE = 60.0

log = logs.get("worker")


async def work(direct: Direct, services: Services, settings: Settings, *, steps: Sequence[Step] = STEPS) -> None:
    """Works until cancelled, then lets its leads finish or hands them back."""
    kept = defaults.load(RetentionRules, FILE, settings.config_dir)
    heartbeat = Heartbeat(settings.database, settings.worker)
    commits = Commits(direct, settings.worker, owner=f"{socket.gethostname()}:{os.getpid()}")
    runner = Runner(commits, services, settings.worker, heartbeat, steps=steps)
    heartbeat.start()
    heap.settle()
    try:
        # If one of the loops fails in a way that nobody foresaw, the process ends and is started again.
        async with asyncio.TaskGroup() as loops:
            loops.create_task(_answer(settings.redis.url, runner))
            loops.create_task(_claim_directly(runner, settings.worker.direct_claim))
            loops.create_task(_settle(services.registry, settings.worker.settle))
            loops.create_task(_tidy(direct, services.waterfall.rules.patience_seconds + TIDY_SECONDS))
            loops.create_task(_tidy_analyses(direct, 2 * settings.worker.lease))
            loops.create_task(schedule.run(settings))
            loops.create_task(retention.run(direct, identity_key(settings.keys), kept))
            loops.create_task(scorings.run(services, lease=settings.worker.lease))
            loops.create_task(first_touch.run(services))
            if settings.analysis.again:
                loops.create_task(reanalysis.run(direct, services.analysts, services.models.again))
    finally:
        await runner.drain()
        heartbeat.stop()


async def _answer(url: str, runner: Runner) -> None:
    while True:
        try:
            await answering.answer(url, runner)
        except Unavailable as error:
            log.warning("doorbell_away", detail=error.detail)
            await asyncio.sleep(1)


async def _claim_directly(runner: Runner, silence: float) -> None:
    """Whatever it is that keeps the bell silent (Redis, the relay): what has waited in vain is claimed all the same."""
    while True:
        quiet_for = time.monotonic() - runner.rung_at
        if quiet_for < silence:
            await asyncio.sleep(min(silence - quiet_for, 1.0))
            continue
        await runner.ready()
        try:
            claimed = await runner.accept_overdue(OVERDUE_SECONDS)
        except Unavailable:
            claimed = 0
        if claimed:
            log.warning("claimed_directly", jobs=claimed)
            metrics.claimed_directly.inc(claimed)
        await asyncio.sleep(0.05 if claimed else 0.5)


async def _tidy(direct: Direct, seconds: float) -> None:
    """Ends what is reserved for questions that no lead waits for any more."""
    while True:
        await asyncio.sleep(TIDY_PAUSE)
        try:
            if ended := await ledger.tidy(direct, seconds):
                log.info("reservations_ended", lookups=ended)
        except Unavailable as error:
            log.warning("tidy_failed", detail=error.detail)


async def _tidy_analyses(direct: Direct, seconds: float) -> None:
    """Settles calls of models that nobody came back from, and deletes answers past their time."""
    while True:
        await asyncio.sleep(TIDY_PAUSE)
        try:
            if ended := await analyses.tidy(direct, seconds):
                log.info("reservations_ended", analyses=ended)
        except Unavailable as error:
            log.warning("tidy_failed", detail=error.detail)


async def _settle(registry: Registry, quiet: float) -> None:
    while True:
        await asyncio.sleep(min(10.0, max(quiet, 1.0)))
        try:
            if settled := await registry.reconcile(quiet=quiet):
                log.info("reconciled", actions=settled)
        except Unavailable as error:
            log.warning("reconcile_failed", detail=error.detail)
