"""What happens when an owner's time passes: a reminder, then the next rep, and what the CRM is told.

    open ── remind_at ──> open, reminded ── due_at ──> passed, and the next timer is open (its owner is owed to the CRM)
                                                   └─> overdue: nobody is left; it stays where it is, for people to see
    open, overdue ── touched ──> touched (measured)      ── lost, erased ──> closed

A decision and its trace are one transaction, conditional on the claim of the timer and, where it changes the owner,
under the lead's row lock: a touch that comes at the same moment wins or loses as a whole. Only then is anybody told,
under a key made of the timer: what was told before a restart is not told again. Before both the CRM is asked whether it
shows a touch.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from revenueflow.audit import trail
from revenueflow.db import leads, looks, owner_moves, timers
from revenueflow.db.session import Session
from revenueflow.domain.action import CallStatus
from revenueflow.domain.lead import Tier
from revenueflow.domain.outcome import AuditEntry
from revenueflow.domain.sales import OutcomeKind
from revenueflow.pipeline.context import Services
from revenueflow.pipeline.crm_touches import CrmTouches, Look
from revenueflow.pipeline.next_owner import next_owner
from revenueflow.pipeline.owner_told import NewOwner, OwnerTold
from revenueflow.pipeline.sla_messages import SlaMessages
from revenueflow.routing.existing import MOVED
from revenueflow.routing.rules import RoutingRules
from revenueflow.routing.sla import Next, timer
from revenueflow.telemetry import metrics

PAUSE = 30.0
SHORTEST_PAUSE = 5.0
IN_TIME = timedelta(seconds=4 * PAUSE)
"""Less than this before the end of the time a reminder waits no more for its turn to look."""
RULE = f"{MOVED}:sla"
"""Routing leaves a lead with whom it was moved to."""
Row = Mapping[str, Any]


class FirstTouch:
    """Does for claimed timers, a batch of them, what their time asks for.

    Once the CRM could not be told of one owner, it is not told of the others: what waits is asked for seldom.
    """

    def __init__(self, services: Services, trace_id: str) -> None:
        self._services = services
        self._database = services.database
        self._touches = CrmTouches(services, trace_id, name="sla-due")
        self._messages = SlaMessages(services, trace_id)
        self._told = OwnerTold(services, trace_id)
        self._holds: float | None = None
        self._trace_id = trace_id

    async def attend(self, one: Row) -> None:
        """One step of one timer. What fails with Unavailable or Contended is done when the claim has run out."""
        async with self._database.transaction() as session:
            lead = await timers.about(session, one["lead_id"])
        if lead is None or lead["erased_at"]:
            await self._close(one)
        elif one["given"] == "passed_on" and one["written"] is None:
            await self._tell_crm(one, lead)
        elif one["state"] != "open":
            await self._measure(one, lead)
        elif is_over(lead):
            await self._close(one)
        elif lead["owner_id"] != one["owner_id"]:
            await self._follow_owner(one, lead)
        else:
            await self._act(one, lead)

    async def _close(self, one: Row) -> None:
        async with self._database.transaction() as session:
            if not await timers.closed(session, one):
                await timers.settled(session, one)

    async def _follow_owner(self, one: Row, lead: Row) -> None:
        """Somebody gave the lead to another owner, such as when a rep left: the time is theirs, and starts now."""
        services = self._services
        rules = await services.roster.rules()
        rep = rules.by_id.get(lead["owner_id"])
        if rep is None and one["owner_id"] == rules.default_owner:
            await self._to_queue(one, lead, rules)
            return
        if rep is None:
            await self._close(one)
            return
        given = timer(rules, services.sla, Tier(one["tier"]), rep, "given by somebody", one["now"])
        async with self._database.transaction() as session:
            await timers.replace(session, one, given)

    async def _to_queue(self, one: Row, lead: Row, rules: RoutingRules) -> None:
        """A run gave it to a rep who was being removed: its timer is the default queue's, and so is the lead."""
        queue, gone = rules.rep(rules.default_owner), lead["owner_id"]
        reason = f"{gone} was removed"
        given = timer(rules, self._services.sla, Tier(one["tier"]), queue, reason, one["now"])
        owner = {"owner_id": queue.id, "owner_name": queue.name, "routing_rule": MOVED, "routing_reason": reason}
        async with self._database.transaction() as session:
            held = await timers.locked(session, one["lead_id"])
            if held is None or held["owner_id"] != gone or is_over(held):
                return  # whoever was quicker decides; this is looked at again
            await leads.change(session, one["lead_id"], owner)
            await owner_moves.owe(session, [one["lead_id"]], queue.id, queue.name, reason)
            await timers.replace(session, one, given)
            await self._audit(session, one, "lead.moved", "done", {"from": gone, "owner_id": queue.id})

    async def _measure(self, one: Row, lead: Row) -> None:
        """Here and not where the touch is recorded: every worker is scraped, a command that imports a file is not."""
        async with self._database.transaction() as session:
            settled = await timers.settled(session, one)
        if settled and one["state"] == "touched" and lead["first_touch_at"]:
            seconds = (lead["first_touch_at"] - lead["received_at"]).total_seconds()
            metrics.first_touch.labels(one["tier"]).observe(seconds)

    async def _act(self, one: Row, lead: Row) -> None:
        """The time for a reminder, or for somebody else, has come: unless the CRM shows that there was a touch."""
        seen = await self._touches.look(one, lead)
        if seen is Look.TOUCHED:
            return
        if await self._waits(one, seen):
            async with self._database.transaction() as session:
                await timers.later(session, one, max(SHORTEST_PAUSE, min(PAUSE, self._touches.full_for or PAUSE)))
        elif one["due_at"] > one["now"]:
            await self._remind(one, lead)
        else:
            await self._breach(one, lead, seen)

    async def _waits(self, one: Row, seen: Look) -> bool:
        """A rep may have done it: the lead is not taken away while nobody can tell. If it is our turn that has not
        come, that holds for as long as others get answers; if nobody does, not for ever. A reminder waits for its turn
        as long as there is time for it, and for no answer."""
        if seen not in (Look.UNANSWERED, Look.NOT_ASKED):
            return False
        if one["due_at"] > one["now"]:
            return self._touches.full_for is not None and one["due_at"] - one["now"] > IN_TIME
        async with self._database.transaction() as session:
            silent_for = await looks.silent_for(session, one["id"])
        return silent_for is None or silent_for < self._services.sla.crm.wait_minutes * 60

    async def _remind(self, one: Row, lead: Row) -> None:
        result = await self._messages.remind(one, lead)
        async with self._database.transaction() as session:
            if result is not None and result.status is CallStatus.DELAYED:
                await timers.later(session, one, result.retry_after or PAUSE, latest=one["due_at"])
                return
            outcome = result.status.value if result else "not_configured"
            if not await timers.reminded(session, one, outcome):
                return
            await self._audit(session, one, "sla.reminded", outcome, {"owner_id": one["owner_id"]})
        metrics.sla.labels(one["tier"], "reminded").inc()

    async def _breach(self, one: Row, lead: Row, seen: Look) -> None:
        following, why_not = await self._following(one, lead)
        async with self._database.transaction() as session:
            held = await timers.locked(session, one["lead_id"])
            if held is None or is_over(held):
                return  # it was touched at this very moment: its timer has ended, or ends at the next look
            if following is None:
                if not await timers.overdue(session, one):
                    return
                detail = {"owner_id": one["owner_id"], "stays": why_not, "crm": seen.value}
                await self._audit(session, one, "sla.breached", "overdue", detail)
            elif not await self._pass_on(session, one, following, seen):
                return
        metrics.sla.labels(one["tier"], "breached").inc()
        metrics.sla.labels(one["tier"], "passed_on" if following else "overdue").inc()

    async def _following(self, one: Row, lead: Row) -> tuple[Next | None, str]:
        """The next rep, or why there is none."""
        sla, tier = self._services.sla, Tier(one["tier"])
        async with self._database.transaction() as session:
            earlier = await timers.of_lead(session, one["lead_id"])
        if sum(past["given"] == "passed_on" for past in earlier) >= sla.of(tier).pass_on:
            return None, "passed_on_often_enough"
        tried = frozenset(past["owner_id"] for past in earlier)
        rules = await self._services.roster.rules()
        return await next_owner(self._services, rules, lead, tier, tried, one["now"]), "nobody_is_left"

    async def _pass_on(self, session: Session, one: Row, following: Next, seen: Look) -> bool:
        rep, services = following.rep, self._services
        rules = services.routing
        minutes = services.sla.of(Tier(one["tier"])).minutes
        reason = f"not touched by {one['owner_name']} within {minutes} working minutes; next: {following.reason}"
        given = timer(rules, services.sla, Tier(one["tier"]), rep, reason, one["now"])
        number = await timers.pass_on(session, one, given)
        if number is None:
            return False
        owner = {"owner_id": rep.id, "owner_name": rep.name, "routing_rule": RULE, "routing_reason": reason}
        await leads.change(session, one["lead_id"], owner)
        detail = {"owner_id": one["owner_id"], "next_owner_id": rep.id, "timer": number, "policy_version": given.rules,
                  "crm": seen.value}  # fmt: skip
        await self._audit(session, one, "sla.breached", "passed_on", detail)
        return True

    async def _tell_crm(self, one: Row, lead: Row) -> None:
        """The CRM gets its new owner through the guard like any other, and reps and team are told."""
        new = NewOwner(
            one["id"], one["lead_id"], one["owner_id"], one["owner_name"], f"{RULE}: {one['reason']}",
            Tier(one["tier"]), one["started_at"],
        )  # fmt: skip
        told = await self._told.tell(new) if self._holds is None else None
        async with self._database.transaction() as session:
            if told is None or told.pause is not None:
                pause = max(SHORTEST_PAUSE, told.pause or 0) if told else self._holds or PAUSE
                self._holds = min(PAUSE, pause)
                await timers.later(session, one, pause)
                return
            if not await timers.written(session, one, told.owner):
                return
            earlier = await timers.of_lead(session, one["lead_id"])
            detail = {"owner_id": one["owner_id"], "task": told.task}
            await self._audit(session, one, "sla.reassigned", told.owner, detail)
        before = next((past["owner_id"] for past in earlier if past["number"] == one["number"] - 1), None)
        await self._messages.passed_on(one, lead, before)

    async def _audit(self, session: Session, one: Row, action: str, outcome: str, detail: Mapping[str, Any]) -> None:
        told = {"tier": one["tier"], "timer": one["number"], **detail}
        subject = trail.Subject(one["lead_id"], None, self._trace_id)
        await trail.append(session, subject, [AuditEntry(action, outcome, told, actor="sla")])


def is_over(lead: Row) -> bool:
    """Nobody has to touch it any more."""
    return bool(lead["first_touch_at"] or lead["erased_at"] or lead["stage"] == OutcomeKind.LOST)
