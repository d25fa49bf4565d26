"""The routing table as people write it in TOML: the reps, whose each territory is, how soon a lead is due.

Territories are tried in the order of the file and the first that fits decides, so narrow ones stand before
wide ones. A table in which some territory can never be reached is refused.
"""

from __future__ import annotations

from typing import Annotated, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import holidays
import pycountry
from pydantic import Field, PositiveInt, StringConstraints, field_validator, model_validator

from revenueflow.domain.base import Value
from revenueflow.domain.lead import Tier
from revenueflow.routing import conflicts

Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
RepId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]*$")]


class Rep(Value):
    """A person, or a queue, that can own leads. `country`, `subdivision`: whose public holidays it keeps."""

    id: RepId
    name: str = Field(min_length=1)
    email: str = Field(pattern=r"^[^@\s]+@[^@\s]+$")
    slack_id: str | None = None
    timezone: str
    country: Country
    subdivision: str | None = None

    @field_validator("timezone")
    @classmethod
    def _zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("must be an IANA time-zone name, such as Europe/Berlin") from None
        return name

    @model_validator(mode="after")
    def _holidays(self) -> Self:
        supported = holidays.list_supported_countries(include_aliases=False)
        if self.country not in supported:
            raise ValueError("country: no public holidays are known for it")
        if self.subdivision and self.subdivision not in supported[self.country]:
            raise ValueError(f"subdivision: must be one of {', '.join(supported[self.country])}")
        return self


class Territory(Value):
    """Leads of these countries that meet every condition given go to `owner`.

    A condition about a fact that is not known for a lead is not met.
    """

    name: str = Field(min_length=1)
    countries: tuple[Country, ...] = Field(min_length=1)
    min_headcount: PositiveInt | None = None
    max_headcount: PositiveInt | None = None
    industries: tuple[str, ...] | None = Field(None, min_length=1)
    tiers: tuple[Tier, ...] | None = Field(None, min_length=1)
    owner: RepId

    @field_validator("countries")
    @classmethod
    def _exist(cls, countries: tuple[str, ...]) -> tuple[str, ...]:
        unknown = [code for code in countries if pycountry.countries.get(alpha_2=code) is None]
        if unknown:
            raise ValueError(f"not in ISO 3166-1: {', '.join(unknown)}")
        if len(set(countries)) != len(countries):
            raise ValueError("a country is listed twice")
        return countries

    @model_validator(mode="after")
    def _right_way_round(self) -> Self:
        if self.min_headcount and self.max_headcount and self.max_headcount < self.min_headcount:
            raise ValueError("max_headcount must not be below min_headcount")
        return self


class WorkingHours(Value):
    """Full hours of the owner's local time."""

    start: int = Field(ge=0, le=23)
    end: int = Field(ge=1, le=24)

    @model_validator(mode="after")
    def _right_way_round(self) -> Self:
        if self.end <= self.start:
            raise ValueError("end must be after start")
        return self


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
    """routing.toml. `version` is kept with each decision: raise it with each change."""

    version: str = Field(min_length=1)
    default_owner: RepId
    reps: tuple[Rep, ...] = Field(min_length=1)
    territories: tuple[Territory, ...] = ()
    follow_up: FollowUp

    def rep(self, rep_id: str) -> Rep:
        """The rep with this id. Raises KeyError if there is none (a rep that was deleted since)."""
        return {rep.id: rep for rep in self.reps}[rep_id]

    @field_validator("reps")
    @classmethod
    def _distinct(cls, reps: tuple[Rep, ...]) -> tuple[Rep, ...]:
        _refuse_repeated([rep.id for rep in reps])
        return reps

    @field_validator("territories")
    @classmethod
    def _reachable(cls, territories: tuple[Territory, ...]) -> tuple[Territory, ...]:
        _refuse_repeated([territory.name for territory in territories])
        if problem := conflicts.find(territories):
            raise ValueError(problem)
        return territories

    @model_validator(mode="after")
    def _owners(self) -> Self:
        known = {rep.id for rep in self.reps}
        if self.default_owner not in known:
            raise ValueError("default_owner: no rep has this id")
        for number, territory in enumerate(self.territories):
            if territory.owner not in known:
                raise ValueError(f"territories.{number}.owner: no rep has this id")
        return self


def _refuse_repeated(names: list[str]) -> None:
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"given more than once: {', '.join(twice)}")
