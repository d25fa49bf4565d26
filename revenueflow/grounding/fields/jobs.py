"""Hiring: which roles, and how many, by the list of job postings or by what a text says."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from pydantic import JsonValue
from typing_extensions import override

from revenueflow.domain.evidence import Signal
from revenueflow.domain.phrases import words
from revenueflow.domain.quantity import Range, count_range, scan
from revenueflow.domain.vocabulary import Vocabulary
from revenueflow.grounding.clause import Clause
from revenueflow.grounding.fields.base import Fact, Item, Opening, Relation, State
from revenueflow.grounding.fields.told import Telling, Told

ITEMS: Final = re.compile(r"\s*(?:,|;|/|\band\b|\bund\b|\bor\b|\bas well as\b|\bplus\b)\s*", re.IGNORECASE)
ONE_OF: Final = re.compile(r"\bone of\b", re.IGNORECASE)
YES: Final = ("yes", "true", "ja")
NO: Final = ("no", "false", "none", "nein")
NUMBERS: Final = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
SPELLED: Final = {word: float(place) for place, word in enumerate(NUMBERS, start=1)}


@dataclass(frozen=True, eq=False)
class Hiring(Told):
    """Roles with or without a number. A list of postings is counted; what it does not list it does not deny."""

    prose: frozenset[Signal] = Told.prose | {Signal.JOB_POSTINGS}

    @override
    def read(self, value: JsonValue, vocabulary: Vocabulary, signal: Signal | None = None) -> Fact | None:
        """Roles of a text or list, a number of jobs, or yes and no."""
        if isinstance(value, bool):
            return (Opening("", frozenset()) if value else State.NONE,)
        if isinstance(value, list):
            found = [item for text in value if isinstance(text, str) for item in _openings(text, vocabulary)]
            return tuple(found) or None
        count = count_range(value)
        if not isinstance(value, str):
            return (Opening(str(value), frozenset(), count),) if count else None
        plain = " ".join(words(value))
        if plain in (*YES, *NO):
            return (Opening("", frozenset()) if plain in YES else State.NONE,)
        return _openings(value, vocabulary) or None

    @override
    def mentioned(self, text: str, vocabulary: Vocabulary) -> tuple[Fact, ...]:
        """All roles of a statement, with their numbers."""
        found = _openings(text, vocabulary)
        return (found,) if found else ()

    @override
    def of_statement(self, fact: Fact, text: str, vocabulary: Vocabulary) -> Fact:
        """A bare number counts the roles to which the statement gives that number."""
        item = fact[0] if isinstance(fact, tuple) else None
        if not isinstance(item, Opening) or item.roots or item.many is None:
            return fact
        named = (one for one in _openings(text, vocabulary) if one.roots and one.many == item.many)
        found = next(named, None)
        return (found,) if found else fact

    @override
    def relation(self, claimed: Fact, telling: Telling) -> Relation:
        """A list of postings is counted."""
        assert isinstance(claimed, tuple)
        item = claimed[0]
        if telling.signal is not Signal.JOB_POSTINGS or not isinstance(item, Opening):
            return super().relation(claimed, telling)
        count = sum(1 for _ in self.carrying(claimed, telling))
        if not count:
            return Relation.SILENT
        fits = item.many is None or Range(low=count, high=count).within(item.many)
        return Relation.AGREES if fits else Relation.DISAGREES

    @override
    def speaks(self, clause: Clause, telling: Telling) -> bool:
        """Each line of a list of postings is about a job."""
        return telling.signal is Signal.JOB_POSTINGS or clause.speaks_of(telling.vocabulary.sayings, "hiring")

    @override
    def tells(self, item: Item, clause: Clause, telling: Telling) -> Relation:
        """All words of the role stand there, or the title belongs to the department that it names as a whole."""
        assert isinstance(item, Opening)
        held = clause.roots(telling.vocabulary.sayings, self.noise)
        if not (item.roots <= held or _of_department(item, clause, telling.vocabulary)):
            return Relation.SILENT
        if item.many is None or telling.signal is Signal.JOB_POSTINGS:
            return Relation.AGREES
        counts = _counts(clause)
        if any(count.within(item.many) for count in counts):
            return Relation.AGREES
        return Relation.DISAGREES if counts else Relation.SILENT


def _openings(text: str, vocabulary: Vocabulary) -> tuple[Opening, ...]:
    """The roles of a text, which "and" and commas set apart; without any, a bare number of jobs."""
    found = [_opening(part, vocabulary) for part in ITEMS.split(text) if part.strip()]
    return tuple(item for item in found if item.roots or item.many)


def _opening(text: str, vocabulary: Vocabulary) -> Opening:
    quantity = next((item for item in scan(text) if not item.percent and not item.currency), None)
    rest = text if quantity is None else f"{text[: quantity.start]} {text[quantity.end :]}"
    tokens = words(ONE_OF.sub(" ", rest))
    spelled = next((SPELLED[word] for word in tokens if word in SPELLED), None)
    counted = Range(low=spelled, high=spelled) if spelled else None
    kept = (word for word in tokens if word not in SPELLED)
    roots = vocabulary.sayings.roots(kept, "hiring")
    return Opening(text.strip(), roots, quantity.range if quantity else counted)


def _of_department(item: Opening, clause: Clause, vocabulary: Vocabulary) -> bool:
    named = {vocabulary.sayings.opening(word) for word in item.roots}
    department = vocabulary.department(clause.text) if named and None not in named else None
    return named == {department} and department is not None


def _counts(clause: Clause) -> list[Range]:
    digits = [found.range for found in clause.numbers if not found.percent and not found.currency]
    return digits + [Range(low=SPELLED[word], high=SPELLED[word]) for word in clause.words if word in SPELLED]
