"""Leads, reps and time, as both sides of the simulation see them. A seed gives the same leads and the same absences."""

from __future__ import annotations

import heapq
import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

from revenueflow.bench.touch.assumptions import Assumptions
from revenueflow.domain.lead import Intent, Tier
from revenueflow.domain.scoring import LeadFacts, Score
from revenueflow.routing.route import route
from revenueflow.routing.rules import Rep, RoutingRules
from revenueflow.routing.sla import after


@dataclass(slots=True)
class SimulatedLead:
    """A lead: `named` is whose it is by the rules alone, whoever is there; `owner` whose it is at the moment."""

    number: int
    received: datetime
    facts: LeadFacts
    score: Score
    named: str
    owner: str = ""
    touched: datetime | None = None
    passed_on: int = 0

    @property
    def tier(self) -> Tier:
        """Its tier."""
        return self.score.tier

    @property
    def waited(self) -> timedelta:
        """From its arrival to its first touch."""
        if self.touched is None:
            raise RuntimeError("the simulation ended before the lead was touched")
        return self.touched - self.received


class Clock:
    """Events in the order of their time, and of their coming at the same time."""

    def __init__(self) -> None:
        self._events: list[tuple[datetime, int, Callable[[datetime], None]]] = []
        self._numbers = itertools.count()

    def at(self, when: datetime, what: Callable[[datetime], None]) -> None:
        """Calls `what` at that time."""
        heapq.heappush(self._events, (when, next(self._numbers), what))

    def run(self) -> None:
        """Until nothing is left to happen."""
        while self._events:
            when, _, what = heapq.heappop(self._events)
            what(when)


class Absences:
    """The days on which a rep is not there: drawn once for each, the same for both sides."""

    def __init__(self, seed: int, share: float) -> None:
        self._seed = seed
        self._share = share

    def absent(self, rep: Rep, day: date) -> bool:
        """Whether the rep is not there on that day, the rep's."""
        return Random(f"{self._seed}/{rep.id}/{day}").random() < self._share


def leads(given: Assumptions, routing: RoutingRules, seed: int) -> list[SimulatedLead]:
    """The month's leads, in the order in which they come. Who owns one is what our own routing says."""
    random = Random(f"{seed}/leads")
    made = [_lead(given, routing, random, day) for day in given.days for _ in range(_how_many(given, day, random))]
    made.sort(key=lambda lead: lead.received)
    for number, lead in enumerate(made):
        lead.number = number
    return made


def _how_many(given: Assumptions, day: date, random: Random) -> int:
    """A Poisson draw; `leads_per_day` is the average of Monday to Friday."""
    mean = given.leads_per_day * given.by_weekday[day.weekday()] / max(sum(given.by_weekday[:5]) / 5, 1e-9)
    count, passed = 0, random.expovariate(1)
    while passed < mean:
        count, passed = count + 1, passed + random.expovariate(1)
    return count


def _lead(given: Assumptions, routing: RoutingRules, random: Random, day: date) -> SimulatedLead:
    (country,) = random.choices(list(given.countries), list(given.countries.values()))
    known = None if random.random() < given.country_unknown else country
    tier = random.choices(list(Tier), [given.hot, given.warm, 1 - given.hot - given.warm])[0]
    sizes = [given.enterprise, given.mid_market, 1 - given.enterprise - given.mid_market]
    (headcount,) = random.choices([5000, 500, 50], sizes)
    facts = LeadFacts(campaign_id="simulated", country=known, headcount=headcount)
    score = Score(total=50, tier=tier, intent=Intent.MEDIUM, fit=50, profile="simulated", factors=())
    owner = routing.rep(route(routing, facts, score).owner_id)
    (hour,) = random.choices(range(24), given.by_hour)
    local = datetime.combine(day, time(hour), ZoneInfo(owner.timezone)).astimezone(UTC)
    return SimulatedLead(0, local + timedelta(seconds=random.uniform(0, 3600)), facts, score, owner.id)


class Desk:
    """A rep: works in working hours, is absent on some days, often busy with something else, and does so much a day."""

    def __init__(self, clock: Clock, given: Assumptions, routing: RoutingRules, rep: Rep, seed: int) -> None:
        self.rep = rep
        self._clock = clock
        self._given = given
        self._hours = routing.follow_up.working_hours
        self._zone = ZoneInfo(rep.timezone)
        self._random = Random(f"{seed}/{rep.id}")
        self._absences = Absences(seed, given.absent)
        self._queue: list[tuple[int, datetime, int, SimulatedLead]] = []
        self._done: Counter[date] = Counter()
        self._awake = False

    def give(self, lead: SimulatedLead, now: datetime, *, rank: int = 0) -> None:
        """The lead is the rep's from now on; of those that wait the lowest rank is touched first, then the oldest."""
        lead.owner = self.rep.id
        heapq.heappush(self._queue, (rank, lead.received, lead.number, lead))
        if not self._awake:
            self._awake = True
            self._clock.at(self._when(now, self._busy_for()), self._begin)

    def _busy_for(self) -> timedelta:
        """What is left of something else that the rep is doing."""
        busy = self._random.random() < self._given.busy_share
        left = self._random.expovariate(1 / self._given.busy_minutes) if busy and self._given.busy_minutes else 0
        return timedelta(minutes=left)

    def _when(self, now: datetime, length: timedelta = timedelta()) -> datetime:
        """When so much of the time has passed in which the rep is there and has not done enough for a day."""
        start = self._there(now)
        return self._there(after(start, length, self._hours, self.rep))

    def _there(self, now: datetime) -> datetime:
        while True:
            start = after(now, timedelta(), self._hours, self.rep)
            day = start.astimezone(self._zone).date()
            if not self._absences.absent(self.rep, day) and self._done[day] < self._given.touches_per_day:
                return start
            now = datetime.combine(day + timedelta(days=1), time(), self._zone)

    def _begin(self, now: datetime) -> None:
        lead = next(self._waiting(), None)
        if lead is None:
            self._awake = False
            return
        self._done[now.astimezone(self._zone).date()] += 1
        touched = after(now, timedelta(minutes=self._given.read_minutes), self._hours, self.rep)
        lead.touched = min(touched, lead.touched or touched)
        ended = after(touched, timedelta(minutes=self._given.work_minutes), self._hours, self.rep)
        self._clock.at(self._when(ended), self._begin)

    def _waiting(self) -> Iterator[SimulatedLead]:
        while self._queue:
            lead = heapq.heappop(self._queue)[-1]
            if lead.touched is None and lead.owner == self.rep.id:
                yield lead
