"""The word lists of free statements: [statements] in defaults/grounding.toml."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated

from pydantic import Field

from revenueflow.domain.base import Value
from revenueflow.domain.evidence import Signal
from revenueflow.domain.phrases import words
from revenueflow.grounding.stems import stem

Score = Annotated[float, Field(ge=0, le=1)]


def joined(text: str) -> str:
    """The words of a phrase as one, each in the singular: "take out", "Take-Outs" and "takeout" are the same."""
    return "".join(singular(word) for word in words(text))


def singular(word: str) -> str:
    """The word without the s of a plural."""
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")) else word


class Aspect(Value):
    """What people judge: the words by which they name it, and those that praise or blame it without naming it.

    `hinted` are words by which a text of the evidence may speak of it, and that name it in no statement.
    """

    named: frozenset[str] = frozenset()
    hinted: frozenset[str] = frozenset()
    good: frozenset[str] = frozenset()
    bad: frozenset[str] = frozenset()


class Statements(Value):
    """Words are compared folded. `scores` says how likely a part still holds after a finding of that name."""

    scores: dict[str, Score] = Field(default_factory=dict)
    damping: Score = 0.7
    sure: Score = 0.2
    reporting: frozenset[str] = frozenset()
    clause_words: frozenset[str] = frozenset()
    clause_verbs: frozenset[str] = frozenset()
    negations: frozenset[str] = frozenset()
    denying_adjectives: frozenset[str] = frozenset()
    information: frozenset[str] = frozenset()
    listing: tuple[str, ...] = ()
    unstated: frozenset[str] = frozenset()
    yes: frozenset[str] = frozenset()
    no: frozenset[str] = frozenset()
    containers: frozenset[str] = frozenset()
    key_openers: frozenset[str] = frozenset()
    style_groups: frozenset[str] = frozenset()
    styles: frozenset[str] = frozenset()
    events: frozenset[str] = frozenset()
    platforms: frozenset[str] = frozenset()
    people: frozenset[str] = frozenset()
    telling: frozenset[str] = frozenset()
    synonyms: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    good: frozenset[str] = frozenset()
    bad: frozenset[str] = frozenset()
    aspects: dict[str, Aspect] = Field(default_factory=dict)
    keys: dict[Signal, tuple[str, ...]] = Field(default_factory=dict)

    @cached_property
    def names(self) -> Mapping[str, tuple[str, ...]]:
        """The joined synonyms of a joined key."""
        return {joined(key): tuple(map(joined, phrases)) for key, phrases in self.synonyms.items()}

    @cached_property
    def listings(self) -> frozenset[tuple[str, ...]]:
        """The phrases before examples, as words."""
        return frozenset(map(words, self.listing))

    @cached_property
    def explained(self) -> frozenset[str]:
        """Stems that state no fact of their own: the language of reports, and of praise and blame."""
        of_aspects = (aspect.named | aspect.good | aspect.bad for aspect in self.aspects.values())
        return frozenset(map(stem, self.reporting.union(self.good, self.bad, self.denying_adjectives, *of_aspects)))

    @cached_property
    def words_of_keys(self) -> Mapping[str, frozenset[str]]:
        """The words of all keys that mean the same, by each of them, joined."""
        groups = [(frozenset(words(" ".join((signal, *keys)))), (signal, *keys)) for signal, keys in self.keys.items()]
        return {joined(key): said for said, keys in groups for key in keys}

    def score(self, finding: str, default: float) -> float:
        """How likely a part holds after this finding."""
        return self.scores.get(finding, default)
