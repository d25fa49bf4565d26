"""Open leads by the rules that are in force now: after a change of territories, those that would go to somebody else.

Who was touched, who was given to somebody by a person or because nobody acted, and who is in a run stays. So does a
lead whose rep still takes part, and one that nobody can take just now. A company stays together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from revenueflow.audit import trail
from revenueflow.db import owner_moves, reps, routed
from revenueflow.db.routed import Given
from revenueflow.db.session import Database
from revenueflow.domain.outcome import AuditEntry
from revenueflow.pipeline.roster import merged
from revenueflow.pipeline.simulate import PAGE, past_of
from revenueflow.routing.existing import MOVED
from revenueflow.routing.route import NOBODY, Shortlist, decided, shortlist
from revenueflow.routing.rules import RoutingRules
from revenueflow.routing.selection import Situation
from revenueflow.routing.simulation import Past
from revenueflow.routing.turns import Rotation, next_turn

OF_COMPANY = "existing:company"


@dataclass(slots=True)
class Rerouting:
    """Finds who moves. Those that move take turns among themselves, and count in the loads of the reps."""

    rules: RoutingRules
    now: datetime
    loads: Counter[str]
    looked_at: int = 0
    moves: list[Given] = field(default_factory=list)
    _companies: dict[str, str] = field(default_factory=dict)
    _rotations: dict[str, Rotation] = field(default_factory=dict)

    def add(self, lead: Past) -> None:
        """Looks at one more lead, oldest first."""
        if lead.touched_at or lead.moved_to:
            self._remember(lead, lead.owner_id)
            return
        self.looked_at += 1
        self.loads[lead.owner_id] -= 1
        found = self._found(lead)
        ids = [rep.id for rep in found.reps]
        if lead.owner_id in ids or found.queued == NOBODY:
            owner_id = lead.owner_id
        else:
            routing = decided(self.rules, found, self._taker(found))
            owner_id = routing.owner_id
            if owner_id != lead.owner_id:
                name, why = routing.owner_name, routing.reason
                self.moves.append(Given(UUID(lead.id), lead.owner_id, owner_id, name, routing.rule, why))
        self.loads[owner_id] += 1
        self._remember(lead, owner_id)

    def _remember(self, lead: Past, owner_id: str) -> None:
        if lead.subject.domain:
            self._companies[lead.subject.domain] = owner_id

    def _found(self, lead: Past) -> Shortlist:
        company = self._companies.get(lead.subject.domain or "")
        if company is None and lead.rule == OF_COMPANY:
            company = lead.owner_id
        known = Situation(
            self.now, lead.opportunity_owner, lead.account_owner, company, open_leads=self.loads
        )  # fmt: skip
        return shortlist(self.rules, lead.subject, known)

    def _taker(self, found: Shortlist) -> str | None:
        if not found.reps:
            return None
        rep_id, self._rotations[found.pool] = next_turn(self._rotations.get(found.pool, Rotation()), found.reps)
        return rep_id

    @property
    def pairs(self) -> list[dict[str, Any]]:
        """From whom to whom, and how many."""
        counted = Counter((one.from_, one.to) for one in self.moves)
        return [{"from": old, "to": new, "leads": n} for (old, new), n in counted.most_common()]


async def planned(database: Database, rules: RoutingRules, since: datetime, now: datetime) -> Rerouting:
    """Who of the open leads that came since would move. Changes nothing."""
    async with database.transaction() as session:
        known = merged(rules, await reps.all_(session))
        loads = await reps.open_leads(session, list(known.by_id))
    found = Rerouting(known, now, Counter(loads))
    after: tuple[datetime, UUID] | None = None
    page: Sequence[Mapping[str, Any]] = [{}]
    while page:
        async with database.transaction() as session:
            page = await routed.past(session, since, after, PAGE)
        for row in page:
            found.add(past_of(row))
        after = (page[-1]["received_at"], page[-1]["id"]) if page else None
    return found


async def apply(database: Database, moves: Iterable[Given], *, actor: str) -> int:
    """Gives leads to whom the rules name, and owes the CRM their owner: a worker tells it, and moves their time.

    Returns how many; those that somebody else has changed since `planned` are left as they are.
    """
    done = 0
    for one in moves:
        async with database.transaction() as session:
            if not await routed.give(session, one, MOVED):
                continue
            await owner_moves.owe(session, [one.lead_id], one.to, one.name, f"{one.rule}, {one.reason}")
            detail = {"from": one.from_, "owner_id": one.to, "rule": one.rule}
            entry = AuditEntry("lead.moved", "done", detail, actor=actor)
            await trail.append(session, trail.Subject(one.lead_id), [entry])
            done += 1
    return done
