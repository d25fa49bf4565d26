"""Changing who the reps are: who is removed says first where the open leads go. One transaction, with its trace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from revenueflow.audit import trail
from revenueflow.db import audit_events, owner_moves, reps
from revenueflow.db.session import Database, Session
from revenueflow.domain.outcome import AuditEntry
from revenueflow.errors import Conflict, Fault, NotFound
from revenueflow.pipeline.roster import merged
from revenueflow.routing.reps import Rep
from revenueflow.routing.rules import RoutingRules


async def shown(database: Database, rules: RoutingRules) -> dict[str, Any]:
    """The reps that there are now with their open leads, and the key paths in the rules that name nobody."""
    async with database.transaction() as session:
        now = merged(rules, await reps.all_(session))
        loads = await reps.open_leads(session, list(now.by_id))
    items = [rep.model_dump(mode="json") | {"open_leads": loads.get(rep.id, 0)} for rep in now.reps]
    return {"items": items, "unknown": list(now.unknown())}


async def put(
    database: Database,
    rules: RoutingRules,
    given: Sequence[Rep],
    moves: Mapping[str, str],
    *,
    actor: str,
    replace: bool,
) -> dict[str, Any]:
    """Stores reps, new or changed; with `replace` those that are not given are removed. Returns what was done.

    Raises Conflict, and changes nothing, if one who is removed has open leads and `moves` (id -> id) does not say whose
    they are to be.
    """
    ids = {rep.id for rep in given}
    async with database.transaction() as session:
        await reps.lock(session)
        before = merged(rules, await reps.all_(session))
        gone = [rep.id for rep in before.reps if rep.id not in ids and rep.id != rules.default_owner] if replace else []
        await reps.put(session, [_row(rep) for rep in given])
        after = {**({} if replace else before.by_id), **{rep.id: rep for rep in given}}
        after.setdefault(rules.default_owner, before.rep(rules.default_owner))
        moved = await _remove(session, gone, moves, after, actor)
        entry = AuditEntry("reps.changed", "done", {"stored": len(given), "removed": len(gone)}, actor=actor)
        await trail.append(session, trail.Subject(), [entry])
        unknown = list(merged(rules, await reps.all_(session)).unknown())
    return {"stored": len(given), "removed": gone, "moved": moved, "unknown": unknown}


async def remove(database: Database, rules: RoutingRules, rep_id: str, to: str | None, *, actor: str) -> dict[str, Any]:
    """Removes a rep. Raises NotFound, or Conflict if there are open leads and `to` is nobody."""
    async with database.transaction() as session:
        await reps.lock(session)
        before = merged(rules, await reps.all_(session))
        if rep_id not in before.by_id:
            raise NotFound("there is no rep with this id")
        if rep_id == rules.default_owner:
            raise Conflict("this is the default queue: name another one in routing.toml first")
        after = {id_: rep for id_, rep in before.by_id.items() if id_ != rep_id}
        moved = await _remove(session, [rep_id], {rep_id: to} if to else {}, after, actor)
        unknown = list(merged(rules, await reps.all_(session)).unknown())
    return {"removed": [rep_id], "moved": moved, "unknown": unknown}


async def _remove(
    session: Session, gone: Sequence[str], moves: Mapping[str, str], after: Mapping[str, Rep], actor: str
) -> dict[str, int]:
    """Removes reps, and gives their open leads to those of `after` whom `moves` names; how many each had."""
    loads = await reps.open_leads(session, gone)
    faults = [
        Fault(f"/moves/{rep_id}", f"has {loads[rep_id]} open leads: name a rep who is there and gets them")
        for rep_id in gone
        if loads.get(rep_id) and moves.get(rep_id) not in after
    ]
    if faults:
        said = "; ".join(f"{fault.pointer.rpartition('/')[2]} {fault.detail}" for fault in faults)
        raise Conflict(said, faults=tuple(faults))
    for rep_id in gone:
        await reps.remove(session, rep_id)
        if loads.get(rep_id):
            await _move(session, rep_id, after[moves[rep_id]], actor)
    return loads


async def _move(session: Session, from_: str, to: Rep, actor: str) -> None:
    """Moves leads, and owes the CRM their owner: a worker tells it."""
    reason = f"{from_} was removed"
    ids = await reps.move_leads(session, from_, to.id, to.name, reason)
    await owner_moves.owe(session, ids, to.id, to.name, reason)
    entry = AuditEntry("lead.moved", "done", {"from": from_, "owner_id": to.id}, actor=actor)
    if ids:
        await audit_events.append(session, [trail.row(trail.Subject(lead_id), entry) for lead_id in ids])


def _row(rep: Rep) -> dict[str, Any]:
    return {"id": rep.id, "data": rep.model_dump(mode="json", exclude={"id"}, exclude_defaults=True)}
