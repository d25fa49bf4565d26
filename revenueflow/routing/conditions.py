"""Does a territory fit a lead? The one comparison, for routing and for finding conflicts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Protocol

from revenueflow.domain.lead import Tier


class Conditions(Protocol):
    """What a territory asks of a lead; None where it asks nothing."""

    @property
    def name(self) -> str: ...
    @property
    def countries(self) -> tuple[str, ...]: ...
    @property
    def min_headcount(self) -> int | None: ...
    @property
    def max_headcount(self) -> int | None: ...
    @property
    def industries(self) -> tuple[str, ...] | None: ...
    @property
    def tiers(self) -> tuple[Tier, ...] | None: ...


class Subject(NamedTuple):
    """What a lead is compared by; None is not known."""

    country: str | None
    headcount: int | None
    industry: str | None
    tier: Tier


def obstacle(territory: Conditions, lead: Subject) -> str | None:
    """Why the territory does not fit the lead, in words; None if it fits."""
    return next(_obstacles(territory, lead), None)


def described(territory: Conditions, lead: Subject) -> str:
    """What of the lead made the territory fit."""
    met = [f"country {lead.country}"]
    if territory.min_headcount or territory.max_headcount:
        met.append(f"headcount {lead.headcount} is {_span(territory)}")
    if territory.industries:
        met.append(f"industry {lead.industry}")
    if territory.tiers:
        met.append(f"tier {lead.tier}")
    return ", ".join(met)


def _obstacles(territory: Conditions, lead: Subject) -> Iterator[str]:
    if lead.country is None:
        yield "country is not known"
    elif lead.country not in territory.countries:
        yield f"country {lead.country} is not in it"
    if territory.min_headcount or territory.max_headcount:
        yield from _headcount(territory, lead.headcount)
    if territory.industries and lead.industry not in territory.industries:
        yield f"industry {lead.industry} is not in it" if lead.industry else "industry is not known"
    if territory.tiers and lead.tier not in territory.tiers:
        yield f"tier {lead.tier} is not in it"


def _headcount(territory: Conditions, headcount: int | None) -> Iterator[str]:
    if headcount is None:
        yield f"headcount is not known, must be {_span(territory)}"
    elif headcount < (territory.min_headcount or 0) or headcount > (territory.max_headcount or headcount):
        yield f"headcount {headcount} is not {_span(territory)}"


def _span(territory: Conditions) -> str:
    least, most = territory.min_headcount, territory.max_headcount
    if least and most:
        return f"{least} to {most}"
    return f"{least} or more" if least else f"{most} or less"
