"""An action: one intended write to the outside, with its key, before, during and after the call."""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

from pydantic import JsonValue
from uuid_utils.compat import uuid5

from revenueflow.domain.base import Value

RECORD_NAMESPACE = UUID("6f2f4c1e-7d0b-5a52-9f0e-0e8a3c1d7b11")


class ActionState(StrEnum):
    """`sent` without an answer becomes `unknown`: only reading back tells."""

    PLANNED = "planned"
    SENT = "sent"
    UNKNOWN = "unknown"
    CONFIRMED = "confirmed"
    FAILED = "failed"
    DENIED = "denied"
    SUPERSEDED = "superseded"


def record_key(lead_id: UUID, object_type: str, slot: str = "main") -> UUID:
    """The external id of a record in the CRM: the same for every run over a lead."""
    return uuid5(RECORD_NAMESPACE, f"{lead_id}/{object_type}/{slot}")


def shared_record_key(object_type: str, slot: str) -> UUID:
    """The external id of a record that belongs to no lead alone, such as the account of a domain."""
    return uuid5(RECORD_NAMESPACE, f"{object_type}/{slot}")


def action_key(record: UUID, tool: str, run_version: int) -> UUID:
    """The key of the pipeline's write: one effect per record, tool and version of the lead."""
    return uuid5(record, f"{tool}/{run_version}")


class CallStatus(StrEnum):
    """What a tool call came to."""

    CONFIRMED = "confirmed"
    PLANNED = "planned"
    UNKNOWN = "unknown"
    FAILED = "failed"
    SUPERSEDED = "superseded"
    DENIED = "denied"
    DELAYED = "delayed"
    NEEDS_APPROVAL = "needs_approval"
    DRY_RUN = "dry_run"


class Denial(Value):
    """Why a call was not made, and what would be needed. Never holds a rejected value."""

    code: str
    reason: str
    needs: str | None = None


class ToolResult(Value):
    """The answer of `registry.call`, in process and over MCP alike."""

    status: CallStatus
    action_id: UUID | None = None
    crm_id: str | None = None
    replayed: bool = False
    retry_after: float | None = None
    denial: Denial | None = None
    result: dict[str, JsonValue] | None = None
