"""Telling the CRM that a lead has another owner: its owner, and with it the follow-up task that a run made.

Both are guarded writes under keys that the caller gives: what was written before a restart is not written again.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from revenueflow.db import owner_moves
from revenueflow.domain.action import CallStatus, ToolResult, record_key
from revenueflow.domain.lead import Tier
from revenueflow.domain.text import harmless
from revenueflow.mcp.call import Call, Caller
from revenueflow.pipeline.context import Services
from revenueflow.pipeline.messages import LONGEST
from revenueflow.routing.due import due_at

STOPPED = ("kill_switch", "read_only")
PAUSE = 30.0
NO_TASK = "no_task"


class NewOwner(NamedTuple):
    """Who has a lead from `since` on, and why; `key` is that of the change."""

    key: UUID
    lead_id: UUID
    owner_id: str
    owner_name: str
    reason: str
    tier: Tier
    since: datetime


class Told(NamedTuple):
    """What became of the writes of owner and task; `pause`: seconds until they are tried again, None if they ended."""

    owner: str
    task: str
    pause: float | None


class OwnerTold:
    """Tells the CRM about new owners."""

    def __init__(self, services: Services, trace_id: str) -> None:
        self._services = services
        self._caller = Caller("sla", "pipeline", trace_id=trace_id)

    async def tell(self, new: NewOwner) -> Told:
        """The owner, then the task. A refusal is for a person, is in the trail, and keeps nothing from the task."""
        args = {"owner_id": new.owner_id, "owner_name": new.owner_name, "reason": harmless(new.reason, LONGEST)}
        owner = await self._call(new, "owner", "assign_owner", args)
        if (pause := pause_of(owner)) is not None:
            return Told(owner.status.value, NO_TASK, pause)
        task = await self._move_task(new)
        return Told(owner.status.value, task.status.value if task else NO_TASK, pause_of(task) if task else None)

    async def _move_task(self, new: NewOwner) -> ToolResult | None:
        """Sets the new owner and due time on the record that the run made; None if there is none to set them on."""
        rules = await self._services.roster.rules()
        async with self._services.database.transaction() as session:
            made = await owner_moves.task(session, record_key(new.lead_id, "task"))
        rep = rules.by_id.get(new.owner_id)
        if made is None or rep is None:
            return None
        due = due_at(rules.follow_up, new.tier, new.since, rep)
        args = {"owner_id": rep.id, "subject": made["subject"], "body": made["body"], "due_at": due}
        # A key stands for one call: hours that were changed between two tries, or another run, make it another.
        return await self._call(new, f"task/{made['action_key']}/{due.isoformat()}", "create_task", args)

    async def _call(self, new: NewOwner, what: str, tool: str, args: Mapping[str, Any]) -> ToolResult:
        call = Call(tool, {"lead_id": new.lead_id, **args}, self._caller, f"{new.key}/{what}")
        return await self._services.registry.call(call)


def pause_of(result: ToolResult) -> float | None:
    """Seconds until the write is tried again; None if it has ended. A refusal is for a person, and is in the trail."""
    if result.status in (CallStatus.DELAYED, CallStatus.UNKNOWN, CallStatus.PLANNED):
        return result.retry_after or PAUSE
    stopped = result.denial is not None and result.denial.code in STOPPED
    return PAUSE if stopped else None
