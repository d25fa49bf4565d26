"""Until when an owner is to have touched a lead, and who is next if that does not happen. Pure.

A timer starts when the lead becomes the owner's; its length is working time of that owner.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from pydantic import Field, PositiveInt

from revenueflow.domain.base import Value
from revenueflow.domain.lead import Tier
from revenueflow.domain.sales import Timer
from revenueflow.routing.due import after
from revenueflow.routing.rules import Rep, RoutingRules


class TierSla(Value):
    """How much working time an owner has, in minutes, at which share of it comes a reminder, how often it goes on."""

    minutes: PositiveInt = Field(le=60_000)
    remind_at: float = Field(ge=0, lt=1)
    pass_on: int = Field(ge=0, le=10)


class Sla(Value):
    """sla.toml. `version` is kept with each timer: raise it with each change."""

    version: str = Field(min_length=1)
    hot: TierSla
    warm: TierSla
    cold: TierSla

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


class NextRep(Protocol):
    """Chooses the next rep; None if there is nobody left."""

    def __call__(self, routing: RoutingRules, sla: Sla, ask: Ask) -> Next | None:
        """Pure: the same answer for the same arguments."""
        ...


def timer(routing: RoutingRules, sla: Sla, tier: Tier, rep: Rep, reason: str, now: datetime) -> Timer:
    """The timer of a rep that starts now."""
    given, hours = sla.of(tier), routing.follow_up.working_hours
    length = timedelta(minutes=given.minutes)
    remind_at = after(now, length * given.remind_at, hours, rep) if given.remind_at else None
    return Timer(tier, rep.id, rep.name, reason, sla.version, now, remind_at, after(now, length, hours, rep))


def next_of_territory(routing: RoutingRules, sla: Sla, ask: Ask) -> Next | None:
    """Of the owners of the country's territories who have not had it, the one whose time would be over first.

    Somebody who works now comes before somebody who sleeps; among equals the order of the file decides. With nobody
    left it goes to the default owner, once.
    """
    owners = [routing.rep(one) for one in dict.fromkeys(_owners(routing, ask.country)) if one not in ask.tried]
    hours, length = routing.follow_up.working_hours, timedelta(minutes=sla.of(ask.tier).minutes)
    if owners:
        soonest = min(owners, key=lambda rep: after(ask.now, length, hours, rep))
        return Next(soonest, f"has a territory in {ask.country}, and could be the first to touch it")
    if routing.default_owner not in ask.tried:
        return Next(routing.rep(routing.default_owner), "nobody else has a territory in the country: default owner")
    return None


def _owners(routing: RoutingRules, country: str | None) -> Iterator[str]:
    return (one.owner for one in routing.territories if country in one.countries)
