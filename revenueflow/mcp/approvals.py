"""Approvals: a person's word on one exact call, once, for a time.

An approval is bound to the key of the action, and to a hash of tool, arguments and caller. The caller, or the waiting
job, makes the same call again: approved, it goes through, and a retry of it goes through too, for a key has one effect.
Another key, caller or argument needs another approval.

Of a lead that we don't have nobody is asked. An agent that may not know which leads there are is told what it is told
of those of other campaigns: the row then stands for the answer alone, and is in no queue.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any, Literal
from uuid import UUID

import orjson

from revenueflow.audit import trail
from revenueflow.clock import rfc3339
from revenueflow.db import approvals, jobs
from revenueflow.db.approvals import Asked
from revenueflow.db.session import Database, Session
from revenueflow.domain.outcome import AuditEntry
from revenueflow.errors import Conflict, NotAllowed, NotFound, UpstreamUnavailable
from revenueflow.mcp.call import Checked, Denied, NeedsApproval
from revenueflow.mcp.policy import ApprovalRule, Policy
from revenueflow.mcp.scope import Scope
from revenueflow.privacy.identity import IdentityKey

Decision = Literal["approved", "denied"]
OPEN = ("pending", "approved")
ENDED = ("expired", "withdrawn")
NO_LEAD = ("unknown_lead", "there is no such lead", "the id of a lead")


class Approvals:
    """What the guard asks before a write."""

    def __init__(self, database: Database, scope: Scope, policy: Policy, key: IdentityKey) -> None:
        self._database = database
        self._scope = scope
        self._policy = policy
        self._key = key

    async def rule_for(self, checked: Checked) -> ApprovalRule | None:
        """The first rule that fits the call."""
        for rule in self._policy.approvals.rules:
            if _concerns(rule, checked) and (not rule.outside_campaign or not await self._scope.holds_call(checked)):
                return rule
        return None

    async def require(self, checked: Checked, *, hidden: bool = False) -> bool:
        """True if a person has approved exactly this call, False if no rule fits. `hidden`: not even whether there is
        such a lead may be told.

        Raises NeedsApproval while nobody has decided, Denied if somebody refused or the time is over, and
        UpstreamUnavailable if too many calls of this caller wait already: people could not tell what matters.
        """
        rule = await self.rule_for(checked)
        if rule is None:
            return False
        async with self._database.transaction() as session:
            refusal = await self._judge(session, checked, rule, hidden=hidden)
        if refusal:
            raise refusal
        return True

    async def _judge(self, session: Session, checked: Checked, rule: ApprovalRule, *, hidden: bool) -> Exception | None:
        """What is to be raised, once this transaction has stored what it says."""
        digest, found = self._digest(checked), await approvals.last(session, checked.action_key)
        from_pipeline = checked.call.caller.lease is not None
        if found and found["call_hmac"] != digest:
            if not from_pipeline:
                return Denied("idempotency_conflict", "the key was used before, with other arguments", "another key")
            if found["stored"] not in ENDED:
                await _move(session, found, "withdrawn", checked.subject)
            found = None
        # A run that a person has set going again may ask again; whoever gives keys gives another one.
        if found is None or (from_pipeline and found["stored"] in ENDED):
            if not hidden and not await approvals.is_ours(session, checked.args.lead_id):
                return Denied(*NO_LEAD)
            return await self._ask(session, checked, rule, digest)
        if not found["queued"]:
            fields = checked.tool.fields(checked.args)
            found["queued"] = await approvals.queue(session, found["id"], checked.args.lead_id, fields)
        return await _answer(session, found, checked.subject)

    async def _ask(self, session: Session, checked: Checked, rule: ApprovalRule, digest: bytes) -> Exception:
        call, subject = checked.call, checked.subject
        most = self._policy.limits.per_caller
        if call.caller.lease is None and await approvals.waiting_of(session, call.caller.id) >= most:
            return UpstreamUnavailable("approvals", "rate_limited", retry_after=self._policy.limits.window_seconds)
        asked = Asked(
            checked.action_key, digest, checked.tool.name, checked.tool.fields(checked.args), call.caller.id, rule.name,
            rule.approver, checked.args.lead_id, subject.job_id, subject.trace_id,
        )  # fmt: skip
        made = await approvals.ask(session, asked, seconds=self._policy.approvals.expire_hours * 3600)
        if made:
            await _audit(session, made, "asked", subject, queued="yes" if made["queued"] else "no")
            return _waiting(made)
        found = await approvals.last(session, checked.action_key)  # another process was faster
        if found is None or found["call_hmac"] != digest:
            return Denied("idempotency_conflict", "the key was used before, with other arguments", "another key")
        return await _answer(session, found, subject) or _waiting(found)

    def _digest(self, checked: Checked) -> bytes:
        call = {
            "tool": checked.tool.name,
            "args": checked.tool.fields(checked.args),
            "caller": checked.call.caller.id,
        }
        return self._key.digest(orjson.dumps(call, option=orjson.OPT_SORT_KEYS))


async def decide(database: Database, approval_id: UUID, decision: Decision, *, by: str, role: str) -> dict[str, Any]:
    """A person's decision; the job that waits for it is due at once. Of two people the first one has decided.

    Raises NotFound, Conflict (decided before, or its time is over), NotAllowed (the rule asks for another role, or it
    is the caller's own call).
    """
    async with database.transaction() as session:
        found = await approvals.get(session, approval_id)
        if found is None:
            raise NotFound("there is no approval with this id")
        if role not in (found["approver"], "admin"):
            raise NotAllowed(f"the rule {found['rule']} asks for the role {found['approver']}")
        if found["caller"] == by:
            raise NotAllowed("nobody approves a call of their own")
        if not found["queued"]:
            raise Conflict("there is no lead with the id that the call names")
        return await record(session, approval_id, decision, by=by, how="queue")


async def record(session: Session, approval_id: UUID, decision: Decision, *, by: str, how: str) -> dict[str, Any]:
    """Stores the decision of somebody who may decide, and audits it. Raises Conflict."""
    decided = await approvals.decide(session, approval_id, decision, by=by)
    if decided is None:
        current = await approvals.get(session, approval_id)
        raise Conflict(f"it is {current['state'] if current else 'gone'} already")
    await _audit(session, decided, decision, _subject(decided), actor=by, how=how)
    if decided["job_id"]:
        await jobs.hurry(session, decided["job_id"])
    return decided


def _concerns(rule: ApprovalRule, checked: Checked) -> bool:
    if rule.tools and checked.tool.name not in rule.tools:
        return False
    if rule.roles and checked.call.caller.role not in rule.roles:
        return False
    return all(_is_above(checked, pointer, most) for pointer, most in rule.above.items())


def _is_above(checked: Checked, pointer: str, most: int) -> bool:
    value = getattr(checked.args, pointer.lstrip("/"), None)
    try:
        return value is not None and Decimal(str(value)) > most
    except InvalidOperation:  # what is no number is not small either
        return True


async def _answer(session: Session, found: dict[str, Any], subject: trail.Subject) -> Exception | None:
    # One whose lead was erased goes on as if nobody had decided: that there was such a lead is not told by it.
    if found["state"] == "expired" or (found["state"] == "withdrawn" and not found["seconds_left"]):
        if found["stored"] in OPEN:
            await _move(session, found, "expired", subject)
        return Denied("approval_expired", "the time for its approval is over", "a new call, with another key")
    match found["state"]:
        case "denied":
            return Denied("approval_denied", "a person refused this call", "another call")
        case "pending" | "withdrawn":
            return _waiting(found)
        case "approved" if not found["queued"]:
            return Denied(*NO_LEAD)
        case "approved":
            await _move(session, found, "used", subject)
    return None


def _waiting(found: dict[str, Any]) -> NeedsApproval:
    return NeedsApproval(found["id"], found["rule"], found["approver"], found["expires_at"], found["seconds_left"])


async def _move(session: Session, found: dict[str, Any], state: str, subject: trail.Subject) -> None:
    if await approvals.move(session, found["id"], found["stored"], state):
        await _audit(session, found, state, subject)


async def _audit(
    session: Session, found: dict[str, Any], outcome: str, subject: trail.Subject, actor: str = "guard", **more: str
) -> None:
    detail = {name: str(found[name]) for name in ("rule", "tool", "caller")} | {"approval_id": str(found["id"])} | more
    entry = AuditEntry(f"approval.{outcome}", outcome, detail, actor=actor, action_key=found["action_key"])
    await trail.append(session, subject, [entry])


def _subject(found: dict[str, Any]) -> trail.Subject:
    return trail.Subject(found["lead_id"], found["job_id"], found["trace_id"])


_TIMES = ("asked_at", "expires_at", "decided_at", "used_at")
_PLAIN = (
    "id", "state", "rule", "tool", "args", "caller", "approver", "lead_id", "job_id", "action_key", "decided_by",
)  # fmt: skip


def shown(row: dict[str, Any]) -> dict[str, Any]:
    """An approval as people are shown it: with what would be written."""
    return {name: row[name] for name in _PLAIN} | {name: rfc3339(row[name]) if row[name] else None for name in _TIMES}
