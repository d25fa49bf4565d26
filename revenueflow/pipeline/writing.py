"""Making guarded writes from a step, and what their results mean for it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from revenueflow.clock import utcnow
from revenueflow.domain.action import CallStatus, ToolResult
from revenueflow.domain.lead import Lead
from revenueflow.domain.outcome import Outcome, Park, Snooze
from revenueflow.mcp.call import Call
from revenueflow.pipeline.context import Context

STOPPED = ("kill_switch", "read_only")
LONGEST_WAIT = 900.0
"""Seconds until a run that waits for a person looks again by itself; the decision wakes it at once."""


async def write(
    lead: Lead, context: Context, tool: str, args: Mapping[str, Any], claims: Mapping[str, UUID] | None = None
) -> ToolResult:
    """One call through the registry, as the pipeline. Arguments that are None are left out."""
    given = {"lead_id": lead.id} | {name: value for name, value in args.items() if value is not None}
    return await context.services.registry.call(Call(tool, given, context.caller, claims=dict(claims or {})))


def unfinished(result: ToolResult) -> Outcome | None:
    """What the step comes to if the write is not there (yet); None if it is.

    A CRM that is away, a full limit, a person who has not decided yet, and an outcome that only reading back can tell,
    are nobody's fault: no attempt is spent. A refusal is for a person to look at.
    """
    code = result.denial.code if result.denial else "denied"
    match result.status:
        case CallStatus.CONFIRMED | CallStatus.SUPERSEDED | CallStatus.DRY_RUN:
            return None
        case CallStatus.UNKNOWN | CallStatus.PLANNED:
            return Snooze(utcnow() + timedelta(seconds=result.retry_after or 5), "crm_outcome_unknown")
        case CallStatus.DELAYED:
            return Snooze(utcnow() + timedelta(seconds=result.retry_after or 5), "crm_unavailable")
        case CallStatus.NEEDS_APPROVAL:
            wait = min(result.retry_after or LONGEST_WAIT, LONGEST_WAIT)
            return Snooze(utcnow() + timedelta(seconds=wait), "approval_needed")
        case CallStatus.DENIED if code in STOPPED:
            return Snooze(utcnow() + timedelta(seconds=30), f"guard_{code}")
        case CallStatus.DENIED:
            return Park(f"guard_{code}")
        case _:
            return Park(f"crm_{(result.result or {}).get('reason', result.status.value)}")
