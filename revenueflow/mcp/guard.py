"""The guard: what a tool call must pass before anything is written, in this order, and what remains of it.

kill switch, read-only -> tool is listed -> arguments fit -> role may use the tool, and give these arguments -> the
run's own lead -> a key -> grounded fields have their claims -> the account is the lead's own -> idempotency (a known
key is one call) -> allowed transition, by what the CRM holds -> dry run (says what would be written) -> approval ->
breaker -> limits -> the write, through the ledger. A tool that only reads ends before its key is looked up.

Of a lead outside its campaigns an agent learns nothing, not even whether there is one: what depends on the lead
(claims, account, transition) is checked once a person has approved the call.

Every outcome is an audit event. docs/guard.md has the codes of all denials.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import orjson

from revenueflow.audit.trail import Subject
from revenueflow.db import claims
from revenueflow.db.actions import PlannedAction
from revenueflow.db.direct import Direct
from revenueflow.domain.action import ActionState, CallStatus, Denial, ToolResult
from revenueflow.domain.outcome import AuditEntry
from revenueflow.errors import UpstreamRejected, UpstreamUnavailable
from revenueflow.mcp import checks, transitions
from revenueflow.mcp.admission import entry_of
from revenueflow.mcp.approvals import Approvals
from revenueflow.mcp.call import Call, Checked, Denied, NeedsApproval
from revenueflow.mcp.ledger import Ledger
from revenueflow.mcp.policy import Policy
from revenueflow.mcp.reads import Reader
from revenueflow.mcp.results import Action, dry_run_result, needs_approval_result, stored_result
from revenueflow.mcp.scope import Scope
from revenueflow.mcp.tools import TOOLS
from revenueflow.privacy.identity import IdentityKey
from revenueflow.telemetry import metrics

OPEN = (ActionState.SENT, ActionState.UNKNOWN)
OUTSIDE = (
    "outside_campaign", "the lead is in no campaign of this agent", "a campaign of the lead in [agents] of policy.toml",
)  # fmt: skip
CONFLICT = ("idempotency_conflict", "the key was used before, with other arguments", "another key")


class Guard:
    """Checks calls, and lets the ledger make the writes that pass."""

    def __init__(
        self,
        direct: Direct,
        policy: Policy,
        ledger: Ledger,
        reader: Reader,
        approvals: Approvals,
        scope: Scope,
        key: IdentityKey,
        same: checks.SameValue,
    ) -> None:
        self._direct = direct
        self._policy = policy
        self._ledger = ledger
        self._reader = reader
        self._approvals = approvals
        self._scope = scope
        self._key = key
        self._same = same

    async def call(self, call: Call) -> ToolResult:
        """Makes the call, or says why not. A denial is a result, not an exception, and is audited."""
        checked = None
        try:
            checked = self._check(call)
            hidden = not await self._scope.may_read(call.caller, checked.args.lead_id)
            needed = checks.needed_claims(checked, self._policy)
            if hidden and checked.tool.reads:
                raise Denied(*OUTSIDE)
            if not hidden:
                await self._check_facts(checked, needed)
            if checked.tool.reads:
                return await self._reader.answer(checked)
            return await self._write(checked, hidden)
        except Denied as refusal:
            return await self._denied(call, checked, refusal)
        except NeedsApproval as question:
            return await self._needs_approval(call, checked, question)

    def _check(self, call: Call) -> Checked:
        if not checks.only_reads(call):
            checks.writes_are_on(self._policy)
        checked = checks.arguments_fit(call, checks.tool_is_listed(call))
        checks.role_may(checked, self._policy)
        checks.fields_may(checked, self._policy)
        checks.lead_is_its_own(checked)
        checks.key_is_given(checked)
        return checked

    async def _check_facts(self, checked: Checked, needed: Mapping[str, UUID]) -> None:
        if needed:
            async with self._direct.connection() as connection:
                found = await claims.by_ids(connection, list(needed.values()))
            checks.claims_carry(checked, needed, found, self._same)
        await self._reader.account_fits(checked)

    async def _write(self, checked: Checked, hidden: bool) -> ToolResult:
        planned = self._plan(checked)
        known, stopped = await self._ledger.known(planned.action_key)
        _is_same(checked, planned, known)
        if stopped:
            return await self._while_stopped(checked, known)
        if known is None and not hidden:
            # A call whose key is known was allowed when it was made.
            try:
                await self._reader.transition_fits(checked)
            except (UpstreamUnavailable, UpstreamRejected) as error:
                return await self._reader.failed(checked, error)
        if self._policy.dry_run or checked.call.dry_run:
            return await self._dry_run(checked, planned, hidden)
        return await self._perform(checked, planned, known, hidden)

    async def _while_stopped(self, checked: Checked, known: Action | None) -> ToolResult:
        """Nothing is sent; what was sent before the stop is read back, and what has ended is told."""
        if known is None or known["state"] == ActionState.PLANNED:
            raise Denied("kill_switch", "all writes are stopped", "an operator who runs: revenueflow writes resume")
        if known["state"] in OPEN:
            entry, target = entry_of(checked.call, checked.args.lead_id), checked.tool.target
            return await self._ledger.reconcile(
                known, target, checked.subject, checked.call.caller.lease, entry=entry, may_send=False
            )
        return await self._replayed(checked, known)

    async def _perform(
        self, checked: Checked, planned: PlannedAction, known: Action | None, hidden: bool
    ) -> ToolResult:
        target = checked.tool.target
        if known is None or known["state"] == ActionState.PLANNED:
            try:
                approved = await self._approvals.require(checked, hidden=hidden)
                if hidden and known is None:
                    await self._check_hidden(checked, approved)
                await self._ledger.admit(target, entry_of(checked.call, planned.lead_id))
                known = known or await self._ledger.begin(planned, checked.subject)
            except (UpstreamUnavailable, UpstreamRejected) as full:
                return await self._ledger.delayed(known or _fresh(planned), checked.subject, full)
        if known is None:
            return await self._ledger.deliver(_fresh(planned), target, checked.subject)
        return await self._go_on(checked, planned, known)

    async def _check_hidden(self, checked: Checked, approved: bool) -> None:
        """What was not checked before, for its outcome tells something of the lead: a person has approved it now."""
        needed = checks.needed_claims(checked, self._policy)
        if not approved and (needed or checked.args.account() is not None or transitions.needs_the_record(checked)):
            raise Denied(*OUTSIDE)
        await self._check_facts(checked, needed)
        await self._reader.transition_fits(checked)

    async def _go_on(self, checked: Checked, planned: PlannedAction, known: Action) -> ToolResult:
        """A call whose action exists already."""
        lease, target = checked.call.caller.lease, checked.tool.target
        _is_same(checked, planned, known)
        if known["args_hmac"] != planned.args_hmac:
            # Rules may have changed since the pipeline planned a write that was never executed.
            if not await self._ledger.replan(planned, checked.subject):
                raise Denied(*CONFLICT)
            known = {**known, "args": planned.args}
        if known["state"] == ActionState.PLANNED:
            return await self._ledger.send(known, target, checked.subject, lease)
        if known["state"] in OPEN:
            entry = entry_of(checked.call, planned.lead_id)
            return await self._ledger.reconcile(known, target, checked.subject, lease, entry=entry)
        return await self._replayed(checked, known)

    async def _replayed(self, checked: Checked, known: Action) -> ToolResult:
        entry = AuditEntry(f"crm.{checked.tool.name}", "replayed", {}, actor="guard", action_key=known["action_key"])
        await self._ledger.note(checked.subject, entry)
        return stored_result(known)

    def _plan(self, checked: Checked) -> PlannedAction:
        lease = checked.call.caller.lease
        fields = checked.tool.fields(checked.args)
        return PlannedAction(
            action_key=checked.action_key,
            record_key=checked.record_key,
            object_type=checked.tool.object_type,
            tool=checked.tool.name,
            run_version=lease.run_version if lease else 0,
            caller=checked.call.caller.id,
            args=fields,
            args_hmac=self._key.digest(orjson.dumps(fields, option=orjson.OPT_SORT_KEYS)),
            job_id=lease.job_id if lease else None,
            lead_id=checked.args.lead_id,
            token=lease.token if lease else None,
        )

    async def _dry_run(self, checked: Checked, planned: PlannedAction, hidden: bool) -> ToolResult:
        """The difference to the record as the CRM holds it. Where a person is asked first, nothing of it is shown."""
        rule = await self._approvals.rule_for(checked)
        if rule or hidden or checked.tool.target != "crm":
            told = dry_run_result(planned.args, approval=rule.name if rule else None)
        else:
            entry = entry_of(checked.call, planned.lead_id)
            try:
                found = await self._ledger.look(_fresh(planned), checked.tool.target, entry)
            except (UpstreamUnavailable, UpstreamRejected) as error:
                return await self._ledger.delayed(_fresh(planned), checked.subject, error)
            told = dry_run_result(planned.args, found=found, compared=True)
        await self._note(checked, "dry_run", {"caller": checked.call.caller.id})
        return told

    async def _needs_approval(self, call: Call, checked: Checked | None, question: NeedsApproval) -> ToolResult:
        detail = {"code": question.denial.code, "caller": call.caller.id, "approval_id": str(question.approval_id)}
        metrics.guard_denials.labels(question.denial.code).inc()
        if checked:
            await self._note(checked, "needs_approval", detail)
        return needs_approval_result(question, checked.action_key if checked else None)

    async def _denied(self, call: Call, checked: Checked | None, refusal: Denied) -> ToolResult:
        denial: Denial = refusal.denial
        metrics.guard_denials.labels(denial.code).inc()
        lease = call.caller.lease
        subject = Subject(lease.lead_id if lease else None, lease.job_id if lease else None, call.caller.trace_id)
        entry = _entry(call.tool, "denied", {"code": denial.code, "caller": call.caller.id})
        await self._ledger.note(checked.subject if checked and not lease else subject, entry)
        return ToolResult(status=CallStatus.DENIED, denial=denial)

    async def _note(self, checked: Checked, outcome: str, detail: dict[str, Any]) -> None:
        await self._ledger.note(checked.subject, _entry(checked.tool.name, outcome, detail))


def _is_same(checked: Checked, planned: PlannedAction, known: Action | None) -> None:
    """A key stands for one call. Only the pipeline, whose keys are its own, may come back with other arguments."""
    if known is None or checked.call.caller.lease:
        return
    if (known["tool"], known["args_hmac"]) != (planned.tool, planned.args_hmac):
        raise Denied(*CONFLICT)


def _entry(tool: str, outcome: str, detail: dict[str, Any]) -> AuditEntry:
    # The name of a tool that we don't know is the caller's text: it must not reach the trail.
    return AuditEntry(f"crm.{tool if tool in TOOLS else 'unlisted'}", outcome, detail, actor="guard")


def _fresh(planned: PlannedAction) -> Action:
    return planned._asdict() | {"crm_id": None, "tries": 0, "absent_at": None}
