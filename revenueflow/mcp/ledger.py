"""The life of an action: planned, sent, and then confirmed, failed or unknown. Every change is audited with it.

Reading back settles what is unknown: found as written, it is confirmed; found otherwise, it is written again unless
a newer version wrote; absent twice, the second time after a settle time, it is written again under the same key.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from pydantic import JsonValue

from revenueflow.audit import trail
from revenueflow.clock import utcnow
from revenueflow.db import actions
from revenueflow.db.actions import PlannedAction
from revenueflow.db.jobs import Lease
from revenueflow.db.session import Database
from revenueflow.domain.action import ActionState, CallStatus, ToolResult
from revenueflow.domain.outcome import AuditEntry
from revenueflow.errors import LeaseLost, OutcomeUnknown, UpstreamRejected, UpstreamUnavailable
from revenueflow.mcp.targets import Target

Action = Mapping[str, Any]
LONGEST_PAUSE = 60.0


class Ledger:
    """Makes writes and remembers them. `settle_seconds` is how long a CRM's index may lag."""

    def __init__(self, database: Database, targets: Mapping[str, Target], *, settle_seconds: float) -> None:
        self._database = database
        self._targets = targets
        self._settle = settle_seconds

    async def plan(self, action: PlannedAction, subject: trail.Subject) -> Action | None:
        """Transaction A: stores the intention; returns the action that has this key already, if there is one."""
        async with self._database.transaction() as session:
            if not await actions.plan(session, action):
                return await actions.get(session, action.action_key)
            older = await actions.supersede(session, action)
            entries = [_entry(action.tool, "planned", action.action_key, record_key=str(action.record_key))]
            entries += [_entry(action.tool, "superseded", key) for key in older]
            await trail.append(session, subject, entries)
        return None

    async def send(self, action: Action, target: str, subject: trail.Subject, lease: Lease | None) -> ToolResult:
        """Transaction B, the call, and what became of it. Raises LeaseLost before anything is written."""
        async with self._database.transaction() as session:
            token, job_id = (lease.token, lease.job_id) if lease else (None, None)
            if not await actions.send(session, action["action_key"], job_id=job_id, token=token):
                raise LeaseLost("the lease was lost before the write was sent")
        try:
            crm_id = await self._targets[target].write(action["object_type"], action["record_key"], action["args"])
        except UpstreamUnavailable as error:
            return await self._not_executed(action, subject, error)
        except OutcomeUnknown as error:
            return await self._doubtful(action, subject, error.reason)
        except UpstreamRejected as error:
            return await self._failed(action, subject, error.reason)
        return await self._confirmed(action, subject, crm_id, how="answered")

    async def reconcile(self, action: Action, target: str, subject: trail.Subject, lease: Lease | None) -> ToolResult:
        """Settles an action whose outcome is open, by reading back."""
        if not self._targets[target].readable:
            return await self._doubtful(action, subject, "cannot_be_read_back")
        try:
            found = await self._targets[target].read(action["object_type"], action["record_key"])
        except (UpstreamUnavailable, UpstreamRejected) as error:
            return _result(action, CallStatus.UNKNOWN, retry_after=error.retry_after or self._settle)
        if found is None:
            return await self._absent(action, target, subject, lease)
        crm_id, fields = found
        if _holds(fields, action["args"]):
            return await self._confirmed(action, subject, crm_id, how="read_back")
        if await self._is_outdated(action):
            return await self._superseded(action, subject)
        return await self.send(action, target, subject, lease)

    async def _absent(self, action: Action, target: str, subject: trail.Subject, lease: Lease | None) -> ToolResult:
        first_seen = action["absent_at"]
        if first_seen and utcnow() - first_seen >= timedelta(seconds=self._settle):
            return await self.send(action, target, subject, lease)
        async with self._database.transaction() as session:
            await actions.doubt(session, action["action_key"], "absent")
            await actions.seen_absent(session, action["action_key"])
        return _result(action, CallStatus.UNKNOWN, retry_after=self._settle)

    async def _is_outdated(self, action: Action) -> bool:
        async with self._database.transaction() as session:
            return await actions.newer_was_sent(session, action["record_key"], action["tool"], action["run_version"])

    async def _confirmed(self, action: Action, subject: trail.Subject, crm_id: str, *, how: str) -> ToolResult:
        key = action["action_key"]
        async with self._database.transaction() as session:
            if await actions.settle(session, key, ActionState.CONFIRMED, crm_id=crm_id, result={"how": how}):
                await trail.append(session, subject, [_entry(action["tool"], "confirmed", key, crm_id=crm_id, how=how)])
        return _result(action, CallStatus.CONFIRMED, crm_id=crm_id)

    async def _failed(self, action: Action, subject: trail.Subject, reason: str) -> ToolResult:
        key = action["action_key"]
        async with self._database.transaction() as session:
            if await actions.settle(session, key, ActionState.FAILED, error=reason):
                await trail.append(session, subject, [_entry(action["tool"], "failed", key, reason=reason)])
        return _result(action, CallStatus.FAILED, reason=reason)

    async def _superseded(self, action: Action, subject: trail.Subject) -> ToolResult:
        key = action["action_key"]
        async with self._database.transaction() as session:
            if await actions.settle(session, key, ActionState.SUPERSEDED):
                await trail.append(session, subject, [_entry(action["tool"], "superseded", key)])
        return _result(action, CallStatus.CONFIRMED, crm_id=action["crm_id"])

    async def _not_executed(self, action: Action, subject: trail.Subject, error: UpstreamUnavailable) -> ToolResult:
        key = action["action_key"]
        async with self._database.transaction() as session:
            await actions.not_executed(session, key, error.reason)
            await trail.append(session, subject, [_entry(action["tool"], "not_executed", key, reason=error.reason)])
        tries = action["tries"] + 1
        return _result(
            action,
            CallStatus.DELAYED,
            retry_after=error.retry_after or min(LONGEST_PAUSE, 2.0**tries),
            reason=error.reason,
            tries=tries,
        )

    async def _doubtful(self, action: Action, subject: trail.Subject, reason: str) -> ToolResult:
        key = action["action_key"]
        async with self._database.transaction() as session:
            if await actions.doubt(session, key, reason):
                await trail.append(session, subject, [_entry(action["tool"], "unknown", key, reason=reason)])
        return _result(action, CallStatus.UNKNOWN, retry_after=1)


def _holds(fields: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    return all(fields.get(name) == value for name, value in wanted.items())


def _entry(tool: str, outcome: str, key: UUID, **detail: str) -> AuditEntry:
    return AuditEntry(f"crm.{tool}", outcome, dict(detail), actor="guard", action_key=key)


def _result(
    action: Action,
    status: CallStatus,
    *,
    crm_id: str | None = None,
    retry_after: float | None = None,
    reason: str | None = None,
    tries: int | None = None,
) -> ToolResult:
    result: dict[str, JsonValue] = {"reason": reason, "tries": tries}
    return ToolResult(
        status=status,
        action_id=action["action_key"],
        crm_id=crm_id,
        retry_after=retry_after,
        result={name: value for name, value in result.items() if value is not None} or None,
    )
