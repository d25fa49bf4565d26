"""Does a territory or a segment fit a lead? The one comparison, for routing and for finding conflicts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Protocol

from revenueflow.domain.lead import Tier
from revenueflow.routing.places import Postcodes


class Conditions(Protocol):
    """What a rule asks of a lead; None where it asks nothing. No countries: any country, or none."""

    @property
    def name(self) -> str: ...
    @property
    def countries(self) -> tuple[str, ...]: ...
    @property
    def states(self) -> tuple[str, ...] | None: ...
    @property
    def spans(self) -> tuple[Postcodes, ...]: ...
    @property
    def min_headcount(self) -> int | None: ...
    @property
    def max_headcount(self) -> int | None: ...
    @property
    def industries(self) -> tuple[str, ...] | None: ...
    @property
    def tiers(self) -> tuple[Tier, ...] | None: ...


class Subject(NamedTuple):
    """What a lead is compared by; None is not known. `time_zone` is an IANA name, `language` a code such as `de`.

    `unclear`: names of fields that were given and that nobody understood.
    """

    country: str | None
    headcount: int | None
    industry: str | None
    tier: Tier
    state: str | None = None
    postcode: str | None = None
    domain: str | None = None
    company: str | None = None
    language: str | None = None
    time_zone: str | None = None
    campaign: str | None = None
    unclear: frozenset[str] = frozenset()

    def unknown(self, name: str) -> str:
        """Why a field that is None is, in words."""
        return f"{name} was not understood" if name in self.unclear else f"{name} is not known"


def obstacle(rule: Conditions, lead: Subject) -> str | None:
    """Why the rule does not fit the lead, in words; None if it fits."""
    return next(_obstacles(rule, lead), None)


def described(rule: Conditions, lead: Subject) -> str:
    """What of the lead made the rule fit."""
    met = [f"country {lead.country}"] if rule.countries else []
    if rule.states:
        met.append(f"state {lead.state}")
    if rule.spans:
        met.append("postcode is in it")
    if rule.min_headcount or rule.max_headcount:
        met.append(f"headcount {lead.headcount} is {_span(rule)}")
    if rule.industries:
        met.append(f"industry {lead.industry}")
    if rule.tiers:
        met.append(f"tier {lead.tier}")
    return ", ".join(met)


def _obstacles(rule: Conditions, lead: Subject) -> Iterator[str]:
    if rule.countries and lead.country is None:
        yield lead.unknown("country")
    elif rule.countries and lead.country not in rule.countries:
        yield f"country {lead.country} is not in it"
    if rule.states and lead.state not in rule.states:
        yield f"state {lead.state} is not in it" if lead.state else lead.unknown("state")
    if rule.spans:
        yield from _postcode(rule, lead)
    if rule.min_headcount or rule.max_headcount:
        yield from _headcount(rule, lead)
    if rule.industries and lead.industry not in rule.industries:
        yield f"industry {lead.industry} is not in it" if lead.industry else lead.unknown("industry")
    if rule.tiers and lead.tier not in rule.tiers:
        yield f"tier {lead.tier} is not in it"


def _postcode(rule: Conditions, lead: Subject) -> Iterator[str]:
    # The code itself is not said: with a company's name it would lead to a door.
    if lead.postcode is None:
        yield lead.unknown("postcode")
    elif not any(span.holds(lead.postcode) for span in rule.spans):
        yield "postcode is not in it"


def _headcount(rule: Conditions, lead: Subject) -> Iterator[str]:
    headcount = lead.headcount
    if headcount is None:
        yield f"{lead.unknown('headcount')}, must be {_span(rule)}"
    elif headcount < (rule.min_headcount or 0) or headcount > (rule.max_headcount or headcount):
        yield f"headcount {headcount} is not {_span(rule)}"


def _span(rule: Conditions) -> str:
    least, most = rule.min_headcount, rule.max_headcount
    if least and most:
        return f"{least} to {most}"
    return f"{least} or more" if least else f"{most} or less"
