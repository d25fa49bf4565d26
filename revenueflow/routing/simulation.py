"""Other rules over leads that were routed: who would move, how much each rep would have, how many labels are met. Pure.

Leads come in the order in which they were received, and are routed for that moment: hours and leave count, turns begin
anew, a company stays with the rep that its first lead went to. A rep has a lead open from when it came until it was
touched, whoever touched it, or still: so capacity counts as if everybody had been as quick as they were. Whom the CRM
named when a lead was routed it names again, where that decided; of what it would have said of others nothing is known.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from revenueflow.routing.conditions import Subject
from revenueflow.routing.route import decided, shortlist
from revenueflow.routing.rules import RoutingRules
from revenueflow.routing.selection import Situation
from revenueflow.routing.turns import Rotation, next_turn

MOST_SHOWN = 1000


class Past(NamedTuple):
    """A lead that was routed: what routing looks at, when, who got it, and when it was touched; None is not yet.

    The owners are those that the CRM told, of a lead that was routed by them.
    """

    id: str
    subject: Subject
    at: datetime
    owner_id: str
    touched_at: datetime | None = None
    opportunity_owner: str | None = None
    account_owner: str | None = None


@dataclass(slots=True)
class Simulation:
    """The rules, the labels (lead id -> rep) if there are any, and what was found so far."""

    rules: RoutingRules
    labels: Mapping[str, str] = field(default_factory=dict)
    leads: int = 0
    queued: int = 0
    before: Counter[str] = field(default_factory=Counter)
    after: Counter[str] = field(default_factory=Counter)
    pairs: Counter[tuple[str, str]] = field(default_factory=Counter)
    moves: list[dict[str, str]] = field(default_factory=list)
    labelled: Counter[str] = field(default_factory=Counter)
    most_open: Counter[str] = field(default_factory=Counter)
    _open: Counter[str] = field(default_factory=Counter)
    _touches: list[tuple[datetime, str, int]] = field(default_factory=list)
    _rotations: dict[str, Rotation] = field(default_factory=dict)
    _accounts: dict[str, str] = field(default_factory=dict)

    def hold(self, rep_id: str, leads: int, touched_at: datetime | None) -> None:
        """So many leads of a rep are open from now on, until they are touched."""
        self._open[rep_id] += leads
        self.most_open[rep_id] = max(self.most_open[rep_id], self._open[rep_id])
        if touched_at:
            heapq.heappush(self._touches, (touched_at, rep_id, leads))

    def add(self, lead: Past) -> None:
        """Routes one more lead."""
        domain = lead.subject.domain if self.rules.existing_owner else None
        self._close(lead.at)
        known = Situation(
            lead.at, lead.opportunity_owner, lead.account_owner, self._accounts.get(domain or ""), open_leads=self._open
        )
        found = shortlist(self.rules, lead.subject, known)
        rep_id = found.reps[0].id if found.reps else None
        if len(found.reps) > 1:
            rep_id, self._rotations[found.pool] = next_turn(self._rotations.get(found.pool, Rotation()), found.reps)
        routing = decided(self.rules, found, rep_id)
        if domain and rep_id:
            self._accounts[domain] = rep_id
        self.hold(routing.owner_id, 1, lead.touched_at)
        self._count(lead, routing.owner_id)
        self.queued += routing.queued is not None
        if routing.owner_id != lead.owner_id and len(self.moves) < MOST_SHOWN:
            move = {"lead_id": lead.id, "from": lead.owner_id, "to": routing.owner_id}
            self.moves.append(move | {"rule": routing.rule, "reason": routing.reason})

    def _close(self, now: datetime) -> None:
        while self._touches and self._touches[0][0] <= now:
            _, rep_id, leads = heapq.heappop(self._touches)
            self._open[rep_id] -= leads

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
            "pairs": pairs,
            "load": [
                {"rep_id": rep, "before": self.before[rep], "after": self.after[rep], "most_open": self.most_open[rep]}
                for rep in reps
            ],
            "labelled": self.labelled["n"],
            "accuracy": self._accuracy(),
            "moves": self.moves,
            "version": self.rules.version,
        }

    def _accuracy(self) -> dict[str, float] | None:
        count = self.labelled["n"]
        return {name: round(self.labelled[name] / count, 4) for name in ("before", "after")} if count else None
