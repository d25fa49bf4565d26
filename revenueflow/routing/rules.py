"""The routing table as people write it in TOML: whose leads are whose, who of several gets one, how soon it is due.

Named accounts and territories are tried in the order of the file and the first that fits decides, so narrow ones stand
before wide ones. A table in which some rule can never be reached is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Literal, Self

import pycountry
from pydantic import Field, PositiveInt, PrivateAttr, field_validator, model_validator

from revenueflow.domain.base import Value
from revenueflow.domain.companies import normal_company
from revenueflow.domain.lead import Tier
from revenueflow.domain.locations import states
from revenueflow.routing import conflicts
from revenueflow.routing.crm_owners import CrmOwners
from revenueflow.routing.places import Postcodes, postcodes
from revenueflow.routing.reps import Country, Language, Rep, RepId, Word, WorkingHours

__all__ = [
    "Delay",
    "FollowUp",
    "NamedAccount",
    "Rep",
    "RoutingRules",
    "Segment",
    "Selection",
    "Territory",
    "WorkingHours",
]

OutOfHours = Literal["assign", "next_available", "cover"]
Preference = Literal["expertise", "language", "time_zone", "hours", "performance"]


class Owned(Value):
    """A rule that names reps: one, several who take turns, or a team."""

    name: str = Field(min_length=1)
    owner: RepId | None = None
    owners: tuple[RepId, ...] | None = Field(None, min_length=1)
    team: Word | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.owner is not None) + (self.owners is not None) + (self.team is not None) != 1:
            raise ValueError("give one of owner, owners and team")
        if len(set(self.owners or ())) != len(self.owners or ()):
            raise ValueError("owners: a rep is listed twice")
        return self

    @property
    def named(self) -> dict[str, RepId]:
        """The reps that are named, by key path."""
        if self.owner is not None:
            return {"owner": self.owner}
        return {f"owners.{number}": rep for number, rep in enumerate(self.owners or ())}


class NamedAccount(Owned):
    """Companies that have an owner wherever they are: by domain, or by name without its legal form."""

    domains: tuple[Word, ...] = ()
    companies: tuple[Word, ...] = ()

    @model_validator(mode="after")
    def _some(self) -> Self:
        if not self.keys:
            raise ValueError("give domains or companies")
        return self

    @property
    def keys(self) -> tuple[str, ...]:
        """What a lead is found by."""
        domains = [f"domain {domain.casefold()}" for domain in self.domains]
        return (*domains, *(f"company {normal_company(name)}" for name in self.companies))


class Territory(Owned):
    """Leads of these countries that meet every condition given go to its reps.

    A condition about a fact that is not known for a lead is not met. `states` are the second parts of ISO 3166-2 codes;
    `postcodes` are "80" (what begins with it) or "00-39". `out_of_hours` instead of that of [selection].
    """

    countries: tuple[Country, ...] = Field(min_length=1)
    states: tuple[str, ...] | None = Field(None, min_length=1)
    postcodes: tuple[str, ...] | None = Field(None, min_length=1)
    min_headcount: PositiveInt | None = None
    max_headcount: PositiveInt | None = None
    industries: tuple[str, ...] | None = Field(None, min_length=1)
    tiers: tuple[Tier, ...] | None = Field(None, min_length=1)
    out_of_hours: OutOfHours | None = None

    @field_validator("countries")
    @classmethod
    def _exist(cls, countries: tuple[str, ...]) -> tuple[str, ...]:
        unknown = [code for code in countries if pycountry.countries.get(alpha_2=code) is None]
        if unknown:
            raise ValueError(f"not in ISO 3166-1: {', '.join(unknown)}")
        if len(set(countries)) != len(countries):
            raise ValueError("a country is listed twice")
        return countries

    @field_validator("postcodes")
    @classmethod
    def _readable(cls, spans: tuple[str, ...] | None) -> tuple[str, ...] | None:
        for span in spans or ():
            postcodes(span)
        return spans

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if self.min_headcount and self.max_headcount and self.max_headcount < self.min_headcount:
            raise ValueError("max_headcount must not be below min_headcount")
        known = {code for country in self.countries for code in states(country).values()}
        if unknown := set(self.states or ()) - known:
            raise ValueError(f"states: not in ISO 3166-2 of {', '.join(self.countries)}: {', '.join(sorted(unknown))}")
        return self

    @cached_property
    def spans(self) -> tuple[Postcodes, ...]:
        """`postcodes`, ready to compare with."""
        return tuple(map(postcodes, self.postcodes or ()))


class Segment(Value):
    """Of a territory's reps, leads that meet these conditions go to those of a team, if there are any."""

    name: str = Field(min_length=1)
    team: Word
    min_headcount: PositiveInt | None = None
    max_headcount: PositiveInt | None = None
    industries: tuple[str, ...] | None = Field(None, min_length=1)
    tiers: tuple[Tier, ...] | None = Field(None, min_length=1)

    @property
    def countries(self) -> tuple[str, ...]:
        """Any."""
        return ()

    @property
    def states(self) -> tuple[str, ...] | None:
        """Any."""
        return None

    @property
    def spans(self) -> tuple[Postcodes, ...]:
        """Any."""
        return ()


class Selection(Value):
    """Who of several gets a lead. What would leave nobody does not count; equals take turns.

    `time_zone_hours`: reps whose clock differs from the lead's by at most so many hours are near. `smoothing`: so many
    leads of the average are added to a rep's own; `margin`: rates that are less apart are equal.
    """

    order: tuple[Preference, ...] = ("expertise", "language", "time_zone", "hours", "performance")
    time_zone_hours: int = Field(2, ge=0, le=12)
    out_of_hours: OutOfHours = "next_available"
    smoothing: PositiveInt = 20
    margin: float = Field(0.05, ge=0, le=1)


class Delay(Value):
    """How soon: so many working hours, or by the close of so many business days later."""

    hours: PositiveInt | None = Field(None, le=200)
    days: PositiveInt | None = Field(None, le=200)

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.hours is None) == (self.days is None):
            raise ValueError("give either hours or days")
        return self


class FollowUp(Value):
    """When the owner is to have followed up, by tier."""

    working_hours: WorkingHours
    hot: Delay
    warm: Delay
    cold: Delay

    def of(self, tier: Tier) -> Delay:
        """The delay of a tier."""
        return {Tier.HOT: self.hot, Tier.WARM: self.warm, Tier.COLD: self.cold}[tier]


class RoutingRules(Value):
    """routing.toml. `version` is kept with each decision: raise it with each change.

    `reps_in = "database"`: reps need not stand here, and who is named here is looked for when they are loaded.
    """

    version: str = Field(min_length=1)
    default_owner: RepId
    reps_in: Literal["file", "database"] = "file"
    existing_owner: bool = True
    crm_owners: CrmOwners = CrmOwners()
    reps: tuple[Rep, ...] = ()
    named_accounts: tuple[NamedAccount, ...] = ()
    territories: tuple[Territory, ...] = ()
    segments: tuple[Segment, ...] = ()
    selection: Selection = Selection()
    country_languages: Mapping[Country, Language] = Field(default_factory=dict)
    follow_up: FollowUp
    _listed_elsewhere: bool = PrivateAttr(False)

    def rep(self, rep_id: str) -> Rep:
        """The rep with this id. Raises KeyError if there is none (a rep that was deleted since)."""
        return self.by_id[rep_id]

    @cached_property
    def by_id(self) -> Mapping[str, Rep]:
        """The reps."""
        return {rep.id: rep for rep in self.reps}

    @cached_property
    def accounts(self) -> Mapping[str, NamedAccount]:
        """Named accounts by what a lead is found by."""
        return {key: account for account in self.named_accounts for key in account.keys}

    def team(self, name: str) -> tuple[str, ...]:
        """The ids of a team."""
        return tuple(rep.id for rep in self.reps if name in rep.teams)

    def with_reps(self, reps: tuple[Rep, ...]) -> RoutingRules:
        """The same rules for these reps. See `unknown` for what they name and isn't there."""
        found = RoutingRules.model_construct(**(dict(self) | {"reps": reps}))
        found._listed_elsewhere = True
        return found

    def unknown(self) -> Iterator[str]:
        """Key paths that name a rep or a team that is not there. Reps that don't stand in this file have no line."""

        def nobody(rep_id: str) -> str:
            return "no rep has this id" + (f": {rep_id}" if self._listed_elsewhere else "")

        if self.default_owner not in self.by_id:
            yield f"default_owner: {nobody(self.default_owner)}"
        for number, rep in enumerate(self.reps):
            if rep.covered_by is not None and rep.covered_by not in self.by_id:
                place = f"rep {rep.id}" if self._listed_elsewhere else f"reps.{number}"
                yield f"{place}.covered_by: {nobody(rep.covered_by)}"
        for key, rules in (("named_accounts", self.named_accounts), ("territories", self.territories)):
            for number, rule in enumerate(rules):
                yield from (
                    f"{key}.{number}.{at}: {nobody(rep)}" for at, rep in rule.named.items() if rep not in self.by_id
                )
                if rule.team is not None and not self.team(rule.team):
                    yield f"{key}.{number}.team: no rep is in this team"
        for number, segment in enumerate(self.segments):
            if not self.team(segment.team):
                yield f"segments.{number}.team: no rep is in this team"

    @field_validator("reps")
    @classmethod
    def _distinct(cls, reps: tuple[Rep, ...]) -> tuple[Rep, ...]:
        _refuse_repeated([rep.id for rep in reps])
        return reps

    @field_validator("named_accounts")
    @classmethod
    def _once(cls, accounts: tuple[NamedAccount, ...]) -> tuple[NamedAccount, ...]:
        _refuse_repeated([account.name for account in accounts])
        taken: dict[str, str] = {}
        for number, account in enumerate(accounts):
            for key in account.keys:
                if key in taken:
                    raise ValueError(f'{number}: {key} is in "{taken[key]}" and in "{account.name}"')
                taken[key] = account.name
        return accounts

    @field_validator("territories", "segments")
    @classmethod
    def _reachable(cls, rules: tuple[Territory, ...]) -> tuple[Territory, ...]:
        _refuse_repeated([rule.name for rule in rules])
        if problem := conflicts.find(rules):
            raise ValueError(problem)
        return rules

    @model_validator(mode="after")
    def _owners(self) -> Self:
        if self.reps_in == "file" and (problem := next(self.unknown(), None)):
            raise ValueError(problem)
        return self


def _refuse_repeated(names: list[str]) -> None:
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"given more than once: {', '.join(twice)}")
