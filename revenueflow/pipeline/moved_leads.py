"""Leads that were moved because their rep was removed: the new owner's time begins, and the CRM is told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from revenueflow.audit import trail
from revenueflow.db import owner_moves, timers
from revenueflow.domain.lead import Tier
from revenueflow.domain.outcome import AuditEntry
from revenueflow.pipeline.context import Services
from revenueflow.pipeline.first_touch import is_over
from revenueflow.pipeline.owner_told import NewOwner, OwnerTold
from revenueflow.routing.existing import MOVED
from revenueflow.routing.sla import timer

RUNNING = ("ready", "leased")
PAUSE = 30.0
"""Seconds until a lead is looked at again whose run goes on: it may be about to write the owner whom it has found."""
LONG_PAUSE = 300.0
LONGEST_DAYS = 30
"""A lead that nobody has written to the CRM by then, such as one that is parked for good, is let be."""
Row = Mapping[str, Any]


class MovedLeads:
    """Does for a claimed move what is owed."""

    def __init__(self, services: Services, trace_id: str) -> None:
        self._services = services
        self._database = services.database
        self._told = OwnerTold(services, trace_id)
        self._trace_id = trace_id

    async def attend(self, one: Row) -> bool:
        """One try. False if the CRM is to be left alone for now."""
        async with self._database.transaction() as session:
            lead = await timers.about(session, one["lead_id"])
            run = await owner_moves.run_of(session, one["lead_id"])
            if lead is None or lead["erased_at"] or lead["owner_id"] != one["owner_id"]:
                await owner_moves.settled(session, one)  # whoever gave it to somebody else since has told the CRM
                return True
            wait = _wait(one, lead, run)
            if wait is not None:
                await owner_moves.later(session, one, wait)
                return True
        await self._begin_time(one)
        return await self._tell(one, lead)

    async def _begin_time(self, one: Row) -> None:
        """Replaces the timer of the one before, if it runs, under the lead's lock: a touch wins or loses as a whole."""
        services = self._services
        rules = await services.roster.rules()
        rep = rules.by_id.get(one["owner_id"])
        async with self._database.transaction() as session:
            held = await timers.locked(session, one["lead_id"])
            running = await timers.running(session, one["lead_id"])
            if rep is None or running is None or running["owner_id"] == rep.id or held is None or is_over(held):
                return
            given = timer(rules, services.sla, Tier(running["tier"]), rep, one["reason"], one["now"])
            await timers.replace(session, running, given)

    async def _tell(self, one: Row, lead: Row) -> bool:
        if lead["crm_id"] is None:
            async with self._database.transaction() as session:
                await owner_moves.settled(session, one)
            return True
        tier = Tier(lead["tier"] or Tier.COLD)
        reason = f"{MOVED}: {one['reason']}"
        told = await self._told.tell(
            NewOwner(one["id"], one["lead_id"], one["owner_id"], one["owner_name"], reason, tier, one["made_at"])
        )
        async with self._database.transaction() as session:
            if told.pause is not None:
                await owner_moves.later(session, one, told.pause)
                return False
            if await owner_moves.settled(session, one):
                entry = AuditEntry(
                    "lead.reassigned", told.owner, {"owner_id": one["owner_id"], "task": told.task}, actor="sla"
                )
                await trail.append(session, trail.Subject(one["lead_id"], None, self._trace_id), [entry])
        return True


def _wait(one: Row, lead: Row, run: str | None) -> float | None:
    """Seconds to wait for the lead's run, None if there is nothing to wait for."""
    if run in RUNNING:
        return PAUSE
    waited = one["now"] - one["made_at"]
    return LONG_PAUSE if lead["crm_id"] is None and run != "done" and waited.days < LONGEST_DAYS else None
