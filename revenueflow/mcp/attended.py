"""Approval by the person who sits at an attended client, and is asked there instead of in the queue.

Two things must be said in the policy: that a person sits at this client (`agents`), for a key or a capability proves
none; and that such a person may approve under this rule (`by_client`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from revenueflow.db import approvals
from revenueflow.db.session import Database
from revenueflow.errors import Conflict
from revenueflow.mcp.approvals import Decision, record
from revenueflow.mcp.call import Caller
from revenueflow.mcp.policy import Policy

LONGEST: Final = 4000
"""Characters of a question. What can't be shown whole is not asked at a client: nobody approves what is cut off."""


class AtClient:
    """What a person at a client is asked, and the answer."""

    def __init__(self, database: Database, policy: Policy) -> None:
        self._database = database
        self._policy = policy

    async def question(self, approval_id: UUID, caller: Caller, fields: Mapping[str, Any]) -> str | None:
        """What to ask the person there about a call that would write `fields`.

        None if it is not theirs to decide, was decided, or they were asked often enough: the queue has it. Of a lead
        that we don't have the approval holds nothing of the call; the question is the same.
        """
        if not self._is_attended(caller):
            return None
        async with self._database.transaction() as session:
            found = await approvals.get(session, approval_id)
            if found is None or found["state"] != "pending" or not self._may_decide(found, caller):
                return None
            text = asked(found, fields)
            return text if len(text) <= LONGEST and await approvals.ask_client(session, approval_id) else None

    async def decide(self, approval_id: UUID, caller: Caller, decision: Decision | None) -> None:
        """The person's answer. One that is not theirs to give, or comes too late, changes nothing.

        None, a form that was closed or that does not say, leaves it to the queue for good.
        """
        if not self._is_attended(caller):
            return
        async with self._database.transaction() as session:
            found = await approvals.get(session, approval_id)
            if found is None or not self._may_decide(found, caller):
                return
            if decision is None:
                await approvals.leave_to_queue(session, approval_id)
                return
            try:
                await record(session, approval_id, decision, by=f"client:{caller.id}", how="client")
            except Conflict:
                return  # somebody was faster, or its time is over: the guard says what counts

    def _is_attended(self, caller: Caller) -> bool:
        return caller.role == "agent" and self._policy.is_attended(caller.name or caller.id)

    def _may_decide(self, found: Mapping[str, Any], caller: Caller) -> bool:
        return found["caller"] == caller.id and self._policy.client_may_approve(found["rule"])


def asked(found: Mapping[str, Any], fields: Mapping[str, Any]) -> str:
    """The question about an approval, one line for each field that would be written."""
    told = [
        f"An agent asks to write to the CRM with {found['tool']}; the rule {found['rule']} asks a person first.",
        f"Lead: {found['lead_id']}",
        "It would write:",
        *(f"- {name}: {plain(value)}" for name, value in sorted(fields.items())),
    ]
    return "\n".join(told)


def plain(value: object) -> str:
    """A value as JSON in one line. What can't be seen is spelled out (`\\u202e`): no text hides or fakes another."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True)
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)
