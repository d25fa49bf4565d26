"""A typed value in a running text: what its clauses say, and what they deny."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from revenueflow.domain.vocabulary import Vocabulary
from revenueflow.grounding.clause import Clause
from revenueflow.grounding.fields import Fact, Field, Products, Relation
from revenueflow.grounding.rules import GroundingRules


class Prose(NamedTuple):
    """The values that a text says and denies, and the words in which it does."""

    said: tuple[Fact, ...]
    denied: tuple[Fact, ...]
    said_words: str
    denied_words: str

    @classmethod
    def read(cls, field: Field, clauses: Iterable[Clause], vocabulary: Vocabulary) -> Prose:
        """Clause by clause."""
        parts: dict[bool, list[Clause]] = {True: [], False: []}
        for clause in clauses:
            parts[clause.denied].append(clause)
        said, denied = (
            tuple(fact for clause in parts[no] for fact in field.mentioned(clause.text, vocabulary))
            for no in (False, True)
        )
        return cls(said, denied, _padded(parts[False]), _padded(parts[True]))


def relation_of_prose(field: Field, claimed: Fact, prose: Prose, rules: GroundingRules) -> Relation:
    """A text that says the value agrees, one that denies it disagrees; naming another is no denial."""
    if isinstance(field, Products):
        return _of_products(field, claimed, prose)
    if any(field.relate(claimed, fact, rules) is Relation.AGREES for fact in prose.said):
        return Relation.AGREES
    if any(field.relate(claimed, fact, rules) is Relation.AGREES for fact in prose.denied):
        return Relation.DISAGREES
    numbers = [fact for fact in prose.said if not isinstance(fact, str)]
    disagree = [field.relate(claimed, fact, rules) is Relation.DISAGREES for fact in numbers]
    return Relation.DISAGREES if disagree and all(disagree) else Relation.SILENT


def _of_products(field: Products, claimed: Fact, prose: Prose) -> Relation:
    assert isinstance(claimed, frozenset)
    said = _all_named(claimed, prose.said, prose.said_words)
    denied = _all_named(claimed, prose.denied, prose.denied_words)
    if said == denied:
        return Relation.SILENT
    return Relation.AGREES if said is not field.absent else Relation.DISAGREES


def _all_named(claimed: frozenset[str], facts: tuple[Fact, ...], text: str) -> bool:
    named = frozenset(name for fact in facts if isinstance(fact, frozenset) for name in fact)
    return all(name in named or f" {name} " in text for name in claimed)


def _padded(parts: list[Clause]) -> str:
    return f" {' '.join(word for part in parts for word in (*part.words, '|'))} "
