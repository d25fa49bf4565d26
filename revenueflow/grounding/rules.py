"""The figures and word lists of grounding: defaults/grounding.toml."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator

from revenueflow.domain.base import Value
from revenueflow.domain.claim import ClaimField
from revenueflow.domain.evidence import Trust
from revenueflow.domain.phrases import PhraseIndex, fold, words
from revenueflow.grounding.free.table import Statements
from revenueflow.grounding.stems import stem

Share = Annotated[float, Field(ge=0, le=1)]
Points = Annotated[float, Field(ge=0, le=100)]
Step = tuple[float, Share]


class Tolerance(Value):
    """Relative, except `conflict_years`; `widest` is a factor. A number that is claimed exactly gets none."""

    approximate_count: Share
    approximate_money: Share
    money: Share
    conflict_count: Share
    conflict_money: Share
    conflict_years: Annotated[int, Field(ge=0)]
    widest: Annotated[float, Field(ge=1)]


class Related(Value):
    """Groups of canonical values that don't contradict each other."""

    industries: tuple[frozenset[str], ...] = ()
    seniorities: tuple[frozenset[str], ...] = ()


class Lexical(Value):
    """Shares of content words: at least `supported`, or below `unsupported`; between them we abstain."""

    supported: Share
    unsupported: Share
    spare_words: Annotated[int, Field(ge=0)]
    spare_words_told: dict[ClaimField, Annotated[int, Field(ge=0)]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.unsupported > self.supported:
            raise ValueError("unsupported must not be above supported")
        return self


class Time(Value):
    """Days. Relative dates count from the day of evidence that is at most `fresh_days` old; else from today."""

    fresh_days: Annotated[int, Field(ge=0)]


class Words(Value):
    """Word lists, compared folded."""

    empty: frozenset[str]
    generic_names: frozenset[str]
    subject_verbs: frozenset[str]
    subjects: frozenset[str]
    negations: frozenset[str]
    harmless_negations: tuple[str, ...]
    negating_phrases: tuple[str, ...] = ()
    hedges: tuple[str, ...] = ()
    aside: frozenset[str] = frozenset()
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

    @cached_property
    def negating(self) -> frozenset[tuple[str, ...]]:
        """The phrases that deny, as words."""
        return frozenset(words(phrase) for phrase in self.negating_phrases)

    @cached_property
    def negation_starts(self) -> frozenset[str]:
        """The words with which a denial begins."""
        return self.negations | {phrase[0] for phrase in self.negating}

    @cached_property
    def negation_openers(self) -> frozenset[str]:
        """The words with which a denial, or a turn of phrase that is none, begins."""
        return self.negation_starts | {phrase[0] for phrase in self.harmless}

    @cached_property
    def stems_of_field(self) -> dict[ClaimField, frozenset[str]]:
        """The stems of the words that say what kind of fact a statement of a field states."""
        return {field: frozenset(map(stem, listed)) for field, listed in self.of_field.items()}

    @cached_property
    def dull(self) -> frozenset[str]:
        """The words that carry no fact of their own and deny nothing, and denials."""
        return self.empty | self.negations

    @cached_property
    def dull_beside(self) -> frozenset[str]:
        """Those, numbers, and what may stand beside a value."""
        return self.dull | self.number_words | self.aside

    @cached_property
    def hedge_starts(self) -> frozenset[str]:
        """The words with which a hedge begins."""
        return frozenset(words(phrase)[0] for phrase in self.hedges)

    @cached_property
    def hedging(self) -> PhraseIndex:
        """Finds hedges."""
        return PhraseIndex((phrase, "hedge") for phrase in self.hedges)


class OpinionRules(Value):
    """The scores of what a second opinion decides: how sure it is that the claim holds."""

    supported: Share = 0.6
    contradicted: Share = 0.2


class Fit(Value):
    """Points by field, with `extra` ones beyond the usual hundred.

    `steps` and `levels` make a factor of the value. Fields in neither count in full.
    """

    penalty: Share
    points: dict[ClaimField, Points]
    extra: dict[ClaimField, Points] = Field(default_factory=dict)
    steps: dict[ClaimField, tuple[Step, ...]] = Field(default_factory=dict)
    levels: dict[ClaimField, dict[str, Share]] = Field(default_factory=dict)


class HalfLife(Value):
    """Days after which evidence counts half as much, by field."""

    default: Annotated[float, Field(gt=0)]
    of_field: dict[ClaimField, Annotated[float, Field(gt=0)]] = Field(default_factory=dict)


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
    time: Time
    words: Words
    statements: Statements = Field(default_factory=Statements)
    opinion: OpinionRules = OpinionRules()
    trust: dict[Trust, Share]
    half_life: HalfLife
    fit: Fit
    intent: IntentRules

    @field_validator("trust")
    @classmethod
    def _complete(cls, weights: dict[Trust, float]) -> dict[Trust, float]:
        if set(weights) != set(Trust):
            raise ValueError(f"needs a weight for each of {', '.join(Trust)}")
        return weights
