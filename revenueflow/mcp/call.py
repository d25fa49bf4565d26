"""A tool call: who asks for what, under which key."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID, uuid5

from revenueflow.audit.trail import Subject
from revenueflow.db.jobs import Lease
from revenueflow.domain.action import RECORD_NAMESPACE, Denial, action_key, record_key, shared_record_key
from revenueflow.mcp.tools import Tool, ToolArgs

Role = Literal["pipeline", "operator", "admin", "agent"]
AGENTS: Final = ("agent", "operator", "admin")
"""Roles of API keys that may use tools. What each may do with them, the policy says."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks. The pipeline has a lease; everybody else gives an idempotency key.

    `name` is what policy.toml calls an agent: the name of its API key.
    """

    id: str
    role: Role
    lease: Lease | None = None
    trace_id: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """What is asked. `claims` maps a JSON Pointer into `args` to the id of the claim that supports it.

    `dry_run`: check everything and say what would be written.
    """

    tool: str
    args: dict[str, Any]
    caller: Caller
    idempotency_key: str | None = None
    claims: dict[str, UUID] = field(default_factory=dict)
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Checked:
    """A call whose tool and arguments are known to be sound."""

    call: Call
    tool: Tool
    args: ToolArgs

    @property
    def record_key(self) -> UUID:
        """The external id of the record in the CRM."""
        caller, slot = self.call.caller, self.args.slot()
        if self.tool.shared:
            return shared_record_key(self.tool.object_type, slot)
        if self.tool.each_call and caller.role != "pipeline":
            slot = f"{caller.id}\n{self.call.idempotency_key}"
        return record_key(self.args.lead_id, self.tool.object_type, slot)

    @property
    def action_key(self) -> UUID:
        """One effect per key: never made from what a model wrote."""
        caller = self.call.caller
        if caller.lease:
            # The versions of one lead are no order for a record that several leads share.
            record = uuid5(self.record_key, str(self.args.lead_id)) if self.tool.shared else self.record_key
            return action_key(record, self.tool.name, caller.lease.run_version)
        return uuid5(RECORD_NAMESPACE, f"{caller.id}\n{self.call.idempotency_key}")

    @property
    def subject(self) -> Subject:
        """What the audit events of this call are about."""
        lease = self.call.caller.lease
        return Subject(self.args.lead_id, lease.job_id if lease else None, self.call.caller.trace_id)


class Denied(Exception):
    """The guard refuses the call; nothing was written anywhere."""

    def __init__(self, code: str, reason: str, needs: str | None = None) -> None:
        super().__init__(code)
        self.denial = Denial(code=code, reason=reason, needs=needs)


class NeedsApproval(Exception):
    """A person must approve the call first, within `seconds`; nothing was written anywhere."""

    def __init__(self, approval_id: UUID, rule: str, approver: str, expires_at: datetime, seconds: float) -> None:
        super().__init__(rule)
        self.approval_id = approval_id
        self.expires_at = expires_at
        self.seconds = seconds
        needs = f"approval {approval_id} by the role {approver}; then the same call, with the same key"
        self.denial = Denial(code="approval_required", reason=f"the rule {rule} asks for a person", needs=needs)
