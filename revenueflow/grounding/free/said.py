"""A part of a statement as the checks read it: tokens with places, dates, amounts, and what it speaks of."""

from __future__ import annotations

from bisect import bisect_right
from functools import cached_property
from typing import Final, NamedTuple

from revenueflow.domain.dates import Dated, scan
from revenueflow.domain.phrases import WORD, Hit, fold
from revenueflow.grounding.free.amounts import Amount, amounts, in_digits
from revenueflow.grounding.free.parts import Part
from revenueflow.grounding.free.tables import tables

YEAR_LEADS: Final = frozenset(
    [
        "in",
        "since",
        "before",
        "after",
        "of",
        "by",
        "until",
        "till",
        "through",
        "from",
        "to",
        "and",
        "between",
        "the",
        "during",
        "year",
        "around",
        "late",
        "early",
        "mid",
        "on",
        "circa",
    ]
)


OWNERS: Final = frozenset({"his", "her", "their", "my", "your"})
"""After one of these, "20s" is an age."""


TITLE: Final = 4


class Token(NamedTuple):
    """A word, folded, as it was written, and where."""

    word: str
    written: str
    start: int
    end: int


class Mention(NamedTuple):
    """A phrase that names an event: in which role (says, ends, lasts), and which tokens it covers."""

    event: str
    role: str
    start: int
    end: int


class Said:
    """Numbers stand in digits here: places are those of `text`, not of the part."""

    def __init__(self, part: Part) -> None:
        self.text = in_digits(part.text, tables().numbers)
        self.tokens = tuple(Token(fold(m[0]), m[0], m.start(), m.end()) for m in WORD.finditer(self.text))
        self.words = tuple(token.word for token in self.tokens)
        self._spaced = f" {' '.join(self.words)} "
        self._ends = [token.end for token in self.tokens]

    @cached_property
    def dates(self) -> tuple[Dated, ...]:
        """The dates; a bare number counts as a year only after a word that may lead to one."""
        return tuple(found for found in scan(self.text) if self._meant(found))

    @cached_property
    def amounts(self) -> tuple[Amount, ...]:
        """The amounts that are no part of a date."""
        dated = [(found.start, found.end) for found in self.dates]
        found = amounts(self.text)
        return tuple(one for one in found if not any(one.start < end and start < one.end for start, end in dated))

    @cached_property
    def mentions(self) -> tuple[Mention, ...]:
        """The events that it names, in order."""
        return tuple(_mention(hit) for hit in tables().event_phrases.find(self.words))

    @cached_property
    def denies(self) -> bool:
        """True if some word of it denies."""
        return not tables().words.denials.isdisjoint(self.words)

    @cached_property
    def doubts(self) -> bool:
        """True if some word of it leaves open whether it is so."""
        return not tables().words.doubts.isdisjoint(self.words)

    @cached_property
    def of_others(self) -> bool:
        """True if it may speak of a relative."""
        return not tables().words.others.isdisjoint(self.words)

    def place(self, char: int) -> int:
        """The number of tokens that end at or before a place in the text."""
        return bisect_right(self._ends, char)

    def has(self, *phrases: str) -> bool:
        """True if one of these folded phrases stands in it."""
        return any(f" {phrase} " in self._spaced for phrase in phrases)

    def _meant(self, found: Dated) -> bool:
        written = self.text[found.start : found.end]
        place = self.place(found.start)
        if not written.isdigit():
            return OWNERS.isdisjoint(self.words[max(0, place - 1) : place + 1])
        lead = self.words[place - 1] if place else ""
        return (lead in YEAR_LEADS and not self._counted(found.end)) or (lead in ("a", "an") and self.titled(place + 1))

    def titled(self, place: int) -> bool:
        """True if something that is released follows: "a 2016 war movie"."""
        return not tables().words.released.isdisjoint(self.words[place : place + TITLE])

    def _counted(self, end: int) -> bool:
        following = self.text[end : end + 12].lstrip().casefold()
        return following.startswith(("people", "miles", "feet", "pounds", "theaters", "employees", "meters", "dollars"))


def _mention(hit: Hit) -> Mention:
    event, _, role = hit.canonical.partition(".")
    return Mention(event, role, hit.start, hit.start + hit.length)


def said(part: Part) -> Said:
    """The reading of a part, computed once."""
    return part.once(Said)
