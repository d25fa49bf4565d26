"""Asking the CRM whether somebody touched a lead: reps work there, and need not tell us as well.

It is asked through the guard, which limits and audits it. What it shows becomes an outcome like any other, told by
`crm`, and ends the timer. So does what a person or an agent did with our own tools, which the guard knows (`guard`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from revenueflow.db import looks
from revenueflow.domain.action import CallStatus, ToolResult
from revenueflow.domain.sales import OutcomeKind, SalesOutcome
from revenueflow.domain.touches import Sign, first_of, sign_of, status_of
from revenueflow.mcp.admission import OWN_LIMIT
from revenueflow.mcp.call import Call, Caller
from revenueflow.pipeline import outcomes
from revenueflow.pipeline.context import Services
from revenueflow.telemetry import metrics

LONGEST = 5.0
"""Seconds that one answer may take: other timers wait behind it."""
TOOL = "get_lead"
Row = Mapping[str, Any]
_LATE: set[asyncio.Task[ToolResult]] = set()


class Look(StrEnum):
    """What asking came to. Without an answer nothing is known; if the policy does not let us ask, it never will be.

    Who was not asked about has to wait for a turn: that says nothing of the CRM.
    """

    TOUCHED = "touched"
    UNTOUCHED = "untouched"
    UNANSWERED = "unanswered"
    NOT_ASKED = "not_asked"
    NOT_ALLOWED = "not_allowed"


class CrmTouches:
    """Asks for one batch of timers: once the CRM is `away`, or our share of its limit is full for so many seconds
    (`full_for`), it is not asked for the others.

    Each `name` has a share of its own: looking keeps nobody from writing, nor one kind of looking the other.
    """

    def __init__(self, services: Services, trace_id: str, *, name: str = "sla-look", longest: float = LONGEST) -> None:
        self._services = services
        self._longest = longest
        self._caller = Caller(name, "pipeline", trace_id=trace_id)
        self.away = False
        self.full_for: float | None = None

    @property
    def stopped(self) -> bool:
        """Whether the CRM is not asked any more."""
        return self.away or self.full_for is not None

    @property
    def allowed(self) -> bool:
        """Whether the policy lets the pipeline ask."""
        return TOOL in self._services.registry.policy.roles.get("pipeline", ())

    async def look(self, one: Row, lead: Row) -> Look:
        """Asks about the lead of a timer, and records the first touch that is known. `lead` as of `timers.about`."""
        database = self._services.database
        async with database.transaction() as session:
            ours = first_of(await looks.through_tools(session, lead["id"]), lead["received_at"], lead["now"])
        asks = self.allowed and not self.stopped
        record = await self._record(one) if asks else None
        if record is not None:
            async with database.transaction() as session:
                await looks.heard(session)
        shown = sign_of(record, lead["received_at"], lead["now"], one["crm_status"]) if record is not None else None
        if ours and (shown is None or ours.at <= shown.at):
            return await self._touched(one, ours, "guard", "seen_in_tools")
        if shown:
            return await self._touched(one, shown, "crm", "seen_in_crm")
        if not self.allowed:
            return Look.NOT_ALLOWED
        if record is None and (not asks or self.full_for is not None):
            return Look.NOT_ASKED
        async with database.transaction() as session:
            if record is None:
                await looks.unanswered(session, one["id"], away=self.away)
                return Look.UNANSWERED
            await looks.answered(session, one["id"], status_of(record))
        return Look.UNTOUCHED

    async def _record(self, one: Row) -> Row | None:
        """The lead's record, empty if the CRM has none; None if it did not answer."""
        call = Call(TOOL, {"lead_id": one["lead_id"]}, self._caller)
        asking = asyncio.create_task(self._services.registry.call(call))
        done, _ = await asyncio.wait({asking}, timeout=self._longest)
        if not done:  # it goes on by itself, so that the breaker and the trail have it
            _LATE.add(asking)
            asking.add_done_callback(_forget)
            self.away = True
            return None
        answer = asking.result()
        told = answer.result or {}
        if answer.status is CallStatus.DELAYED and told.get("reason") == OWN_LIMIT:
            self.full_for = answer.retry_after
            return None
        self.away = answer.status is CallStatus.DELAYED
        record = told.get("record") or {}
        return record if answer.status is CallStatus.CONFIRMED and isinstance(record, dict) else None

    async def _touched(self, one: Row, sign: Sign, actor: str, event: str) -> Look:
        said = SalesOutcome(outcome=OutcomeKind.TOUCHED, at=sign.at)
        shown = {"shown_by": sign.field, "time": "seen" if sign.seen else "told"}
        database, trace_id = self._services.database, self._caller.trace_id
        if await outcomes.record_first_touch(
            database, one["lead_id"], said, actor=actor, trace_id=trace_id, more=shown
        ):
            metrics.sla.labels(one["tier"], event).inc()
        return Look.TOUCHED


def _forget(asking: asyncio.Task[ToolResult]) -> None:
    _LATE.discard(asking)
    if not asking.cancelled():
        asking.exception()
