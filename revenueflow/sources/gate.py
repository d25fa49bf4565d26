"""Whether it is worth asking Postgres at all: after three failures in a row the spool takes everything at once."""

from __future__ import annotations

import asyncio

from revenueflow.db.direct import Direct
from revenueflow.telemetry import logs

FAILURES = 3
PROBE_SECONDS = 1.0

log = logs.get("ingress")


class Gate:
    """Open while Postgres answers. Shut after FAILURES in a row; then it is probed every PROBE_SECONDS."""

    def __init__(self, direct: Direct) -> None:
        self._direct = direct
        self._failures = 0
        self._probing: asyncio.Task[None] | None = None

    @property
    def is_open(self) -> bool:
        """Whether to try Postgres."""
        return self._failures < FAILURES

    def succeeded(self) -> None:
        """Postgres has answered."""
        self._failures = 0

    def failed(self) -> None:
        """It has not, or not in time."""
        self._failures += 1
        if self._failures == FAILURES:
            log.warning("postgres_away", failures=self._failures)
            self._probing = asyncio.create_task(self._probe())

    def close(self) -> None:
        """Ends the probing."""
        if self._probing:
            self._probing.cancel()

    async def _probe(self) -> None:
        while self._failures >= FAILURES:
            await asyncio.sleep(PROBE_SECONDS)
            if await self._direct.answers(PROBE_SECONDS):
                self._failures = 0
        log.info("postgres_back")
