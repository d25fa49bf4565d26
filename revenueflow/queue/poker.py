"""Pokes the relay after a commit, off the response path: best effort, and many pokes in a row become one."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from revenueflow.errors import Unavailable
from revenueflow.queue.doorbell import Doorbell


class Poker:
    """`poke()` never blocks and never fails; `run()` does the work."""

    def __init__(self, doorbell: Doorbell) -> None:
        self._doorbell = doorbell
        self._wanted = asyncio.Event()

    def poke(self) -> None:
        """Notes that the relay should look."""
        self._wanted.set()

    async def run(self) -> None:
        """Pokes as often as there is reason to, until cancelled."""
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            with suppress(Unavailable):  # the relay's own sweep finds the job
                await self._doorbell.poke()
