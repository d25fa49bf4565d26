"""Notify: tells the team about a hot lead. A message carries no key: it is sent at most once."""

from __future__ import annotations

from datetime import timedelta

from revenueflow.clock import utcnow
from revenueflow.domain.action import CallStatus, ToolResult
from revenueflow.domain.base import Value
from revenueflow.domain.lead import Lead, Tier
from revenueflow.domain.outcome import Done, Outcome, Snooze
from revenueflow.pipeline.context import Context
from revenueflow.pipeline.ground import Grounded
from revenueflow.pipeline.messages import LONGEST, plain
from revenueflow.pipeline.route import Routed
from revenueflow.pipeline.score import Scored
from revenueflow.pipeline.writing import write

# The owner's task comes next and matters more: a messenger that is away does not hold it up for long.
MOST_TRIES = 3


class Notified(Value):
    """`status`: sent, unknown, failed, delayed (given up), not_hot or not_configured. None holds the lead up."""

    status: str


async def step(lead: Lead, context: Context) -> Outcome:
    """Posts a message with score, owner and reason; nothing in it but what the evidence supports."""
    if context.result(Scored).score.tier is not Tier.HOT:
        return Done(Notified(status="not_hot"))
    if context.services.slack_channel is None:
        return Done(Notified(status="not_configured"))
    args = {"channel": context.services.slack_channel, "text": _text(lead, context)}
    result = await write(lead, context, "post_message", args)
    if result.status is CallStatus.DELAYED and _tries(result) < MOST_TRIES:
        return Snooze(utcnow() + timedelta(seconds=result.retry_after or 5), "messenger_unavailable")
    return Done(Notified(status="sent" if result.status is CallStatus.CONFIRMED else result.status.value))


def _tries(result: ToolResult) -> int:
    tries = (result.result or {}).get("tries")
    return tries if isinstance(tries, int) else 0


def _text(lead: Lead, context: Context) -> str:
    score, routing = context.result(Scored).score, context.result(Routed).routing
    lines = [
        f"Hot lead: {plain(lead.company or lead.domain or 'unknown company')}, score {score.total}",
        f"Owner: {plain(routing.owner_name)} ({plain(f'{routing.rule}: {routing.reason}')})",
        plain(context.result(Grounded).summary or "No claim about it is supported: scored by rules.", LONGEST // 2),
        f"Lead {lead.id}",
    ]
    return "\n".join(lines)[:LONGEST]
