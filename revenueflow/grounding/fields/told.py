"""Fields of which only texts tell: a clause must speak of the field, hold the value, and not deny it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from typing_extensions import override

from revenueflow.domain.claim import ClaimField
from revenueflow.domain.evidence import Signal
from revenueflow.domain.vocabulary import Vocabulary
from revenueflow.grounding.clause import Clause
from revenueflow.grounding.fields.base import Fact, Field, Item, Relation, State
from revenueflow.grounding.rules import GroundingRules


class Telling(NamedTuple):
    """A text with all that its readers need. `anchor`: its day; `today`: the day of the claim.

    `stated`: it is the statement of a claim of this field, and speaks of it in whatever words.
    """

    clauses: tuple[Clause, ...]
    signal: Signal | None
    vocabulary: Vocabulary
    rules: GroundingRules
    anchor: date
    today: date
    stated: bool = False
    wholes: list[tuple[Clause, ...]] | None = None
    """Kept by readers: the clauses and the whole sentences of several."""


@dataclass(frozen=True, eq=False)
class Told(Field):
    """A field of texts. Its facts are tuples of items; each item must be told by some cited piece."""

    field: ClaimField

    @property
    def noise(self) -> str:
        """The list of words that add nothing in a statement of this field."""
        return self.field

    @override
    def parts(self, fact: Fact) -> tuple[Fact, ...]:
        """Each item by itself."""
        assert isinstance(fact, tuple)
        return tuple((item,) for item in fact)

    @override
    def relate(self, claimed: Fact, found: Fact, rules: GroundingRules) -> Relation:
        """Texts are not compared with each other."""
        return Relation.SILENT

    def tells(self, item: Item, clause: Clause, telling: Telling) -> Relation:
        """What an affirmed clause says of the item."""
        raise NotImplementedError

    def speaks(self, clause: Clause, telling: Telling) -> bool:
        """True if the clause is about this field."""
        return clause.speaks_of(telling.vocabulary.sayings, self.field)

    def relation(self, claimed: Fact, telling: Telling) -> Relation:
        """The first clause that agrees or denies decides; else any that says otherwise."""
        assert isinstance(claimed, tuple)
        found = Relation.SILENT
        for clause in telling.clauses:
            told = self._told(claimed[0], clause, telling)
            if told is Relation.AGREES:
                return told
            found = found if told is Relation.SILENT else told
        return found

    def carrying(self, claimed: Fact, telling: Telling) -> Iterator[Clause]:
        """The clauses that agree with some item."""
        assert isinstance(claimed, tuple)
        for clause in telling.clauses:
            if any(self._told(item, clause, telling) is Relation.AGREES for item in claimed):
                yield clause

    def _told(self, item: Item, clause: Clause, telling: Telling) -> Relation:
        if not telling.stated and not self.speaks(clause, telling):
            return Relation.SILENT
        if item is State.NONE:
            return Relation.AGREES if clause.denied else Relation.DISAGREES
        told = self.tells(item, clause, telling)
        if not clause.denied:
            return told
        return Relation.DISAGREES if told is Relation.AGREES else Relation.SILENT
