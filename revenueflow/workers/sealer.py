"""The sealer: every second what is pending gets its place; every minute the tree is signed."""

from __future__ import annotations

import asyncio
import time

from revenueflow.audit.seal import Sealer, Tampered
from revenueflow.db import audit_log
from revenueflow.db.direct import Connection
from revenueflow.errors import RevenueFlowError
from revenueflow.settings.audit import SealSettings
from revenueflow.telemetry import logs, metrics

log = logs.get("sealer")
PAUSE = 2.0


async def run(sealer: Sealer, url: str, settings: SealSettings) -> None:
    """Seals until cancelled. Postgres being away only delays it.

    Over a trail that was changed it signs nothing, stays so that its metric is seen, and looks again from time to time.
    """
    while True:
        try:
            async with audit_log.opened(url, application="sealer") as connection:
                await sealer.resume(connection)
                metrics.audit_tampered.set(0)
                await _rounds(sealer, connection, settings)
        except Tampered as error:
            metrics.audit_tampered.set(1)
            log.critical("tampered", detail=error.detail)
            await asyncio.sleep(settings.checkpoint)
        except RevenueFlowError as error:
            log.warning("seal_failed", detail=error.detail)
            await asyncio.sleep(PAUSE)


async def _rounds(sealer: Sealer, connection: Connection, settings: SealSettings) -> None:
    due = time.monotonic()
    while True:
        await sealer.seal(connection)
        metrics.seal_age.set(await audit_log.waiting(connection))
        if time.monotonic() >= due and await sealer.checkpoint(connection):
            log.info("checkpoint_signed")
            due = time.monotonic() + settings.checkpoint
        await asyncio.sleep(settings.pause)
