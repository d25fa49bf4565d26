"""The relay: looks for due jobs and rings for them. Any number of relays may run; each job is rung by one.

A backlog waits in Postgres, not in Redis: only its head is rung for. A Redis that lost its data is healed by the next
sweeps.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from uuid import UUID

from revenueflow.audit import trail
from revenueflow.db import jobs, leads
from revenueflow.db.direct import Direct
from revenueflow.domain.lead import LeadStatus
from revenueflow.domain.outcome import AuditEntry
from revenueflow.errors import Unavailable
from revenueflow.queue.doorbell import Doorbell
from revenueflow.resilience.crash import crash_point
from revenueflow.settings import WorkerSettings
from revenueflow.telemetry import logs

LARGEST_SWEEP = 500
BURY_SECONDS = 1.0

log = logs.get("relay")


class Relay:
    """Sweeps every `sweep` seconds, at once when it is poked, and on as long as there is more."""

    def __init__(self, direct: Direct, doorbell: Doorbell, settings: WorkerSettings) -> None:
        self._direct = direct
        self._doorbell = doorbell
        self._settings = settings
        self._poked = asyncio.Event()
        self._buried_at = 0.0

    async def run(self) -> None:
        """Sweeps until cancelled; Postgres or Redis being away only delays it."""
        listener = asyncio.create_task(self._listen())
        try:
            while not _is_cancelled():
                try:
                    rung = await self.sweep()
                except Unavailable as error:
                    log.warning("sweep_failed", detail=error.detail)
                    rung = 0
                    await asyncio.sleep(1)
                if rung < LARGEST_SWEEP:
                    await self._rest()
        finally:
            listener.cancel()

    async def sweep(self) -> int:
        """Ends jobs that nobody may claim any more, rings for those that are due; returns how many it rang for."""
        if time.monotonic() - self._buried_at >= min(BURY_SECONDS, self._settings.ring_again):
            await self._bury()
        crash_point("relay.before_mark")
        async with self._direct.connection() as connection:
            due = await jobs.ring(
                connection, again=self._settings.ring_again, limit=LARGEST_SWEEP, window=self._settings.rings_open
            )
        crash_point("relay.after_mark")
        if due:
            await self._ring(due)
            crash_point("relay.after_ring")
        return len(due)

    async def _ring(self, due: Sequence[UUID]) -> None:
        try:
            await self._doorbell.ring(due)
        except Unavailable:
            async with self._direct.connection() as connection:  # or they would wait for their time to be rung again
                await jobs.unring(connection, due)
            raise

    async def _bury(self) -> None:
        self._buried_at = time.monotonic()
        async with self._direct.transaction() as connection:
            buried = await jobs.bury(connection, max_claims=self._settings.max_claims)
            await leads.write(connection, [(job["lead_id"], {"status": LeadStatus.DEAD.value}) for job in buried])
            events = [
                trail.row(
                    trail.Subject(job["lead_id"], job["id"], job["trace_id"]),
                    AuditEntry("lead.dead", "dead", {"step": job["step"], "reason": "lease_expired"}),
                )
                for job in buried
            ]
            await trail.append_rows(connection, events)

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
