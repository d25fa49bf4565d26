"""From what the ledger knows of an action to what the caller is told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import JsonValue

from revenueflow.domain.action import ActionState, CallStatus, ToolResult

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
