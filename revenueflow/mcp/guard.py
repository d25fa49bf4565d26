"""The guard: what a tool call must pass before anything is written, in this order, and what remains of it.

kill switch, read-only -> tool is listed -> arguments fit -> role may -> grounded fields have their claims -> the
account is the lead's own -> allowed transition, by what the CRM holds -> dry run (says what would be written) ->
idempotency (a known key returns the stored result) -> the write, through the ledger. A tool that
only reads ends before the dry run.
"""

from __future__ import annotations

import orjson

from revenueflow.audit import trail
from revenueflow.db import claims
from revenueflow.db.actions import PlannedAction
from revenueflow.db.direct import Direct
from revenueflow.db.session import Database
from revenueflow.domain.action import ActionState, CallStatus, ToolResult
from revenueflow.domain.outcome import AuditEntry
from revenueflow.errors import UpstreamRejected, UpstreamUnavailable
from revenueflow.mcp import checks
from revenueflow.mcp.call import Call, Checked, Denied
from revenueflow.mcp.ledger import Ledger
from revenueflow.mcp.policy import Policy
from revenueflow.mcp.reads import Reader
from revenueflow.mcp.results import Action, stored_result
from revenueflow.mcp.tools import TOOLS
from revenueflow.privacy.identity import IdentityKey
from revenueflow.telemetry import metrics


class Guard:
    """Checks calls, and lets the ledger make the writes that pass."""

    def __init__(
        self,
        database: Database,
        direct: Direct,
        policy: Policy,
        ledger: Ledger,
        reader: Reader,
        key: IdentityKey,
        same: checks.SameValue,
    ) -> None:
        self._database = database
        self._direct = direct
        self._policy = policy
        self._ledger = ledger
        self._reader = reader
        self._key = key
        self._same = same

    async def call(self, call: Call) -> ToolResult:
        """Makes the call, or says why not. A denial is a result, not an exception, and is audited."""
        try:
            checked = await self._check(call)
            return await self._pass(checked)
        except Denied as refusal:
            return await self._denied(call, refusal)

    async def _pass(self, checked: Checked) -> ToolResult:
        await self._reader.account_fits(checked)
        try:
            if checked.tool.reads:
                return await self._reader.answer(checked)
            await self._reader.transition_fits(checked)
        except (UpstreamUnavailable, UpstreamRejected) as error:
            return await self._reader.failed(checked, error)
        if self._policy.dry_run:
            return await self._dry_run(checked)
        return await self._perform(checked)

    async def _check(self, call: Call) -> Checked:
        if not checks.only_reads(call):
            checks.writes_are_on(self._policy)
        checked = checks.arguments_fit(call, checks.tool_is_listed(call))
        checks.role_may(checked, self._policy)
        checks.key_is_given(checked)
        if needed := checks.needed_claims(checked, self._policy):
            async with self._direct.connection() as connection:
                found = await claims.by_ids(connection, list(needed.values()))
            checks.claims_carry(checked, needed, found, self._same)
        return checked

    async def _perform(self, checked: Checked) -> ToolResult:
        planned, lease, target = self._plan(checked), checked.call.caller.lease, checked.tool.target
        known = await self._ledger.begin(planned, checked.subject)
        if known is None:
            return await self._ledger.deliver(_fresh(planned), target, checked.subject)
        if known["args_hmac"] != planned.args_hmac:
            # Rules may have changed since the pipeline planned a write that was never executed.
            if lease is None or not await self._ledger.replan(planned, checked.subject):
                raise Denied("idempotency_conflict", "the key was used before, with other arguments", "another key")
            known = {**known, "args": planned.args}
        if known["state"] == ActionState.PLANNED:
            return await self._ledger.send(known, target, checked.subject, lease)
        if known["state"] in (ActionState.SENT, ActionState.UNKNOWN):
            return await self._ledger.reconcile(known, target, checked.subject, lease)
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

    async def _dry_run(self, checked: Checked) -> ToolResult:
        async with self._database.transaction() as session:
            entry = AuditEntry(f"crm.{checked.tool.name}", "dry_run", actor="guard")
            await trail.append(session, checked.subject, [entry])
        return ToolResult(status=CallStatus.DRY_RUN, result={"fields": checked.tool.fields(checked.args)})

    async def _denied(self, call: Call, refusal: Denied) -> ToolResult:
        denial = refusal.denial
        metrics.guard_denials.labels(denial.code).inc()
        lease = call.caller.lease
        subject = trail.Subject(lease.lead_id if lease else None, lease.job_id if lease else None, call.caller.trace_id)
        entry = AuditEntry(f"crm.{_listed(call.tool)}", "denied", {"code": denial.code}, actor="guard")
        async with self._database.transaction() as session:
            await trail.append(session, subject, [entry])
        return ToolResult(status=CallStatus.DENIED, denial=denial)


def _listed(tool: str) -> str:
    # The name of a tool that we don't know is the caller's text: it must not reach the trail.
    return tool if tool in TOOLS else "unlisted"


def _fresh(planned: PlannedAction) -> Action:
    return planned._asdict() | {"crm_id": None, "tries": 0, "absent_at": None}
