"""The writes that every action needs, in commits that all share which need one at the same moment.

Of several in one batch under the same key only the first counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple
from uuid import UUID

from revenueflow.audit import trail
from revenueflow.db import actions
from revenueflow.db.actions import USUAL_LIMIT, LeadLimit, PlannedAction, Sending, Settled
from revenueflow.db.direct import Connection, Direct
from revenueflow.domain.outcome import AuditEntry
from revenueflow.errors import UpstreamUnavailable
from revenueflow.mcp.results import Action
from revenueflow.resilience.crash import crash_point
from revenueflow.resilience.sharing import Shared

FULL = UpstreamUnavailable("lead", "rate_limited")
LANES = 3
"""Commits of one kind under way at the same time: a write that comes alone rarely waits for the one before it."""


class Planning(NamedTuple):
    """An action to be planned and sent, and what its audit events are about."""

    action: PlannedAction
    subject: trail.Subject


class Settling(NamedTuple):
    """What became of an action, and the audit event that says so."""

    settled: Settled
    subject: trail.Subject
    entry: AuditEntry


class Known(NamedTuple):
    """The action under a key, if there is one; and whether writes are stopped."""

    action: Action | None
    stopped: bool


class Note(NamedTuple):
    """What became of a call that wrote nothing, and what its audit event is about."""

    subject: trail.Subject
    entry: AuditEntry


class Writes:
    """An action's beginning (`plan`), another try (`send`), and its end (`settle`).

    Besides, what is known of one (`known`), and audit events of calls that make none (`note`).
    """

    def __init__(self, direct: Direct, limit: LeadLimit = USUAL_LIMIT) -> None:
        self._direct = direct
        self._limit = limit
        self.known: Shared[UUID, Known] = Shared(self._known, lanes=LANES)
        self.note: Shared[Note, None] = Shared(self._note)
        self.plan: Shared[Planning, Action | None] = Shared(self._plan, lanes=LANES)
        self.send: Shared[Sending, bool] = Shared(self._send)
        self.settle: Shared[Settling, bool] = Shared(self._settle, lanes=LANES)

    async def _known(self, keys: Sequence[UUID]) -> list[Known]:
        async with self._direct.connection() as connection:
            found, stopped = await actions.known(connection, list(set(keys)))
        return [Known(found.get(key), stopped) for key in keys]

    async def _note(self, notes: Sequence[Note]) -> list[Exception | None]:
        return await self._direct.together(notes, _note, one_statement=True)

    async def _plan(self, plans: Sequence[Planning]) -> list[Action | Exception | None]:
        crash_point("action.before_plan")
        alone = all(plan.action.run_version <= 1 for plan in plans)
        results = await self._direct.together(plans, partial(_plan, limit=self._limit), one_statement=alone)
        crash_point("action.after_plan")
        return results

    async def _send(self, sending: Sequence[Sending]) -> list[bool | Exception]:
        crash_point("action.before_send")
        results = await self._direct.together(sending, partial(_send, limit=self._limit), one_statement=True)
        crash_point("action.after_send")
        return results

    async def _settle(self, settling: Sequence[Settling]) -> list[bool | Exception]:
        crash_point("action.before_settle")
        results = await self._direct.together(settling, _settle, one_statement=True)
        crash_point("action.after_settle")
        return results


async def _plan(
    connection: Connection, plans: Sequence[Planning], *, limit: LeadLimit
) -> list[Action | UpstreamUnavailable | None]:
    """None for an action that was stored and marked as sent; else the action as it is stored.

    UpstreamUnavailable for one that was not stored, for its lead is over its limit.
    """
    is_first = _firsts([plan.action.action_key for plan in plans])
    fresh = [plan for plan, first in zip(plans, is_first, strict=True) if first]
    sent = await actions.plan(connection, [(plan.action, _event(plan, "planned")) for plan in fresh], limit)
    await _supersede(connection, [plan for plan in fresh if plan.action.run_version > 1])
    begun = [first and plan.action.action_key in sent for plan, first in zip(plans, is_first, strict=True)]
    others = [plan.action.action_key for plan, ours in zip(plans, begun, strict=True) if not ours]
    known = await actions.by_keys(connection, others)
    return [None if ours else known.get(plan.action.action_key, FULL) for plan, ours in zip(plans, begun, strict=True)]


async def _supersede(connection: Connection, plans: Sequence[Planning]) -> None:
    if plans:
        subjects = {plan.action.record_key: plan for plan in plans}
        older = await actions.supersede(connection, [plan.action for plan in plans])
        await trail.append_rows(connection, [_event(subjects[record], "superseded", key) for key, record in older])


async def _send(connection: Connection, sending: Sequence[Sending], *, limit: LeadLimit) -> list[bool]:
    sent = await actions.send(connection, sending, limit)
    is_first = _firsts([one.key for one in sending])
    return [first and one.key in sent for one, first in zip(sending, is_first, strict=True)]


async def _settle(connection: Connection, settling: Sequence[Settling]) -> list[bool]:
    is_first = _firsts([one.settled.key for one in settling])
    firsts = [one for one, first in zip(settling, is_first, strict=True) if first]
    ended = await actions.settle(connection, [(one.settled, trail.row(one.subject, one.entry)) for one in firsts])
    return [first and one.settled.key in ended for one, first in zip(settling, is_first, strict=True)]


async def _note(connection: Connection, notes: Sequence[Note]) -> list[None]:
    await trail.append_rows(connection, [trail.row(note.subject, note.entry) for note in notes])
    return [None] * len(notes)


def _firsts(keys: Sequence[UUID]) -> list[bool]:
    first = {key: index for index, key in reversed(list(enumerate(keys)))}
    return [first[key] == index for index, key in enumerate(keys)]


def _event(plan: Planning, outcome: str, key: UUID | None = None) -> dict[str, Any]:
    detail = {"record_key": str(plan.action.record_key)} if outcome == "planned" else {}
    about = key or plan.action.action_key
    entry = AuditEntry(f"crm.{plan.action.tool}", outcome, detail, actor="guard", action_key=about)
    return trail.row(plan.subject, entry)
