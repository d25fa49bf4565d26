"""The three writes that every action needs, in commits that all share which need one at the same moment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from revenueflow.audit import trail
from revenueflow.db import actions
from revenueflow.db.actions import PlannedAction, Sending, Settled
from revenueflow.db.direct import Connection, Direct
from revenueflow.domain.outcome import AuditEntry
from revenueflow.mcp.results import Action
from revenueflow.resilience.crash import crash_point
from revenueflow.resilience.sharing import Shared


class Planning(NamedTuple):
    """An action to be planned, and what its audit events are about."""

    action: PlannedAction
    subject: trail.Subject


class Settling(NamedTuple):
    """What became of an action, and the audit event that says so."""

    settled: Settled
    subject: trail.Subject
    entry: AuditEntry


class Writes:
    """Transaction A (`plan`), transaction B (`send`), and the end of an action (`settle`)."""

    def __init__(self, direct: Direct) -> None:
        self._direct = direct
        self.plan: Shared[Planning, Action | None] = Shared(self._plan)
        self.send: Shared[Sending, bool] = Shared(self._send)
        self.settle: Shared[Settling, bool] = Shared(self._settle)

    async def _plan(self, plans: Sequence[Planning]) -> list[Action | Exception | None]:
        crash_point("action.before_plan")
        results = await self._direct.together(plans, _plan)
        crash_point("action.after_plan")
        return results

    async def _send(self, sending: Sequence[Sending]) -> list[bool | Exception]:
        crash_point("action.before_send")
        results = await self._direct.together(sending, _send)
        crash_point("action.after_send")
        return results

    async def _settle(self, settling: Sequence[Settling]) -> list[bool | Exception]:
        crash_point("action.before_settle")
        results = await self._direct.together(settling, _settle)
        crash_point("action.after_settle")
        return results


async def _plan(connection: Connection, plans: Sequence[Planning]) -> list[Action | None]:
    """None for an action that was stored; the stored one for a key that exists already."""
    new = await actions.plan(connection, [plan.action for plan in plans])
    is_first = _firsts([plan.action.action_key for plan in plans], new)
    fresh = [plan for plan, first in zip(plans, is_first, strict=True) if first]
    subjects = {plan.action.record_key: plan for plan in fresh}
    events = [_event(plan, "planned", plan.action.action_key) for plan in fresh]
    if any(plan.action.run_version > 1 for plan in fresh):
        older = await actions.supersede(connection, [plan.action for plan in fresh])
        events += [_event(subjects[record], "superseded", key) for key, record in older]
    await trail.append_rows(connection, events)
    keys = [plan.action.action_key for plan in plans]
    others = [key for key, first in zip(keys, is_first, strict=True) if not first]
    known = await actions.by_keys(connection, others)
    return [None if first else known[key] for key, first in zip(keys, is_first, strict=True)]


async def _send(connection: Connection, sending: Sequence[Sending]) -> list[bool]:
    sent = await actions.send(connection, sending)
    return _firsts([one.key for one in sending], sent)


async def _settle(connection: Connection, settling: Sequence[Settling]) -> list[bool]:
    ended = await actions.settle(connection, [one.settled for one in settling])
    is_first = _firsts([one.settled.key for one in settling], ended)
    pairs = zip(settling, is_first, strict=True)
    await trail.append_rows(connection, [trail.row(one.subject, one.entry) for one, first in pairs if first])
    return is_first


def _firsts(keys: Sequence[UUID], changed: set[UUID]) -> list[bool]:
    """Of several in one batch under the same key, only the first has made the change."""
    seen: set[UUID] = set()
    result = []
    for key in keys:
        result.append(key in changed and key not in seen)
        seen.add(key)
    return result


def _event(plan: Planning, outcome: str, key: UUID) -> dict[str, object]:
    detail = {"record_key": str(plan.action.record_key)} if outcome == "planned" else {}
    entry = AuditEntry(f"crm.{plan.action.tool}", outcome, detail, actor="guard", action_key=key)
    return trail.row(plan.subject, entry)
