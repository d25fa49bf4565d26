"""A scoring profile: how many points each fact of a lead is worth, as people write it in TOML.

The maxima of its factors add up to 100, or to more where the profile is `capped`: what is over is taken off.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from revenueflow.domain.base import Value
from revenueflow.domain.lead import Tier
from revenueflow.errors import InvalidInput
from revenueflow.scoring.kinds import (
    TOTAL,
    AiFactor,
    AnyFactor,
    Fallback,
    Points,
)
from revenueflow.scoring.kinds import BandFactor as BandFactor
from revenueflow.scoring.kinds import CompletenessFactor as CompletenessFactor
from revenueflow.scoring.kinds import GroundedFactor as GroundedFactor
from revenueflow.scoring.kinds import KeywordFactor as KeywordFactor
from revenueflow.scoring.kinds import KeywordGroup as KeywordGroup
from revenueflow.scoring.kinds import TableFactor as TableFactor

Flag = Literal["free_mail", "disposable"]


class Tiers(Value):
    """The lowest total of a hot and of a warm lead; below is cold."""

    hot: int = Field(ge=1, le=TOTAL)
    warm: int = Field(ge=1, le=TOTAL)

    @model_validator(mode="after")
    def _apart(self) -> Self:
        if self.warm >= self.hot:
            raise ValueError("warm must be below hot")
        return self

    def of(self, total: int) -> Tier:
        """The tier of a total."""
        if total >= self.hot:
            return Tier.HOT
        return Tier.WARM if total >= self.warm else Tier.COLD


class Limit(Value):
    """The most that a lead with this flag gets: what is over is taken off by a line of its own."""

    when: Flag
    total: Points


class Profile(Value):
    """A scoring profile. `name`@`version` is kept with each score: raise the version with each change.

    `format` is the form of this file; `labels` are other words for its tiers, for people.
    """

    format: Literal[1] = 1
    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    version: str = Field(min_length=1)
    tiers: Tiers
    labels: dict[Tier, str] = Field(default_factory=dict)
    capped: bool = False
    factors: tuple[AnyFactor, ...] = Field(min_length=1)
    limits: tuple[Limit, ...] = ()

    @property
    def label(self) -> str:
        """name@version."""
        return f"{self.name}@{self.version}"

    @cached_property
    def texts(self) -> frozenset[str]:
        """The facts of which the words count, and not only whether they are known."""
        return frozenset(rule.fact for rule in self.factors if isinstance(rule, TableFactor | KeywordFactor))

    def tier(self, total: int) -> Tier:
        """The tier of a total."""
        return self.tiers.of(total)

    @field_validator("factors")
    @classmethod
    def _hundred(cls, factors: tuple[AnyFactor, ...], given: ValidationInfo) -> tuple[AnyFactor, ...]:
        names = [factor.name for factor in factors]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"names must differ; more than once: {', '.join(twice)}")
        total = sum(factor.maximum for factor in factors)
        if total != TOTAL and not (given.data.get("capped") and total > TOTAL):
            more = "; where `capped = true`, they may make more" if total > TOTAL else ""
            raise ValueError(f"the maxima must add up to {TOTAL}, they make {total}{more}")
        _check_fallbacks(factors)
        return factors

    @field_validator("limits")
    @classmethod
    def _one_each(cls, limits: tuple[Limit, ...]) -> tuple[Limit, ...]:
        if len({limit.when for limit in limits}) != len(limits):
            raise ValueError("one limit for each `when`")
        return limits


def _check_fallbacks(factors: tuple[AnyFactor, ...]) -> None:
    """A fall-back may look at factors before it only, and ask for no more than they can reach."""
    before: dict[str, int] = {}
    for factor in factors:
        rules = factor.fallback if isinstance(factor, AiFactor) else ()
        for number, rule in enumerate(rules):
            if any(_covers(earlier, rule) for earlier in rules[:number]):
                raise ValueError(
                    f"{factor.name}: fallback {number} is never reached: one before it fits whenever it does"
                )
            for name, least in rule.when.items():
                place = f"{factor.name}: fallback {number}, when.{name}"
                if name not in before:
                    raise ValueError(f"{place}: must name a factor before it: {', '.join(before) or 'there is none'}")
                if least > before[name]:
                    raise ValueError(f"{place}: can never be reached; {name} has at most {before[name]} points")
        before[factor.name] = factor.maximum


def _covers(earlier: Fallback, later: Fallback) -> bool:
    return all(later.when.get(name, 0) >= least for name, least in earlier.when.items())


class ProfileMap(Value):
    """profiles.toml: which profile scores the leads of a campaign."""

    version: int
    default: str
    campaigns: Mapping[str, str] = Field(default_factory=dict)


class Profiles(Value):
    """All profiles by the name of their file, and which one is for whom."""

    chosen: ProfileMap
    known: Mapping[str, Profile]

    def of(self, campaign_id: str | None = None, named: str | None = None) -> Profile:
        """The one that an offer names, else the campaign's, else the default. One that is gone counts as not named."""
        ours = self.chosen.campaigns.get(campaign_id or "", self.chosen.default)
        return self.get(named if named and named in self.known else ours)

    def get(self, name: str) -> Profile:
        """The profile of this name. Raises InvalidInput that lists those that there are."""
        if name not in self.known:
            raise InvalidInput(f"there is no such profile; known are {', '.join(sorted(self.known))}")
        return self.known[name]
