"""Keeps the leases of one worker alive, from a thread of its own: a busy event loop must not cost a lease.

A lease that is lost, or that could not be renewed in its time, cancels the work that depends on it.
"""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from revenueflow.db import jobs
from revenueflow.db.direct import Direct
from revenueflow.db.jobs import Lease
from revenueflow.errors import Unavailable
from revenueflow.settings import DatabaseSettings, WorkerSettings


@dataclass(slots=True)
class Held:
    """A lease that is being kept alive. `lost` tells a lost lease from an ordinary cancellation."""

    token: int
    task: asyncio.Task[object]
    loop: asyncio.AbstractEventLoop
    renewed_at: float
    lost: bool = False
    ending: bool = False

    def end(self) -> None:
        """The lease is about to be given up by the very commit that ends the run: from now on its loss is no news."""
        self.ending = True

    def lose(self) -> None:
        """Cancels the work, from any thread."""
        self.lost = True
        self.loop.call_soon_threadsafe(self.task.cancel)


class Heartbeat:
    """Renews all leases held, every `heartbeat` seconds, in one statement."""

    def __init__(self, database: DatabaseSettings, worker: WorkerSettings) -> None:
        self._settings = database.model_copy(update={"command_timeout": min(5, worker.heartbeat)})
        self._worker = worker
        self._held: dict[UUID, Held] = {}
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._beat()), name="heartbeat", daemon=True)

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread; leases that are still held run out by themselves."""
        self._stop.set()
        self._thread.join(timeout=self._worker.heartbeat)

    @contextmanager
    def holding(self, lease: Lease) -> Iterator[Held]:
        """Keeps `lease` alive while the block runs in the current task."""
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a lease is held by a task")
        held = Held(lease.token, task, asyncio.get_running_loop(), time.monotonic())
        with self._lock:
            self._held[lease.job_id] = held
        try:
            yield held
        finally:
            with self._lock:
                if self._held.get(lease.job_id) is held:
                    del self._held[lease.job_id]

    async def _beat(self) -> None:
        try:
            async with Direct(self._settings, application="heartbeat", size=2, lock_timeout=1) as direct:
                while not await asyncio.to_thread(self._stop.wait, self._worker.heartbeat):
                    await self._renew(direct)
        finally:
            if not self._stop.is_set():  # without a heartbeat this process may not go on: let it drain and end
                os.kill(os.getpid(), signal.SIGTERM)

    async def _renew(self, direct: Direct) -> None:
        with self._lock:
            held = dict(self._held)
        if not held:
            return
        began = time.monotonic()
        pairs = [(job_id, one.token) for job_id, one in held.items()]
        try:
            async with direct.connection() as connection:
                ours = await jobs.heartbeat(connection, pairs, lease=self._worker.lease)
        except Unavailable:
            self._lose_overdue(held)
            return
        for job_id, one in held.items():
            if job_id in ours:
                one.renewed_at = began
            elif self._held.get(job_id) is one and not one.ending:
                one.lose()

    def _lose_overdue(self, held: dict[UUID, Held]) -> None:
        for one in held.values():
            if time.monotonic() - one.renewed_at > self._worker.lease:
                one.lose()
