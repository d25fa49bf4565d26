"""A scoring profile: how many points each fact of a lead is worth, as people write it in TOML.

Five kinds of factor, told apart by `kind`. `unknown` are the points when the fact is not known, `other` when
it is known and the table does not name it. The maxima add up to 100.
"""

from __future__ import annotations

from functools import cached_property
from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import Field, PositiveInt, field_validator, model_validator

from revenueflow.domain.base import Value
from revenueflow.domain.phrases import PhraseIndex, words

TOTAL = 100

Points = Annotated[int, Field(ge=0, le=TOTAL)]
TextFact = Literal["title", "company", "domain", "industry", "country", "source", "seniority", "department"]
NumberFact = Literal["headcount"]
GivenFact = Literal["email", "work_email", "phone", "name"] | TextFact | NumberFact
Flag = Literal["free_mail", "disposable"]


class _Factor(Value):
    name: str = Field(min_length=1)
    maximum: PositiveInt

    def _check_reach(self, reached: int) -> None:
        if reached != self.maximum:
            raise ValueError(f"maximum is {self.maximum}, but the most that can be reached is {reached}")


class TableFactor(_Factor):
    """Points by the value of a fact, in canonical keys such as `c_level`, `software`, `DE`, in any case."""

    kind: Literal["table"]
    fact: TextFact
    points: dict[str, Points]
    other: Points = 0
    unknown: Points = 0

    @field_validator("points")
    @classmethod
    def _fold(cls, points: dict[str, int]) -> dict[str, int]:
        folded = {key.casefold(): value for key, value in points.items()}
        if len(folded) != len(points):
            raise ValueError("two keys differ in case only")
        return folded

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        self._check_reach(max(self.other, self.unknown, *self.points.values()))
        return self


class Band(Value):
    """From `at_least` to `at_most`, both included; without `at_most`, no upper end."""

    at_least: int = Field(ge=0)
    at_most: int | None = None
    points: Points

    @model_validator(mode="after")
    def _right_way_round(self) -> Self:
        if self.at_most is not None and self.at_most < self.at_least:
            raise ValueError("at_most must not be below at_least")
        return self

    def holds(self, number: int) -> bool:
        """True if the number lies in this band."""
        return self.at_least <= number and (self.at_most is None or number <= self.at_most)


class BandFactor(_Factor):
    """Points by the band that a number lies in; bands are in rising order and don't overlap."""

    kind: Literal["band"]
    fact: NumberFact
    bands: tuple[Band, ...] = Field(min_length=1)
    other: Points = 0
    unknown: Points = 0

    @field_validator("bands")
    @classmethod
    def _apart(cls, bands: tuple[Band, ...]) -> tuple[Band, ...]:
        for number, (lower, upper) in enumerate(pairwise(bands)):
            if lower.at_most is None or upper.at_least <= lower.at_most:
                raise ValueError(f"band {number} overlaps band {number + 1}, or they are not in rising order")
        return bands

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        self._check_reach(max(self.other, self.unknown, *(band.points for band in self.bands)))
        return self


class KeywordGroup(Value):
    """Phrases that are worth the same."""

    points: Points
    phrases: tuple[str, ...] = Field(min_length=1)


class KeywordFactor(_Factor):
    """Points by the longest phrase in a text. Whole words: "cto" is not in "director"."""

    kind: Literal["keyword"]
    fact: TextFact
    groups: tuple[KeywordGroup, ...] = Field(min_length=1)
    other: Points = 0
    unknown: Points = 0

    @field_validator("groups")
    @classmethod
    def _once_each(cls, groups: tuple[KeywordGroup, ...]) -> tuple[KeywordGroup, ...]:
        seen: set[tuple[str, ...]] = set()
        for number, group in enumerate(groups):
            for position, phrase in enumerate(group.phrases):
                place, key = f"group {number}, phrase {position}", words(phrase)
                if not key:
                    raise ValueError(f"{place}: holds no word")
                if key in seen:
                    raise ValueError(f"{place}: listed twice")
                seen.add(key)
        return groups

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        self._check_reach(max(self.other, self.unknown, *(group.points for group in self.groups)))
        return self

    @cached_property
    def worth(self) -> dict[str, int]:
        """The points of each phrase."""
        return {phrase: group.points for group in self.groups for phrase in group.phrases}

    def longest(self, text: str) -> str | None:
        """The phrase with the most words that occurs in the text, the first of equals; None if none does."""
        hits = self._index.find(words(text))
        return max(hits, key=lambda hit: hit.length).canonical if hits else None

    @cached_property
    def _index(self) -> PhraseIndex:
        return PhraseIndex(zip(self.worth, self.worth, strict=True))


class CompletenessFactor(_Factor):
    """Points for each fact that is known. `work_email`: given, and of a company."""

    kind: Literal["completeness"]
    points: dict[GivenFact, Points]

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        self._check_reach(sum(self.points.values()))
        return self


class GroundedFactor(_Factor):
    """The fit that code computed from the supported claims (0-100), scaled to the maximum."""

    kind: Literal["grounded"]


AnyFactor = Annotated[
    TableFactor | BandFactor | KeywordFactor | CompletenessFactor | GroundedFactor,
    Field(discriminator="kind"),
]


class Tiers(Value):
    """The lowest total of a hot and of a warm lead; below is cold."""

    hot: int = Field(ge=1, le=TOTAL)
    warm: int = Field(ge=1, le=TOTAL)

    @model_validator(mode="after")
    def _apart(self) -> Self:
        if self.warm >= self.hot:
            raise ValueError("warm must be below hot")
        return self


class Limit(Value):
    """The most that a lead with this flag gets: what is over is taken off by a line of its own."""

    when: Flag
    total: Points


class Profile(Value):
    """A scoring profile. `name`@`version` is kept with each score: raise the version with each change."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    version: str = Field(min_length=1)
    tiers: Tiers
    factors: tuple[AnyFactor, ...] = Field(min_length=1)
    limits: tuple[Limit, ...] = ()

    @property
    def label(self) -> str:
        """name@version."""
        return f"{self.name}@{self.version}"

    @field_validator("factors")
    @classmethod
    def _hundred(cls, factors: tuple[AnyFactor, ...]) -> tuple[AnyFactor, ...]:
        names = [factor.name for factor in factors]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"names must differ; more than once: {', '.join(twice)}")
        total = sum(factor.maximum for factor in factors)
        if total != TOTAL:
            raise ValueError(f"the maxima must add up to {TOTAL}, they make {total}")
        return factors

    @field_validator("limits")
    @classmethod
    def _one_each(cls, limits: tuple[Limit, ...]) -> tuple[Limit, ...]:
        if len({limit.when for limit in limits}) != len(limits):
            raise ValueError("one limit for each `when`")
        return limits
