"""Timers: what an owner's time asks for is done by whichever worker comes first. So is what the CRM shows of leads that
wait, and what it is owed of leads that were moved.

The timers are rows. A worker claims those that are due, by the database's clock, for HOLD seconds; one that ends in the
middle leaves them to the next worker, or to itself after a restart.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Mapping
from typing import Any, TypeVar

from revenueflow.db import looks, owner_moves, timers
from revenueflow.errors import RevenueFlowError, Unavailable
from revenueflow.pipeline.context import Services
from revenueflow.pipeline.crm_touches import CrmTouches
from revenueflow.pipeline.first_touch import FirstTouch, is_over
from revenueflow.pipeline.moved_leads import MovedLeads
from revenueflow.telemetry import logs

PAUSE = 5.0
HOLD = 60.0
AT_ONCE = 10
"""Timers, one after the other: within HOLD also with a CRM that takes long for each answer."""
PER_ROUND = 10
"""Leads about which the CRM is asked between two pauses."""

log = logs.get("first_touch")
T = TypeVar("T")


async def run(services: Services, *, pause: float = PAUSE) -> None:
    """Runs until cancelled."""
    while True:
        try:
            await catch_up(services)
            await look_into_crm(services)
        except RevenueFlowError as error:
            log.warning("timers_failed", detail=error.detail)
        await asyncio.sleep(pause)


async def catch_up(services: Services) -> None:
    """Does all that is due. What the CRM is owed of moved leads waits for timers, whose times are over: a removed rep
    may have had thousands."""
    working = True
    while working:
        due = AT_ONCE
        while due == AT_ONCE:
            due = await look(services)
        working = bool(due + await tell_moves(services))


async def look(services: Services, *, hold: float = HOLD) -> int:
    """Does what is due now, one timer after the other; how many. One that fails does not keep the others."""
    async with services.database.transaction() as session:
        due = await timers.claim(session, limit=AT_ONCE, hold=hold)
    work = FirstTouch(services, secrets.token_hex(16))
    for one in due:
        await _safely(work.attend(one), "timer_failed", one)
    return len(due)


async def look_into_crm(services: Services) -> int:
    """Asks the CRM about leads that wait, those first that are due for longest; about how many.

    It stops as soon as the CRM does not answer, or its limit is full.
    """
    touches, every = CrmTouches(services, secrets.token_hex(16)), services.sla.crm.look_minutes
    if not every or not touches.allowed:
        return 0
    for asked in range(PER_ROUND):
        async with services.database.transaction() as session:
            one = await looks.claim(session, every=every, days=services.sla.crm.look_days)
            lead = await timers.about(session, one["lead_id"]) if one else None
        if one is None:
            return asked
        if lead is None or is_over(lead):
            continue
        await _safely(touches.look(one, lead), "look_failed", one)
        if touches.full_for is not None:
            async with services.database.transaction() as session:
                await looks.not_asked(session, one, touches.full_for)
            return asked
        if touches.away:
            return asked + 1
    return PER_ROUND


async def tell_moves(services: Services, *, hold: float = HOLD) -> int:
    """Tells the CRM of leads that were moved; of how many. It stops as soon as one has to wait for the CRM."""
    work, told = MovedLeads(services, secrets.token_hex(16)), 0
    for _ in range(PER_ROUND):
        async with services.database.transaction() as session:
            one = await owner_moves.claim(session, hold=hold)
        if one is None or await _safely(work.attend(one), "move_failed", one) is False:
            break
        told += 1
    return told


async def _safely(work: Awaitable[T], event: str, one: Mapping[str, Any]) -> T | None:
    """One that fails does not keep the others from it. Raises Unavailable."""
    try:
        return await work
    except Unavailable:
        raise
    except RevenueFlowError as error:
        log.warning(event, id=str(one["id"]), reason=error.code)
        return None
