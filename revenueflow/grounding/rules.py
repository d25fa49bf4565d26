"""The figures and word lists of grounding: defaults/grounding.toml."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator

from revenueflow.domain.base import Value
from revenueflow.domain.claim import ClaimField
from revenueflow.domain.evidence import Trust
from revenueflow.domain.phrases import fold, words
from revenueflow.grounding.free.table import Statements

Share = Annotated[float, Field(ge=0, le=1)]
Points = Annotated[float, Field(ge=0, le=100)]
Step = tuple[float, Share]


class Tolerance(Value):
    """Relative, except `conflict_years`. A number that is claimed exactly gets none."""

    approximate_count: Share
    approximate_money: Share
    money: Share
    conflict_count: Share
    conflict_money: Share
    conflict_years: Annotated[int, Field(ge=0)]


class Related(Value):
    """Groups of canonical values that don't contradict each other."""

    industries: tuple[frozenset[str], ...] = ()
    seniorities: tuple[frozenset[str], ...] = ()


class Lexical(Value):
    """Shares of content words: at least `supported`, or below `unsupported`; between them we abstain."""

    supported: Share
    unsupported: Share
    spare_words: Annotated[int, Field(ge=0)]

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.unsupported > self.supported:
            raise ValueError("unsupported must not be above supported")
        return self


class Words(Value):
    """Word lists, compared folded."""

    empty: frozenset[str]
    generic_names: frozenset[str]
    subject_verbs: frozenset[str]
    subjects: frozenset[str]
    negations: frozenset[str]
    harmless_negations: tuple[str, ...]
    number_words: frozenset[str]
    of_field: dict[ClaimField, frozenset[str]] = Field(default_factory=dict)

    @cached_property
    def generic(self) -> frozenset[str]:
        """The generic names, folded."""
        return frozenset(fold(name) for name in self.generic_names)

    @cached_property
    def harmless(self) -> frozenset[tuple[str, ...]]:
        """The harmless negations as words."""
        return frozenset(words(phrase) for phrase in self.harmless_negations)


class Fit(Value):
    """Points by field; `steps` and `levels` make a factor of the value. Fields in neither count in full."""

    penalty: Share
    points: dict[ClaimField, Points]
    steps: dict[ClaimField, tuple[Step, ...]] = Field(default_factory=dict)
    levels: dict[ClaimField, dict[str, Share]] = Field(default_factory=dict)


class IntentRules(Value):
    """Points by field and the sums from which intent is medium or high."""

    high: float
    medium: float
    high_needs_outside: Annotated[float, Field(gt=0)]
    points: dict[ClaimField, Points]


class GroundingRules(Value):
    """All of it. Load with `defaults.load(GroundingRules, "grounding.toml", config_dir)`."""

    version: int
    tolerance: Tolerance
    related: Related = Related()
    lexical: Lexical
    words: Words
    statements: Statements = Field(default_factory=Statements)
    trust: dict[Trust, Share]
    fit: Fit
    intent: IntentRules

    @field_validator("trust")
    @classmethod
    def _complete(cls, weights: dict[Trust, float]) -> dict[Trust, float]:
        if set(weights) != set(Trust):
            raise ValueError(f"needs a weight for each of {', '.join(Trust)}")
        return weights
