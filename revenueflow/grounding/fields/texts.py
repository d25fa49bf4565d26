"""What is said in words of one's own: use cases, launches, competitors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import JsonValue
from typing_extensions import override

from revenueflow.domain.evidence import Signal
from revenueflow.domain.phrases import words
from revenueflow.domain.vocabulary import Vocabulary
from revenueflow.grounding.clause import Clause
from revenueflow.grounding.fields.base import Fact, Item, Phrase, Relation
from revenueflow.grounding.fields.told import Telling, Told

SPARE_EVERY = 5
"""Of so many words one may be missing."""


@dataclass(frozen=True, eq=False)
class Phrased(Told):
    """A phrase whose words must stand in one clause, whatever their endings.

    `exact`: all of them. `whole`: a sentence that denies nothing will do, too. `cued`: by a cue of the field only.
    """

    exact: bool = False
    whole: bool = True
    cued: bool = True

    @override
    def read(self, value: JsonValue, vocabulary: Vocabulary, signal: Signal | None = None) -> Fact | None:
        """A phrase for each text."""
        items = value if isinstance(value, list) else [value]
        texts = [item for item in items if isinstance(item, str)]
        found = tuple(phrase for text in texts if (phrase := self._phrase(text, vocabulary)).roots)
        return found or None

    def _phrase(self, text: str, vocabulary: Vocabulary) -> Phrase:
        return Phrase(text, vocabulary.sayings.roots(words(text), self.noise))

    @override
    def mentioned(self, text: str, vocabulary: Vocabulary) -> tuple[Fact, ...]:
        """The text itself."""
        found = self._phrase(text, vocabulary)
        return ((found,),) if found.roots else ()

    @override
    def carrying(self, claimed: Fact, telling: Telling) -> Iterator[Clause]:
        """Besides the clauses, the whole of a sentence that denies nothing."""
        yield from super().carrying(claimed, telling._replace(clauses=self._windows(telling)))

    @override
    def relation(self, claimed: Fact, telling: Telling) -> Relation:
        """By clause, then by sentence."""
        return super().relation(claimed, telling._replace(clauses=self._windows(telling)))

    def _windows(self, telling: Telling) -> tuple[Clause, ...]:
        if not self.whole or telling.stated:
            return telling.clauses
        if telling.wholes is None:
            return _with_wholes(telling)
        if not telling.wholes:
            telling.wholes.append(_with_wholes(telling))
        return telling.wholes[0]

    @override
    def speaks(self, clause: Clause, telling: Telling) -> bool:
        """By a cue, unless any text of the person will do."""
        return not self.cued or clause.speaks_of(telling.vocabulary.sayings, self.field)

    @override
    def tells(self, item: Item, clause: Clause, telling: Telling) -> Relation:
        """Enough of the words."""
        assert isinstance(item, Phrase)
        missing = item.roots - clause.roots(telling.vocabulary.sayings, self.noise)
        spare = 0 if self.exact else len(item.roots) // SPARE_EVERY
        return Relation.AGREES if len(missing) <= spare and missing < item.roots else Relation.SILENT


def _with_wholes(telling: Telling) -> tuple[Clause, ...]:
    """The clauses, and the whole of each sentence of several that denies nothing."""
    sentences: dict[int, list[Clause]] = {}
    for clause in telling.clauses:
        sentences.setdefault(clause.sentence, []).append(clause)
    several = [parts for parts in sentences.values() if len(parts) > 1 and not any(part.denied for part in parts)]
    lists = telling.rules.words
    return telling.clauses + tuple(
        Clause(" ".join(part.text for part in parts), lists, parts[0].sentence) for parts in several
    )
