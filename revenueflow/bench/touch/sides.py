"""The two sides: leads that sit in an inbox until somebody has looked them up and a round assigns them, and ours."""

from __future__ import annotations

import heapq
from collections import defaultdict
from datetime import date, datetime, time, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from revenueflow.bench.touch.assumptions import Assumptions
from revenueflow.bench.touch.world import Absences, Clock, Desk, SimulatedLead
from revenueflow.domain.lead import Tier
from revenueflow.routing.route import shortlist, subject
from revenueflow.routing.rules import Rep, RoutingRules
from revenueflow.routing.selection import Situation
from revenueflow.routing.sla import Ask, Sla, after, next_of_country, timer
from revenueflow.routing.turns import Rotation, next_turn

_RANK = {Tier.HOT: 0, Tier.WARM: 1, Tier.COLD: 2}


class With:
    """Routed as soon as it is analysed, by our routing; timers and re-assignment are ours too."""

    def __init__(self, given: Assumptions, routing: RoutingRules, sla: Sla, seed: int) -> None:
        self._given, self._routing, self._sla = given, routing, sla
        self._clock = Clock()
        self._desks = {rep.id: Desk(self._clock, given, routing, rep, seed) for rep in routing.reps}
        self._rotations: defaultdict[str, Rotation] = defaultdict(Rotation)

    def run(self, leads: list[SimulatedLead]) -> None:
        """Until all are touched."""
        for lead in leads:
            routed = lead.received + timedelta(seconds=self._given.analysis_seconds)
            self._clock.at(routed, partial(self._route, lead))
        self._clock.run()

    def _route(self, lead: SimulatedLead, now: datetime) -> None:
        self._give(lead, self._chosen(lead, Situation(now)) or self._routing.default_owner, frozenset(), now)

    def _chosen(self, lead: SimulatedLead, situation: Situation) -> str | None:
        """As the pipeline chooses: by the rules, and in turn where several are equal."""
        found = shortlist(self._routing, subject(lead.facts, lead.score), situation)
        if not found.reps:
            return None
        taken = next_turn(self._rotations[found.pool], found.reps)
        self._rotations[found.pool] = taken.rotation
        return taken.rep_id

    def _give(self, lead: SimulatedLead, rep_id: str, tried: frozenset[str], now: datetime) -> None:
        desk = self._desks[rep_id]
        desk.give(lead, now, rank=_RANK[lead.tier] if self._given.hot_first else 0)
        if self._given.timers:
            due = timer(self._routing, self._sla, lead.tier, desk.rep, "", now).due_at
            self._clock.at(due, partial(self._breach, lead, tried | {rep_id}))

    def _breach(self, lead: SimulatedLead, tried: frozenset[str], now: datetime) -> None:
        if (lead.touched is not None and lead.touched <= now) or lead.passed_on >= self._sla.of(lead.tier).pass_on:
            return
        following = self._chosen(lead, Situation(now, excluded=dict.fromkeys(tried, "did not touch it in time")))
        if following is None:
            found = next_of_country(self._routing, self._sla, Ask(lead.facts.country, lead.tier, tried, now))
            following = found.rep.id if found else None
        if following is not None:
            lead.passed_on += 1
            self._give(lead, following, tried, now)


class Without:
    """In an inbox, researched by hand in order, assigned at the next round to whoever our routing would name too."""

    def __init__(self, given: Assumptions, routing: RoutingRules, sla: Sla, seed: int) -> None:
        self._given, self._routing, self._sla = given, routing, sla
        self._clock = Clock()
        self._desks = {rep.id: Desk(self._clock, given, routing, rep, seed) for rep in routing.reps}
        self._absences = Absences(seed, given.absent)
        self._free_from: list[datetime] = []

    def run(self, leads: list[SimulatedLead]) -> None:
        """Until all are touched. `leads` are in the order of their coming."""
        regional = self._given.inbox == "regional"
        for lead in leads:
            place = self._routing.rep(lead.named if regional else self._routing.default_owner)
            known = self._worked(lead.received, place) if regional else self._queued(lead.received, place)
            self._clock.at(self._round(known, place), partial(self._assign, lead))
        self._clock.run()

    def _worked(self, now: datetime, place: Rep) -> datetime:
        length = timedelta(minutes=self._given.research_minutes)
        return after(now, length, self._routing.follow_up.working_hours, place)

    def _queued(self, now: datetime, place: Rep) -> datetime:
        """When one of the researchers has done it, each working on the oldest that is left."""
        is_one_idle = len(self._free_from) < self._given.researchers
        start = now if is_one_idle else max(now, heapq.heappop(self._free_from))
        done = self._worked(start, place)
        heapq.heappush(self._free_from, done)
        return done

    def _round(self, known: datetime, place: Rep) -> datetime:
        """The first round at that time or later, on a working day."""
        if not self._given.rounds:
            return known
        zone = ZoneInfo(place.timezone)
        day = known.astimezone(zone).date()
        while True:
            rounds = [datetime.combine(day, time(hour), zone) for hour in self._given.rounds if self._works(day, place)]
            if found := next((one for one in sorted(rounds) if one >= known), None):
                return found.astimezone(known.tzinfo)
            day += timedelta(days=1)

    def _works(self, day: date, place: Rep) -> bool:
        zone = ZoneInfo(place.timezone)
        midnight = datetime.combine(day, time(), zone)
        return after(midnight, timedelta(), self._routing.follow_up.working_hours, place).astimezone(zone).date() == day

    def _assign(self, lead: SimulatedLead, now: datetime) -> None:
        owner = self._routing.rep(lead.named)
        if self._given.round_knows_absence and self._is_absent(owner, now):
            found = next_of_country(self._routing, self._sla, Ask(lead.facts.country, lead.tier, {owner.id}, now))
            owner = found.rep if found and not self._is_absent(found.rep, now) else owner
        self._desks[owner.id].give(lead, now)

    def _is_absent(self, rep: Rep, now: datetime) -> bool:
        return self._absences.absent(rep, now.astimezone(ZoneInfo(rep.timezone)).date())
