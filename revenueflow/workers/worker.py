"""One worker process: answers doorbells, keeps its leases alive, and settles writes whose outcome is open."""

from __future__ import annotations

import asyncio
import os
import socket

from revenueflow.db.session import Database
from revenueflow.errors import Unavailable
from revenueflow.mcp.registry import Registry
from revenueflow.pipeline.context import Services
from revenueflow.queue import doorbell
from revenueflow.settings import Settings
from revenueflow.telemetry import logs
from revenueflow.workers.heartbeat import Heartbeat
from revenueflow.workers.runner import Runner

log = logs.get("worker")


async def work(database: Database, services: Services, settings: Settings) -> None:
    """Works until cancelled, then lets its leads finish or hands them back."""
    heartbeat = Heartbeat(settings.database, settings.worker)
    owner = f"{socket.gethostname()}:{os.getpid()}"
    runner = Runner(database, services, settings.worker, heartbeat, owner=owner)
    heartbeat.start()
    try:
        # If one of the two loops fails in a way that nobody foresaw, the process ends and is started again.
        async with asyncio.TaskGroup() as loops:
            loops.create_task(_answer(settings.redis.url, runner))
            loops.create_task(_settle(services.registry, settings.worker.settle))
    finally:
        await runner.drain()
        heartbeat.stop()


async def _answer(url: str, runner: Runner) -> None:
    while True:
        try:
            await doorbell.answer(url, runner.accept)
        except Unavailable as error:
            log.warning("doorbell_away", detail=error.detail)
            await asyncio.sleep(1)


async def _settle(registry: Registry, quiet: float) -> None:
    while True:
        await asyncio.sleep(min(10.0, max(quiet, 1.0)))
        try:
            if settled := await registry.reconcile(quiet=quiet):
                log.info("reconciled", actions=settled)
        except Unavailable as error:
            log.warning("reconcile_failed", detail=error.detail)
