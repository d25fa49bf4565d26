"""Follow up: a task for the owner, due by the rules for the tier, in the owner's working hours; and the timer."""

from __future__ import annotations

from datetime import datetime

from revenueflow.domain.base import Value
from revenueflow.domain.lead import Lead
from revenueflow.domain.outcome import Changes, Done, Outcome
from revenueflow.domain.scoring import Factor
from revenueflow.domain.text import harmless
from revenueflow.pipeline.context import Context
from revenueflow.pipeline.ground import Grounded
from revenueflow.pipeline.route import Routed
from revenueflow.pipeline.score import Scored
from revenueflow.pipeline.writing import unfinished, write
from revenueflow.routing.due import due_at
from revenueflow.routing.sla import timer


class FollowedUp(Value):
    """When the owner is to have followed up."""

    due_at: datetime


async def step(lead: Lead, context: Context) -> Outcome:
    """Creates the task. Its due time counts from when the lead was received, so a repeated step asks the same.

    The owner's time for a first touch counts from now: what the lead has waited before is not the owner's doing.
    """
    score, routing = context.result(Scored).score, context.result(Routed).routing
    rules = await context.services.roster.rules()
    owner = rules.by_id.get(routing.owner_id) or rules.rep(rules.default_owner)
    due = due_at(rules.follow_up, score.tier, lead.received_at, owner)
    about = lead.company or lead.domain or "new lead"
    task = {
        "owner_id": routing.owner_id,
        "subject": f"Follow up: {harmless(about, 400)} ({score.tier.value}, {score.total})",
        "body": "\n".join(filter(None, (context.result(Grounded).summary, *map(_line, score.factors))))[:8000],
        "due_at": due,
    }
    result = await write(lead, context, "create_task", task)
    given = timer(rules, context.services.sla, score.tier, owner, routing.rule, context.now)
    return unfinished(result) or Done(FollowedUp(due_at=due), Changes(timer=given))


def _line(factor: Factor) -> str:
    return f"{factor.name}: {factor.points} of {factor.maximum} ({harmless(factor.reason, 500)})"
