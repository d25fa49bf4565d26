"""The life of an action: planned, sent, and then confirmed, failed or unknown. Every change is audited with it.

Reading back settles what is unknown: found as written, it is confirmed; found otherwise, it is written again unless
a newer version or a person wrote; absent twice, the second time after a settle time, it is written again under the
same key.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import orjson

from revenueflow.audit import trail
from revenueflow.db import actions, unsettled
from revenueflow.db.actions import LeadLimit, PlannedAction, Sending, Settled
from revenueflow.db.direct import Direct
from revenueflow.db.jobs import Lease
from revenueflow.db.session import Database, Session
from revenueflow.domain.action import ActionState, CallStatus, ToolResult
from revenueflow.domain.outcome import AuditEntry
from revenueflow.errors import LeaseLost, OutcomeUnknown, UpstreamError, UpstreamRejected, UpstreamUnavailable
from revenueflow.mcp.admission import Admission, Entry
from revenueflow.mcp.lately import Lately
from revenueflow.mcp.results import SETTLED, Action, result, stored_result
from revenueflow.mcp.targets import Target
from revenueflow.mcp.writes import Known, Note, Planning, Settling, Writes
from revenueflow.resilience.crash import crash_point
from revenueflow.telemetry import metrics

LONGEST_PAUSE = 60.0
SHORTEST_PAUSE = 0.05
NOTED_AGAIN = 600.0
"""Seconds after which a process notes again that a run's write is still delayed."""


class Ledger:
    """Makes writes and remembers them. `settle_seconds` is how long a CRM's index may lag."""

    def __init__(
        self,
        database: Database,
        direct: Direct,
        targets: Mapping[str, Target],
        admission: Admission,
        limit: LeadLimit,
        *,
        settle_seconds: float,
    ) -> None:
        self._database = database
        self._writes = Writes(direct, limit)
        self._targets = targets
        self._admission = admission
        self._limit = limit
        self._settle = settle_seconds
        self._delays = Lately(NOTED_AGAIN)

    async def known(self, key: UUID) -> Known:
        """The action with this key, if there is one, and whether writes are stopped now."""
        return await self._writes.known(key)

    async def note(self, subject: trail.Subject, entry: AuditEntry) -> None:
        """Audits what became of a call that wrote nothing."""
        await self._writes.note(Note(subject, entry))

    async def look(self, action: Action, target: str, entry: Entry) -> tuple[str, dict[str, Any]] | None:
        """What is in the CRM now: id and fields; None if nothing. Raises UpstreamUnavailable, UpstreamRejected."""
        await self._admission.read(target, entry)
        return await self._targets[target].read(action["object_type"], action["record_key"])

    async def begin(self, action: PlannedAction, subject: trail.Subject) -> Action | None:
        """Stores the intention, and that it is being sent, in one commit: the call may follow (`deliver`).

        Otherwise returns the action as it is stored: its key was known before, or it may not be sent. Raises
        UpstreamUnavailable if its lead is over its limit, whatever Redis says; then nothing is stored.
        """
        try:
            return await self._writes.plan(Planning(action, subject))
        except UpstreamUnavailable as full:
            pause = await self._pause(action.lead_id)
            raise UpstreamUnavailable(full.upstream, full.reason, retry_after=pause or SHORTEST_PAUSE) from None

    async def _pause(self, lead_id: UUID) -> float | None:
        async with self._database.transaction() as session:
            return await actions.lead_pause(session, lead_id, self._limit)

    async def replan(self, action: PlannedAction, subject: trail.Subject) -> bool:
        """Other arguments for the pipeline's own write, if it was never executed: the rules may have changed since."""
        async with self._database.transaction() as session:
            replaced = await actions.replace_args(session, action)
            if replaced:
                await trail.append(session, subject, [_entry(action.tool, "replanned", action.action_key)])
        return replaced

    async def admit(self, target: str, entry: Entry) -> None:
        """Returns once a write may be made. Raises UpstreamUnavailable with the seconds to wait."""
        await self._admission.write(target, entry)

    async def send(self, action: Action, target: str, subject: trail.Subject, lease: Lease | None) -> ToolResult:
        """Marks it as sent, if it is admitted, then as `deliver`. Raises LeaseLost before anything is written."""
        token, job_id = (lease.token, lease.job_id) if lease else (None, None)
        if not await self._writes.send(Sending(action["action_key"], action["tries"], job_id, token)):
            return await self._not_sent(action, subject)
        return await self.deliver(action, target, subject)

    async def deliver(self, action: Action, target: str, subject: trail.Subject) -> ToolResult:
        """The call of an action that is marked as sent, and what became of it."""
        try:
            crm_id = await self._targets[target].write(action["object_type"], action["record_key"], action["args"])
            crash_point("action.after_call")
        except UpstreamUnavailable as error:
            return await self._not_executed(action, subject, error)
        except OutcomeUnknown as error:
            return await self._doubtful(action, subject, error.reason)
        except UpstreamRejected as error:
            return await self._ended(action, subject, ActionState.FAILED, reason=error.reason)
        return await self._ended(action, subject, ActionState.CONFIRMED, crm_id=crm_id, how="answered")

    async def _not_sent(self, action: Action, subject: trail.Subject) -> ToolResult:
        """Why not: it was settled or sent by another meanwhile, something newer was written, or the lease is gone."""
        key = action["action_key"]
        async with self._database.transaction() as session:
            current = await actions.get(session, key)
            outdated = await actions.is_outdated(session, key)
            # The window may have moved on since: not to be sure of the lease is no reason to give it up.
            longer = self._limit._replace(seconds=self._limit.seconds + 1)
            pause = await actions.lead_pause(session, action["lead_id"], longer)
        if current and current["state"] in SETTLED:
            return stored_result(current)
        if current and outdated:
            return await self._ended(current, subject, ActionState.SUPERSEDED)
        if current and current["tries"] != action["tries"]:
            return result(current, CallStatus.UNKNOWN, retry_after=1)
        if current and pause:
            return await self.delayed(current, subject, UpstreamUnavailable("lead", "rate_limited", retry_after=pause))
        raise LeaseLost("the lease was lost before the write was sent")

    async def reconcile(
        self,
        action: Action,
        target: str,
        subject: trail.Subject,
        lease: Lease | None,
        *,
        entry: Entry | None = None,
        may_send: bool = True,
    ) -> ToolResult:
        """Settles an action whose outcome is open, by reading back; without `may_send` it writes nothing."""
        there = self._targets[target]
        if not there.readable:
            return await self._doubtful(action, subject, "cannot_be_read_back")
        entry = entry or Entry(action["lead_id"])
        try:
            found = await self.look(action, target, entry)
        except (UpstreamUnavailable, UpstreamRejected) as error:
            return result(action, CallStatus.UNKNOWN, retry_after=error.retry_after or self._settle)
        if found and _holds(found[1], there.normal(action["object_type"], action["args"])):
            return await self._ended(action, subject, ActionState.CONFIRMED, crm_id=found[0], how="read_back")
        ripe = found is not None or await self._is_absent_for_good(action)
        if not ripe or not may_send:
            return result(action, CallStatus.UNKNOWN, retry_after=self._settle)
        try:
            await self.admit(target, entry)
        except UpstreamUnavailable as full:
            return result(action, CallStatus.UNKNOWN, retry_after=full.retry_after)
        return await self.send(action, target, subject, lease)

    async def delayed(self, action: Action, subject: trail.Subject, error: UpstreamError) -> ToolResult:
        """Not admitted now: nothing is sent, no try is counted, and the caller is told when to come back."""
        key, tries = action["action_key"], action["tries"]
        metrics.guard_delays.labels(error.reason).inc()
        # A run looks again every so often: the trail need not grow with each look for as long as a CRM is away.
        if subject.job_id is None or self._delays.first((key, error.reason)):
            await self.note(subject, _entry(action["tool"], "delayed", key, reason=error.reason, by=error.upstream))
        return result(action, CallStatus.DELAYED, retry_after=error.retry_after or 5, reason=error.reason, tries=tries)

    async def _is_absent_for_good(self, action: Action) -> bool:
        async with self._database.transaction() as session:
            absent_for = await unsettled.seen_absent(session, action["action_key"])
        return absent_for is not None and absent_for >= self._settle and action["absent_at"] is not None

    async def _ended(
        self, action: Action, subject: trail.Subject, state: ActionState, crm_id: str | None = None, **detail: str
    ) -> ToolResult:
        key, reason = action["action_key"], detail.get("reason")
        told = orjson.dumps(detail).decode() if detail else None
        noted = detail | ({"crm_id": crm_id} if crm_id else {})
        entry = _entry(action["tool"], state.value, key, **noted)
        await self._writes.settle(Settling(Settled(key, state.value, crm_id, told, reason), subject, entry))
        return result(action, CallStatus(state.value), crm_id=crm_id, reason=reason)

    async def _not_executed(self, action: Action, subject: trail.Subject, error: UpstreamUnavailable) -> ToolResult:
        key, tries = action["action_key"], action["tries"] + 1
        async with self._database.transaction() as session:
            if await actions.not_executed(session, key, error.reason):
                await trail.append(session, subject, [_entry(action["tool"], "not_executed", key, reason=error.reason)])
        pause = error.retry_after or min(LONGEST_PAUSE, 2.0**tries)
        return result(action, CallStatus.DELAYED, retry_after=pause, reason=error.reason, tries=tries)

    async def _doubtful(self, action: Action, subject: trail.Subject, reason: str) -> ToolResult:
        key = action["action_key"]
        async with self._database.transaction() as session:
            if await unsettled.doubt(session, key, reason):
                await trail.append(session, subject, [_entry(action["tool"], "unknown", key, reason=reason)])
        return result(action, CallStatus.UNKNOWN, retry_after=1)


async def plan_again(session: Session, job_ids: Sequence[UUID], *, actor: str) -> None:
    """A person sets jobs going again: their writes that the CRM had refused may be tried again."""
    for action in await actions.plan_again(session, job_ids):
        entry = AuditEntry(f"crm.{action['tool']}", "planned", actor=actor, action_key=action["action_key"])
        await trail.append(session, trail.Subject(action["lead_id"], action["job_id"]), [entry])


def _holds(fields: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    return all(fields.get(name) == value for name, value in wanted.items())


def _entry(tool: str, outcome: str, key: UUID, **detail: str) -> AuditEntry:
    return AuditEntry(f"crm.{tool}", outcome, dict(detail), actor="guard", action_key=key)
