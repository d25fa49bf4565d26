"""The parts of a text that can be said and denied by themselves."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from typing import Final

from revenueflow.domain.lazy import lazy
from revenueflow.domain.periods import Period, periods
from revenueflow.domain.phrases import words
from revenueflow.domain.quantity import Quantity, scan
from revenueflow.domain.sayings import Sayings, head
from revenueflow.grounding.rules import Words
from revenueflow.grounding.wording import negated

TURNS: Final = (
    "but|aber|not|nicht|sondern|while|whereas|although|though|however|yet|jedoch|instead of|rather than|statt|anstatt"
)
ABBREVIATED: Final = "".join(
    rf"(?<!\b{short}\.)"
    for short in ("St", "Inc", "Corp", "Co", "Ltd", "Dr", "Mr", "Mrs", "Ms", "Nr", "ca", "approx", "Mio", "Mrd")
)
SENTENCE: Final = re.compile(rf"(?<=[.!?]){ABBREVIATED}\s+|\n+")
CLAUSE: Final = re.compile(
    rf"(?<=[.!?;]){ABBREVIATED}\s+|\n+|,\s+(?=(?:and\s+)?(?:{TURNS})\b)"
    r"|\s+(?=(?:but|aber|sondern|instead of|rather than)\b)",
    re.IGNORECASE,
)

STOPS: Final = frozenset(".!?\n")
MARKS: Final = frozenset(".!?;,\n")
TURNING: Final = re.compile("(?i)but|aber|sondern|instead|rather")
"""A text without any of these is one clause."""
HALF: Final = re.compile(
    r"\s*;\s*|,?\s+(?=(?:which|who|making|while|und\s+(?:ist|hat|war)|and\s+(?:\w+ly\s+)?(?:is|are|was|has|have|had|will|plans?|grows?"
    r"|wants?|needs?|uses?|runs?|employs?|raised|operates?|serves?|sells?|offers?|looks?|seeks?|counts?|makes?))\b)",
    re.IGNORECASE,
)

HALVING: Final = re.compile("(?i);|who|which|making|while|und|and")
"""A statement without any of these has one half."""


class Clause:
    """One of them, with its readings, each computed once."""

    def __init__(self, text: str, lists: Words, sentence: int = 0) -> None:
        self.text = text
        self.sentence = sentence
        self._roots: dict[str, frozenset[str]] = {}
        self._spoken: dict[str, bool] = {}
        self._dates: dict[date, tuple[Period, ...]] = {}
        self._lists = lists

    @lazy
    def denied(self) -> bool:
        """True if it denies what it speaks of."""
        return negated(self.text, self._lists, self.words)

    @lazy
    def words(self) -> tuple[str, ...]:
        """Its folded words."""
        return words(self.text)

    @lazy
    def padded(self) -> str:
        """Its words with a space around each, to look for phrases in."""
        return f" {' '.join(self.words)} "

    def roots(self, sayings: Sayings, noise: str) -> frozenset[str]:
        """The roots of its words but for this noise."""
        if noise not in self._roots:
            self._roots[noise] = sayings.roots(self.words, noise)
        return self._roots[noise]

    def speaks_of(self, sayings: Sayings, cue: str) -> bool:
        """True if it has a cue of this name."""
        if cue not in self._spoken:
            heads = sayings.cue_heads.get(cue, self._heads)
            self._spoken[cue] = not self._heads.isdisjoint(heads) and sayings.speaks_of(cue, self.text)
        return self._spoken[cue]

    @lazy
    def _heads(self) -> frozenset[str]:
        return frozenset(map(head, self.words))

    def dates(self, day: date) -> tuple[Period, ...]:
        """Its dates; relative ones are counted from `day`."""
        if day not in self._dates:
            self._dates[day] = periods(self.text, day)
        return self._dates[day]

    @lazy
    def numbers(self) -> tuple[Quantity, ...]:
        """Its numbers in digits."""
        return scan(self.text)


def sentences(text: str) -> list[str]:
    """The sentences of a text, each item of a list at least one."""
    return SENTENCE.split(text) if STOPS.intersection(text) else [text]


def clauses(text: str) -> Iterable[str]:
    """The parts of a text, in order."""
    if not (MARKS.intersection(text) or TURNING.search(text)):
        return (text,) if text else ()
    return (part for part in CLAUSE.split(text) if part)


def halves(statement: str) -> list[str]:
    """A statement at the places where a second half of its own may begin ("… and is …", ", which …")."""
    if not HALVING.search(statement):
        return [statement] if statement.strip() else []
    return [part for part in HALF.split(statement) if part.strip()]
