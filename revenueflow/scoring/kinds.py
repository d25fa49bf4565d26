"""The kinds of factor that a scoring profile is made of, as people write them in TOML, told apart by `kind`.

`unknown` are the points when a fact is not known, `other` when it is known and the table does not name it.
"""

from __future__ import annotations

from functools import cached_property
from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import Field, PositiveInt, field_validator, model_validator

from revenueflow.domain.base import Value
from revenueflow.domain.lead import Intent
from revenueflow.domain.phrases import PhraseIndex, words

TOTAL = 100

Points = Annotated[int, Field(ge=0, le=TOTAL)]
TextFact = Literal[
    "title", "company", "domain", "industry", "industry_text", "country", "source", "seniority", "department"
]  # fmt: skip
Seniority = Literal["c_level", "vp", "director", "manager", "individual"]
NumberFact = Literal["headcount", "age_days"]
GivenFact = Literal["email", "work_email", "phone", "name", "bio", TextFact, NumberFact]
EVENTS = ("submissions",)
"""What a person does that is counted of a lead."""
Event = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


class _Factor(Value):
    name: str = Field(min_length=1)
    maximum: PositiveInt

    def _check_reach(self, reached: int) -> None:
        if reached != self.maximum:
            raise ValueError(f"maximum is {self.maximum}, but the most that can be reached is {reached}")


class TableFactor(_Factor):
    """Points by the value of a fact, in canonical keys such as `c_level`, `software`, `DE`, in any case.

    `not_understood` are the points where it was given in words that nobody could read; else they are `unknown`.
    """

    kind: Literal["table"]
    fact: TextFact
    points: dict[str, Points]
    other: Points = 0
    unknown: Points = 0
    not_understood: Points | None = None

    @field_validator("points")
    @classmethod
    def _fold(cls, points: dict[str, int]) -> dict[str, int]:
        folded = {key.casefold(): value for key, value in points.items()}
        if len(folded) != len(points):
            raise ValueError("two keys differ in case only")
        return folded

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        self._check_reach(max(self.other, self.unknown, self.not_understood or 0, *self.points.values()))
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
    """Points by the band that a number lies in; bands are in rising order and don't overlap.

    A gap between two bands is meant where `other` is given, and a slip of the pen where it is not.
    """

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
    def _closed(self) -> Self:
        for number, (lower, upper) in enumerate(pairwise(self.bands) if "other" not in self.model_fields_set else ()):
            if lower.at_most is not None and upper.at_least != lower.at_most + 1:
                last = upper.at_least - 1
                missing = f"{lower.at_most + 1} to {last}" if last > lower.at_most + 1 else f"{last}"
                raise ValueError(
                    f"bands.{number + 1}: {missing} is in no band, as the one before ends at {lower.at_most}; "
                    "if that is meant, say with `other` what it is worth"
                )
        return self

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        self._check_reach(max(self.other, self.unknown, *(band.points for band in self.bands)))
        return self


class KeywordGroup(Value):
    """Phrases that are worth the same."""

    points: Points
    phrases: tuple[str, ...] = Field(min_length=1)


class KeywordFactor(_Factor):
    """Points by a phrase in a text. Whole words: "cto" is not in "director"; at each place the longest phrase wins.

    Of phrases at several places `longest` takes the one with the most words, the first of equals; `best` the one with
    the most points: "Senior Director" is a director. `levels`, of a title only: the points of one in another language
    than English, by its level in vocabulary.toml, where they are more than those of a phrase.
    """

    kind: Literal["keyword"]
    fact: TextFact
    groups: tuple[KeywordGroup, ...] = Field(min_length=1)
    pick: Literal["longest", "best"] = "longest"
    levels: dict[Seniority, Points] = Field(default_factory=dict)
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
        if self.levels and self.fact != "title":
            raise ValueError("levels: are those of a title")
        points = (group.points for group in self.groups)
        self._check_reach(max(self.other, self.unknown, *points, *self.levels.values()))
        return self

    @cached_property
    def worth(self) -> dict[str, int]:
        """The points of each phrase."""
        return {phrase: group.points for group in self.groups for phrase in group.phrases}

    def longest(self, text: str) -> str | None:
        """The phrase that counts, by `pick`; None if none occurs in the text."""
        hits = self._index.find(words(text))
        if not hits:
            return None
        if self.pick == "best":
            return max(hits, key=lambda hit: self.worth[hit.canonical]).canonical
        return max(hits, key=lambda hit: hit.length).canonical

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


class Level(Value):
    """What a level of intent is worth: `at_least`, and the more of the claims are supported, up to `at_most`."""

    at_least: Points
    at_most: Points

    @model_validator(mode="after")
    def _right_way_round(self) -> Self:
        if self.at_most < self.at_least:
            raise ValueError("at_most must not be below at_least")
        return self


class Fallback(Value):
    """Where no model answered: this intent and these points if each factor of `when` has reached its points."""

    when: dict[str, PositiveInt] = Field(min_length=1)
    intent: Intent
    points: Points


class AiFactor(_Factor):
    """Points by the intent that the supported claims show, and the share of the claims that are supported.

    Where no model answered, the first of `fallback` that fits, else the least of `low`. Its `when` may name factors
    that stand before it.
    """

    kind: Literal["ai"]
    high: Level
    medium: Level
    low: Level
    fallback: tuple[Fallback, ...] = ()

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        levels = (level.at_most for level in (self.high, self.medium, self.low))
        self._check_reach(max(*levels, *(one.points for one in self.fallback)))
        return self


class SimilarityFactor(_Factor):
    """How much the lead is like those that converted, scaled to `maximum`; 0 while no outcomes are remembered."""

    kind: Literal["similarity"]


class DecayFactor(_Factor):
    """`maximum` for what is new, half of it after `half_life_days`, and so on."""

    kind: Literal["decay"]
    fact: Literal["age_days"] = "age_days"
    half_life_days: float = Field(gt=0, le=36_500)
    unknown: Points = 0

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        self._check_reach(max(self.maximum, self.unknown))
        return self


class EngagementFactor(_Factor):
    """Points for each time that the person did something (`submissions`: how often the lead came in), to `maximum`."""

    kind: Literal["engagement"]
    points: dict[Event, Annotated[int, Field(ge=1, le=TOTAL)]] = Field(min_length=1)


AnyFactor = Annotated[
    TableFactor
    | BandFactor
    | KeywordFactor
    | CompletenessFactor
    | GroundedFactor
    | AiFactor
    | SimilarityFactor
    | DecayFactor
    | EngagementFactor,
    Field(discriminator="kind"),
]
