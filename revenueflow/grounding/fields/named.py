"""Values from lists: names of one kind, and products."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import JsonValue
from typing_extensions import override

from revenueflow.domain.evidence import Signal
from revenueflow.domain.phrases import words
from revenueflow.domain.vocabulary import Kind, Vocabulary
from revenueflow.grounding.fields.base import Fact, Field, Relation, Unlisted, together
from revenueflow.grounding.rules import GroundingRules


@dataclass(frozen=True, slots=True, eq=False)
class Named(Field):
    """One of a closed list: industry, country, funding stage, seniority, department."""

    kind: Kind
    signals: frozenset[Signal]

    @override
    def read(self, value: JsonValue, vocabulary: Vocabulary, signal: Signal | None = None) -> Fact | None:
        """The canonical name, or Unlisted with the folded words."""
        if isinstance(value, list) and len(value) == 1:
            value = value[0]
        if not isinstance(value, str) or not words(value):
            return None
        known = self._canonical(value, vocabulary, signal)
        return known or (Unlisted(" ".join(words(value))) if self.kind in ("industry", "country") else None)

    def _canonical(self, text: str, vocabulary: Vocabulary, signal: Signal | None) -> str | None:
        if self.kind == "seniority":
            return vocabulary.seniority(text) if signal is Signal.TITLE else vocabulary.seniority_level(text)
        readers = {
            "industry": vocabulary.industry,
            "country": vocabulary.country,
            "department": vocabulary.department,
            "funding_stage": vocabulary.funding_stage,
        }
        return readers[self.kind](text)

    @override
    def mentioned(self, text: str, vocabulary: Vocabulary) -> tuple[Fact, ...]:
        """Every name of the kind."""
        return vocabulary.mentions(self.kind, text)

    @override
    def relate(self, claimed: Fact, found: Fact, rules: GroundingRules) -> Relation:
        """Equal or different; silent within a group of industries, and about a name that is not listed."""
        assert isinstance(claimed, str) and isinstance(found, str)
        if claimed == found:
            return Relation.AGREES
        groups = rules.related.industries if self.kind == "industry" else ()
        unlisted = isinstance(claimed, Unlisted) or isinstance(found, Unlisted)
        return Relation.SILENT if unlisted or together(claimed, found, groups) else Relation.DISAGREES

    @override
    def differs(self, claimed: Fact, found: Fact, rules: GroundingRules) -> bool:
        """Neighbouring levels, and industries of one group, are no contradiction."""
        groups = rules.related.seniorities if self.kind == "seniority" else ()
        near = together(str(claimed), str(found), groups)
        return not near and self.relate(claimed, found, rules) is Relation.DISAGREES


@dataclass(frozen=True, slots=True, eq=False)
class Products(Field):
    """Technologies: the claimed ones must all be in the list. `absent`: none of them may be."""

    absent: bool = False
    signals: frozenset[Signal] = frozenset({Signal.TECHNOLOGIES})

    @override
    def read(self, value: JsonValue, vocabulary: Vocabulary, signal: Signal | None = None) -> Fact | None:
        """The set of canonical names; None for an empty list, which says nothing."""
        items = value if isinstance(value, list) else [value]
        found = frozenset(vocabulary.technology(item) for item in items if isinstance(item, str))
        return found - {""} or None

    @override
    def mentioned(self, text: str, vocabulary: Vocabulary) -> tuple[Fact, ...]:
        """Each product of the table that the text names."""
        return tuple(frozenset({name}) for name in vocabulary.mentions("technology", text))

    @override
    def relate(self, claimed: Fact, found: Fact, rules: GroundingRules) -> Relation:
        """A list that does not name a product is silent about it, unless its absence was claimed."""
        assert isinstance(claimed, frozenset) and isinstance(found, frozenset)
        if self.absent:
            return Relation.DISAGREES if claimed & found else Relation.AGREES
        return Relation.AGREES if claimed <= found else Relation.SILENT

    @override
    def parts(self, fact: Fact) -> tuple[Fact, ...]:
        """Each product by itself."""
        assert isinstance(fact, frozenset)
        return tuple(frozenset({name}) for name in sorted(fact))
