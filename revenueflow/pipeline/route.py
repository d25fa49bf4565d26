"""Route: finds the owner by the rules, and keeps the reason."""

from __future__ import annotations

from revenueflow.domain.base import Value
from revenueflow.domain.lead import Lead
from revenueflow.domain.outcome import AuditEntry, Changes, Done, Outcome
from revenueflow.domain.scoring import Routing
from revenueflow.pipeline.context import Context
from revenueflow.pipeline.first_touch import kept
from revenueflow.pipeline.score import Scored
from revenueflow.routing.route import route


class Routed(Value):
    """The owner, the rule, and every rule that was tried."""

    routing: Routing


async def step(lead: Lead, context: Context) -> Outcome:
    """Applies the routing rules."""
    scored = context.result(Scored)
    routing = await kept(lead.id, route(context.services.routing, scored.facts, scored.score), context)
    columns = {
        "owner_id": routing.owner_id,
        "owner_name": routing.owner_name,
        "routing_rule": routing.rule,
        "routing_reason": routing.reason,
    }
    detail = {"owner_id": routing.owner_id, "rule": routing.rule, "policy_version": routing.policy_version}
    return Done(Routed(routing=routing), Changes(columns, audit=(AuditEntry("lead.routed", "done", detail),)))
