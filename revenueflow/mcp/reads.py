"""What the guard asks the CRM before it decides, and the tools that only read: no ledger, but audited like a write.

The trail says that a record was read, by whom and whether there was one; nothing of what it holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from revenueflow.db import leads
from revenueflow.db.direct import Direct
from revenueflow.domain.action import CallStatus, ToolResult
from revenueflow.domain.outcome import AuditEntry
from revenueflow.errors import UpstreamError, UpstreamRejected, UpstreamUnavailable
from revenueflow.mcp import transitions
from revenueflow.mcp.admission import Admission, Entry, entry_of
from revenueflow.mcp.call import Checked, Denied
from revenueflow.mcp.ledger import Ledger
from revenueflow.mcp.policy import Policy
from revenueflow.mcp.targets import CrmTarget, Found

PAUSE = 5.0
"""Seconds after which a read that failed is worth another try, if the CRM does not say."""


class Reader:
    """Reads of the CRM on behalf of a caller."""

    def __init__(self, direct: Direct, crm: CrmTarget, admission: Admission, ledger: Ledger, policy: Policy) -> None:
        self._direct = direct
        self._crm = crm
        self._admission = admission
        self._ledger = ledger
        self._policy = policy

    async def account_fits(self, checked: Checked) -> None:
        """A lead's call is about that lead's company: what is known of one is no ground to write about another.

        People may connect what they like. Raises Denied.
        """
        account = checked.args.account()
        if account is None or checked.call.caller.role not in ("pipeline", "agent"):
            return
        async with self._direct.connection() as connection:
            own = await leads.domain_of(connection, checked.args.lead_id)
        if account != own:
            raise Denied("foreign_account", "/domain is not the domain of the lead's company", "the lead's own domain")

    async def transition_fits(self, checked: Checked) -> None:
        """The record's state allows the call. Raises Denied, or UpstreamError if the CRM does not tell."""
        if transitions.needs_the_record(checked):
            found = await self._read(checked)
            transitions.allowed(checked, self._policy, found[1] if found else None)

    async def answer(self, checked: Checked) -> ToolResult:
        """The answer of a tool that only reads."""
        try:
            found, more = await self._found(checked)
        except (UpstreamUnavailable, UpstreamRejected) as error:
            return await self.failed(checked, error)
        await self._audit(checked, "read", {"found": found is not None})
        record = _shown(checked.tool.shows, found[1]) if found else None
        told = {"found": found is not None, "record": record, **more}
        return ToolResult(status=CallStatus.CONFIRMED, crm_id=found[0] if found else None, result=told)

    async def failed(self, checked: Checked, error: UpstreamError) -> ToolResult:
        """The CRM could not be read: nothing was written."""
        refused = isinstance(error, UpstreamRejected)
        status = CallStatus.FAILED if refused else CallStatus.DELAYED
        await self._audit(checked, status.value, {"reason": error.reason})
        pause = None if refused else error.retry_after or PAUSE
        return ToolResult(status=status, retry_after=pause, result={"reason": error.reason})

    async def _found(self, checked: Checked) -> tuple[Found | None, dict[str, Any]]:
        """The record, and what else the CRM tells of accounts."""
        if checked.tool.object_type != "account":
            return await self._read(checked), {}
        await self._admission.read("crm", self._entry(checked))
        accounts = await self._crm.accounts_of(checked.args.slot())
        who = {"owner_ids": list(accounts.owners), "opportunity_owner_ids": list(accounts.opportunity_owners)}
        if accounts.not_understood:
            who["not_understood"] = list(accounts.not_understood)
        found = (accounts.account.crm_id, accounts.account.fields) if accounts.account else None
        return found, {"accounts": accounts.count, **who}

    async def _read(self, checked: Checked) -> Found | None:
        await self._admission.read("crm", self._entry(checked))
        return await self._crm.read(checked.tool.object_type, checked.record_key)

    @staticmethod
    def _entry(checked: Checked) -> Entry:
        return entry_of(checked.call, checked.args.lead_id)

    async def _audit(self, checked: Checked, outcome: str, detail: Mapping[str, Any]) -> None:
        entry = AuditEntry(f"crm.{checked.tool.name}", outcome, dict(detail), actor="guard")
        await self._ledger.note(checked.subject, entry)


def _shown(model: type[BaseModel] | None, held: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that the tool shows. One that is not of its type is left out: the CRM is not ours."""
    if model is None:
        return {}
    given = {name: held[name] for name in model.model_fields if held.get(name) is not None}
    try:
        read = model.model_validate(given, strict=True)
    except ValidationError as error:
        wrong = {item["loc"][0] for item in error.errors(include_input=False)}
        read = model.model_validate({name: value for name, value in given.items() if name not in wrong}, strict=True)
    return read.model_dump(mode="json", exclude_none=True)
