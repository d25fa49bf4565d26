"""The relay: looks for due jobs and rings for them. Any number of relays may run; each job is rung by one.

A backlog waits in Postgres, not in Redis, so a Redis that lost its data is healed by the next sweep.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

from revenueflow.audit import trail
from revenueflow.db import jobs
from revenueflow.db.session import Database
from revenueflow.errors import Unavailable
from revenueflow.queue.doorbell import Doorbell
from revenueflow.settings import WorkerSettings
from revenueflow.telemetry import logs
from revenueflow.workers.run import stopped

log = logs.get("relay")


class Relay:
    """Sweeps every `sweep` seconds, and at once when it is poked."""

    def __init__(self, database: Database, doorbell: Doorbell, settings: WorkerSettings) -> None:
        self._database = database
        self._doorbell = doorbell
        self._settings = settings
        self._poked = asyncio.Event()

    async def run(self) -> None:
        """Sweeps until cancelled; Postgres or Redis being away only delays it."""
        listener = asyncio.create_task(self._listen())
        try:
            while not _is_cancelled():
                try:
                    await self.sweep()
                except Unavailable as error:
                    log.warning("sweep_failed", detail=error.detail)
                    await asyncio.sleep(1)
                await self._rest()
        finally:
            listener.cancel()

    async def sweep(self) -> int:
        """Ends jobs that nobody may claim any more, rings for those that are due; returns how many it rang for."""
        await self._bury()
        room = self._settings.rings_open - await self._doorbell.waiting()
        if room <= 0:
            return 0
        async with self._database.transaction() as session:
            due = await jobs.ring(session, again=self._settings.ring_again, limit=min(room, 500))
        if due:
            await self._doorbell.ring(due)
        return len(due)

    async def _bury(self) -> None:
        async with self._database.transaction() as session:
            for job in await jobs.bury(session, max_claims=self._settings.max_claims):
                subject = trail.Subject(job["lead_id"], job["id"], job["trace_id"])
                await stopped(session, subject, "dead", step=job["step"], reason="lease_expired")

    async def _rest(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self._settings.sweep):
                await self._poked.wait()
        self._poked.clear()

    async def _listen(self) -> None:
        while True:
            try:
                await self._doorbell.listen(self._poked.set)
            except Unavailable:
                await asyncio.sleep(1)


def _is_cancelled() -> bool:
    # The Redis client can swallow a cancellation that comes while it sends: the relay would never end.
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
