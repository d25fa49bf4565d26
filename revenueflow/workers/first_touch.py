"""Timers: what an owner's time asks for is done by whichever worker comes first.

The timers are rows. A worker claims those that are due, by the database's clock, for HOLD seconds; one that ends in the
middle leaves them to the next worker, or to itself after a restart.
"""

from __future__ import annotations

import asyncio
import secrets

from revenueflow.db import timers
from revenueflow.errors import RevenueFlowError, Unavailable
from revenueflow.pipeline.context import Services
from revenueflow.pipeline.first_touch import FirstTouch
from revenueflow.telemetry import logs

PAUSE = 5.0
HOLD = 60.0
AT_ONCE = 50

log = logs.get("first_touch")


async def run(services: Services, *, pause: float = PAUSE) -> None:
    """Runs until cancelled."""
    while True:
        try:
            while await look(services):
                pass
        except RevenueFlowError as error:
            log.warning("timers_failed", detail=error.detail)
        await asyncio.sleep(pause)


async def look(services: Services, *, hold: float = HOLD) -> int:
    """Does what is due now, one timer after the other; how many. One that fails does not keep the others."""
    async with services.database.transaction() as session:
        due = await timers.claim(session, limit=AT_ONCE, hold=hold)
    work = FirstTouch(services, secrets.token_hex(16))
    for one in due:
        try:
            await work.attend(one)
        except Unavailable:
            raise
        except RevenueFlowError as error:
            log.warning("timer_failed", timer=str(one["id"]), reason=error.code)
    return len(due)
