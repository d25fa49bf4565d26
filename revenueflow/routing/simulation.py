"""Other rules over leads that were routed: who would move, how much each rep would have, how many labels are met. Pure.

Leads come in the order in which they were received, and are routed for that moment: hours and leave count, a company
stays with the rep that its first lead went to. A lead for which the rules change nothing stays where it is, and so
does one whose rep still takes part, if nobody takes part who could not before. A rep has a lead open from when it came
until it was touched, whoever touched it, or still: so capacity counts as if everybody had been as quick as they were.
Whom the CRM named when a lead was routed it names again, where that decided; of what it would have said of others
nothing is known.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from revenueflow.routing.conditions import Subject
from revenueflow.routing.existing import MOVED
from revenueflow.routing.route import Shortlist, decided, shortlist
from revenueflow.routing.rules import RoutingRules
from revenueflow.routing.selection import Situation
from revenueflow.routing.turns import Rotation, next_turn

MOST_SHOWN = 1000


class Past(NamedTuple):
    """A lead that was routed: what routing looks at, when, who got it, and when it was touched; None is not yet.

    `rule` and `version` are those by which it was routed. The owners are those that the CRM told, of a lead that was
    routed by them.
    """

    id: str
    subject: Subject
    at: datetime
    owner_id: str
    touched_at: datetime | None = None
    opportunity_owner: str | None = None
    account_owner: str | None = None
    rule: str = ""
    version: str | None = None

    @property
    def moved_to(self) -> str | None:
        """Whom it was given to, by a person or because somebody did not act: there it stays."""
        return self.owner_id if self.rule.startswith(MOVED) or self.rule == f"existing:{MOVED}" else None


@dataclass(slots=True)
class Simulation:
    """The rules, the labels (lead id -> rep) if there are any, those in force, and what was found so far.

    `changed_since`: leads that the rules in force would not give their owner any more (reps came and went, say): what
    time has changed. It moves nobody here.
    """

    rules: RoutingRules
    labels: Mapping[str, str] = field(default_factory=dict)
    in_force: RoutingRules | None = None
    changed_since: int = 0
    leads: int = 0
    queued: int = 0
    before: Counter[str] = field(default_factory=Counter)
    after: Counter[str] = field(default_factory=Counter)
    pairs: Counter[tuple[str, str]] = field(default_factory=Counter)
    moves: list[dict[str, str]] = field(default_factory=list)
    labelled: Counter[str] = field(default_factory=Counter)
    most_open: Counter[str] = field(default_factory=Counter)
    _open: Counter[str] = field(default_factory=Counter)
    _really_open: Counter[str] = field(default_factory=Counter)
    _touches: list[tuple[datetime, int, str, str]] = field(default_factory=list)
    _rotations: dict[str, Rotation] = field(default_factory=dict)
    _accounts: dict[str, str] = field(default_factory=dict)
    _real_accounts: dict[str, str] = field(default_factory=dict)

    def hold(self, rep_id: str, leads: int, touched_at: datetime | None, really: str | None = None) -> None:
        """So many leads of a rep (`really` of another one) are open from now on, until they are touched."""
        self._open[rep_id] += leads
        self._really_open[really or rep_id] += leads
        self.most_open[rep_id] = max(self.most_open[rep_id], self._open[rep_id])
        if touched_at:
            heapq.heappush(self._touches, (touched_at, leads, rep_id, really or rep_id))

    def add(self, lead: Past) -> None:
        """Routes one more lead."""
        self._close(lead.at)
        found = self._shortlist(self.rules, lead, self._accounts, self._open)
        stays = self._stays(lead, found)
        routing = decided(self.rules, found, lead.owner_id if stays else self._taker(found))
        owner_id = lead.owner_id if stays else routing.owner_id
        if domain := lead.subject.domain:
            self._accounts[domain], self._real_accounts[domain] = owner_id, lead.owner_id
        self.hold(owner_id, 1, lead.touched_at, lead.owner_id)
        self._count(lead, owner_id)
        self.queued += routing.queued is not None and owner_id == self.rules.default_owner
        if owner_id != lead.owner_id and len(self.moves) < MOST_SHOWN:
            move = {"lead_id": lead.id, "from": lead.owner_id, "to": owner_id}
            self.moves.append(move | {"rule": routing.rule, "reason": routing.reason})

    def _shortlist(
        self, rules: RoutingRules, lead: Past, accounts: Mapping[str, str], open_leads: Mapping[str, int]
    ) -> Shortlist:
        company = accounts.get(lead.subject.domain or "")
        if company is None and lead.rule == "existing:company":
            company = lead.owner_id  # of a lead that came before those that are looked at
        known = Situation(
            lead.at, lead.opportunity_owner, lead.account_owner, company, moved_to=lead.moved_to, open_leads=open_leads
        )
        return shortlist(rules, lead.subject, known)

    def _stays(self, lead: Past, found: Shortlist) -> bool:
        """Whether nothing of the rules takes the lead from its owner."""
        ids = {rep.id for rep in found.reps}
        if self.in_force is None or lead.version != self.in_force.version:
            # Of the rules that it was routed by nothing is known but their names.
            return found.rule == lead.rule and lead.owner_id in ids
        real = self._shortlist(self.in_force, lead, self._real_accounts, self._really_open)
        before = {rep.id for rep in real.reps}
        self.changed_since += lead.owner_id not in (before or {self.in_force.default_owner})
        return (found.rule == real.rule and ids == before) or (lead.owner_id in ids and ids <= before)

    def _taker(self, found: Shortlist) -> str | None:
        if len(found.reps) < 2:
            return found.reps[0].id if found.reps else None
        rep_id, self._rotations[found.pool] = next_turn(self._rotations.get(found.pool, Rotation()), found.reps)
        return rep_id

    def _close(self, now: datetime) -> None:
        while self._touches and self._touches[0][0] <= now:
            _, leads, rep_id, really = heapq.heappop(self._touches)
            self._open[rep_id] -= leads
            self._really_open[really] -= leads

    def _count(self, lead: Past, owner_id: str) -> None:
        self.leads += 1
        self.before[lead.owner_id] += 1
        self.after[owner_id] += 1
        if owner_id != lead.owner_id:
            self.pairs[lead.owner_id, owner_id] += 1
        if label := self.labels.get(lead.id):
            self.labelled["n"] += 1
            self.labelled["before"] += label == lead.owner_id
            self.labelled["after"] += label == owner_id

    def told(self) -> dict[str, Any]:
        """What was found."""
        reps = sorted({*self.before, *self.after, *self.rules.by_id})
        pairs = [{"from": old, "to": new, "leads": n} for (old, new), n in self.pairs.most_common()]
        return {
            "leads": self.leads,
            "moved": sum(self.pairs.values()),
            "queued": self.queued,
            "changed_since": self.changed_since,
            "pairs": pairs,
            "load": [
                {"rep_id": rep, "before": self.before[rep], "after": self.after[rep], "most_open": self.most_open[rep]}
                for rep in reps
            ],
            "labelled": self.labelled["n"],
            "accuracy": self._accuracy(),
            "unknown_labels": sorted({*self.labels.values()} - self.rules.by_id.keys())[:MOST_SHOWN],
            "moves": self.moves,
            "version": self.rules.version,
        }

    def _accuracy(self) -> dict[str, float] | None:
        count = self.labelled["n"]
        return {name: round(self.labelled[name] / count, 4) for name in ("before", "after")} if count else None
