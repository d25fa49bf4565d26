"""Until when an owner is to have touched a lead, and who is next if that does not happen. Pure.

A timer starts when the lead becomes the owner's; its length is working time of that owner.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from pydantic import Field, PositiveInt

from revenueflow.domain.base import Value
from revenueflow.domain.lead import Tier
from revenueflow.domain.sales import Timer
from revenueflow.routing.hours import LONGEST_LOOK, on_leave, window, working_days
from revenueflow.routing.reps import Rep, WorkingHours
from revenueflow.routing.rules import RoutingRules, Territory


class TierSla(Value):
    """How much working time an owner has, in minutes, at which share of it comes a reminder, how often it goes on."""

    minutes: PositiveInt = Field(le=60_000)
    remind_at: float = Field(ge=0, lt=1)
    pass_on: int = Field(ge=0, le=10)


class CrmLooks(Value):
    """How often the CRM is asked about a lead that waits (0: only when its timer does something), for how many days
    about one that is overdue, and for how many minutes passing on waits for an answer."""

    look_minutes: int = Field(15, ge=0, le=1440)
    look_days: int = Field(14, ge=0, le=365)
    wait_minutes: int = Field(10, ge=0, le=1440)


class Sla(Value):
    """sla.toml. `version` is kept with each timer: raise it with each change."""

    version: str = Field(min_length=1)
    hot: TierSla
    warm: TierSla
    cold: TierSla
    crm: CrmLooks = CrmLooks()

    def of(self, tier: Tier) -> TierSla:
        """The times of a tier."""
        return {Tier.HOT: self.hot, Tier.WARM: self.warm, Tier.COLD: self.cold}[tier]


class Ask(NamedTuple):
    """Who shall have the lead next: it is `now`, it has this country and tier, and `tried` have had it."""

    country: str | None
    tier: Tier
    tried: Collection[str]
    now: datetime


class Next(NamedTuple):
    """The next rep, and why, in words."""

    rep: Rep
    reason: str


def after(now: datetime, length: timedelta, hours: WorkingHours, rep: Rep) -> datetime:
    """When so much working time of the rep has passed since `now`, UTC: own hours, no holidays, no leave.

    `hours` are those of reps without own; `now` must be aware. No length at all is the next moment at which the rep
    works. Who is away for longer than LONGEST_LOOK working days counts as there again.
    """
    now, left, kept = now.astimezone(UTC), length, rep.hours or hours
    days = working_days(now.astimezone(ZoneInfo(rep.timezone)).date(), rep)
    for number, day in enumerate(days):
        opens, closes = window(day, kept, rep)
        start = max(opens, now)
        if start >= closes or (number < LONGEST_LOOK and on_leave(rep, opens)):
            continue
        if closes - start >= left:
            return start + left
        left -= closes - start
    raise AssertionError("working days never end")


def timer(routing: RoutingRules, sla: Sla, tier: Tier, rep: Rep, reason: str, now: datetime) -> Timer:
    """The timer of a rep that starts now."""
    given, hours = sla.of(tier), routing.follow_up.working_hours
    length = timedelta(minutes=given.minutes)
    remind_at = after(now, length * given.remind_at, hours, rep) if given.remind_at else None
    return Timer(tier, rep.id, rep.name, reason, sla.version, now, remind_at, after(now, length, hours, rep))


def next_of_country(routing: RoutingRules, sla: Sla, ask: Ask) -> Next | None:
    """When the rules name nobody else: of the reps with a territory in the country who have not had it, the one whose
    time would be over first.

    Somebody who works now comes before somebody who sleeps; among equals the order of the file decides. With nobody
    left it goes to the default queue, once.
    """
    hours, length = routing.follow_up.working_hours, timedelta(minutes=sla.of(ask.tier).minutes)
    left = [routing.by_id[one] for one in dict.fromkeys(_members(routing, ask.country)) if one not in ask.tried]
    if there := [rep for rep in left if not on_leave(rep, ask.now)]:
        soonest = min(there, key=lambda rep: after(ask.now, length, hours, rep))
        return Next(soonest, f"has a territory in {ask.country}, and could be the first to touch it")
    queue = routing.by_id.get(routing.default_owner)
    return Next(queue, "nobody else has a territory in the country") if queue and queue.id not in ask.tried else None


def _members(routing: RoutingRules, country: str | None) -> Iterator[str]:
    for one in routing.territories:
        if country in one.countries:
            yield from (rep for rep in _named(routing, one) if rep in routing.by_id)


def _named(routing: RoutingRules, one: Territory) -> tuple[str, ...]:
    return tuple(one.named.values()) if one.team is None else routing.team(one.team)
