"""What people tell of a lead: kept, audited, and what follows from it, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from revenueflow.audit import trail
from revenueflow.db import deliveries, leads, outcomes, timers
from revenueflow.db.session import Database, Session
from revenueflow.domain.outcome import AuditEntry
from revenueflow.domain.sales import TOUCHES, OutcomeKind, SalesOutcome, outcome_id, stage_of
from revenueflow.domain.touches import CLOCKS_DIFFER
from revenueflow.errors import Conflict, Fault, InvalidInput, NotFound


class Told(NamedTuple):
    """What an outcome came to. `replayed`: it had been told before, and changed nothing."""

    id: UUID
    lead_id: UUID
    outcome: OutcomeKind
    at: datetime
    stage: str | None
    first_touch_at: datetime | None
    seconds_to_first_touch: float | None
    replayed: bool


async def record(database: Database, lead_id: UUID, said: SalesOutcome, *, actor: str, trace_id: str | None) -> Told:
    """Adds an outcome to the lead's history; the first touch ends its timer.

    Raises NotFound, Conflict for a lead that is not captured yet or was erased, InvalidInput for a time in the future
    or before the lead came. The same statement again changes nothing.
    """
    async with database.transaction() as session:
        lead = await _held(session, lead_id)
        return await _add(session, lead_id, lead, said, actor=actor, trace_id=trace_id)


async def record_first_touch(
    database: Database,
    lead_id: UUID,
    said: SalesOutcome,
    *,
    actor: str,
    trace_id: str | None,
    more: Mapping[str, Any],
) -> bool:
    """As `record`, with `more` in the trail; False, and nothing is added, if the lead was touched before."""
    async with database.transaction() as session:
        lead = await _held(session, lead_id)
        if lead["first_touch_at"]:
            return False
        told = await _add(session, lead_id, lead, said, actor=actor, trace_id=trace_id, more=more)
    return not told.replayed


async def _add(
    session: Session,
    lead_id: UUID,
    lead: dict[str, Any],
    said: SalesOutcome,
    *,
    actor: str,
    trace_id: str | None,
    more: Mapping[str, Any] | None = None,
) -> Told:
    _refuse_times(said, lead)
    id_ = outcome_id(lead_id, said)
    value = {"value_minor": said.value_minor, "currency": said.currency}
    row = {"id": id_, "lead_id": lead_id, "kind": said.outcome.value, "happened_at": said.at, **value}
    fresh = await outcomes.add(session, row | {"owner_id": lead["owner_id"], "recorded_by": actor})
    if fresh:
        lead |= await _follow(session, lead_id, lead["received_at"])
        detail = {"outcome": str(id_), "kind": said.outcome.value, **value, "owner_id": lead["owner_id"]}
        entry = AuditEntry("lead.outcome", said.outcome.value, detail | dict(more or {}), actor=actor)
        await trail.append(session, trail.Subject(lead_id, None, trace_id), [entry])
    return _told(id_, lead_id, said, lead, replayed=not fresh)


async def _held(session: Session, lead_id: UUID) -> dict[str, Any]:
    lead = await outcomes.subject(session, lead_id)
    if lead is None:
        if await deliveries.first_of_lead(session, lead_id):
            raise Conflict("the lead was taken and is not processed yet; send it again in a moment")
        raise NotFound("there is no lead with this id")
    if lead["erased_at"]:
        raise Conflict("the lead was erased: nothing is recorded about it any more")
    return lead


def _refuse_times(said: SalesOutcome, lead: Mapping[str, Any]) -> None:
    if said.at > lead["now"] + CLOCKS_DIFFER:
        raise InvalidInput("the outcome lies in the future", faults=(Fault("/at", "must not be in the future"),))
    if said.at < lead["received_at"] - CLOCKS_DIFFER:
        fault = Fault("/at", "must not be before the lead was received")
        raise InvalidInput("the outcome lies before the lead", faults=(fault,))


async def _follow(session: Session, lead_id: UUID, received_at: datetime) -> dict[str, Any]:
    """Stage, first touch and timer, by all that was told so far."""
    history = [(OutcomeKind(one["kind"]), one["happened_at"]) for one in await outcomes.of_lead(session, lead_id)]
    stage = stage_of(history)
    touched = min((max(at, received_at) for kind, at in history if kind in TOUCHES), default=None)
    columns = {"stage": stage.value if stage else None, "first_touch_at": touched}
    await leads.change(session, lead_id, columns)
    await timers.end(session, lead_id, "touched" if touched else "closed")
    return columns


def _told(id_: UUID, lead_id: UUID, said: SalesOutcome, lead: Mapping[str, Any], *, replayed: bool) -> Told:
    touched = lead["first_touch_at"]
    seconds = (touched - lead["received_at"]).total_seconds() if touched else None
    return Told(id_, lead_id, said.outcome, said.at, lead["stage"], touched, seconds, replayed)
