"""From what the ledger knows of an action to what the caller is told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from pydantic import JsonValue

from revenueflow.clock import rfc3339
from revenueflow.domain.action import ActionState, CallStatus, ToolResult
from revenueflow.mcp.call import NeedsApproval

Action = Mapping[str, Any]
SETTLED = (ActionState.CONFIRMED, ActionState.FAILED, ActionState.DENIED, ActionState.SUPERSEDED)


def result(
    action: Action,
    status: CallStatus,
    *,
    crm_id: str | None = None,
    retry_after: float | None = None,
    reason: str | None = None,
    tries: int | None = None,
) -> ToolResult:
    """What became of a call just now. `retry_after` is in seconds."""
    told: dict[str, JsonValue] = {"reason": reason, "tries": tries}
    return ToolResult(
        status=status,
        action_id=action["action_key"],
        crm_id=crm_id,
        retry_after=retry_after,
        result={name: value for name, value in told.items() if value is not None} or None,
    )


def stored_result(action: Action) -> ToolResult:
    """What became of a call with the same key before."""
    told = result(action, CallStatus(action["state"]), crm_id=action["crm_id"], reason=action["error"])
    return told.model_copy(update={"replayed": True})


def needs_approval_result(question: NeedsApproval, action_id: UUID | None) -> ToolResult:
    """A person must approve first: the same call again, at the latest when the time for it is over, tells more."""
    return ToolResult(
        status=CallStatus.NEEDS_APPROVAL,
        action_id=action_id,
        denial=question.denial,
        retry_after=max(1.0, question.seconds),
        result={"approval_id": str(question.approval_id), "expires_at": rfc3339(question.expires_at)},
    )


def dry_run_result(
    fields: Mapping[str, Any],
    *,
    found: tuple[str, Mapping[str, Any]] | None = None,
    compared: bool = False,
    approval: str | None = None,
) -> ToolResult:
    """What would be written: all fields, and of these the ones that differ from what the CRM holds now."""
    held = found[1] if found else {}
    difference: dict[str, JsonValue] = {
        name: {"from": held.get(name), "to": value} for name, value in fields.items() if held.get(name) != value
    }
    told: dict[str, JsonValue] = {"fields": dict(fields)}
    if compared:
        told |= {"exists": found is not None, "difference": difference}
    if approval:
        told["approval_rule"] = approval
    return ToolResult(status=CallStatus.DRY_RUN, crm_id=found[0] if found else None, result=told)
