"""A free statement taken apart: what can be true or false by itself."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cached_property
from typing import Any, Final, TypeVar, cast

from revenueflow.domain.phrases import words
from revenueflow.domain.quantity import Quantity, scan
from revenueflow.grounding.free.clauses import Clause, clauses
from revenueflow.grounding.free.table import Statements

SENTENCE: Final = re.compile(r"(?<=[.!?])[\"”’)]*\s+(?=[\"“(]?[A-Z0-9ÄÖÜ])|\n+")
T = TypeVar("T")
ABBREVIATION: Final = re.compile(
    r"(?i)\b(?:mr|mrs|ms|dr|st|jr|sr|inc|ltd|co|corp|no|vs|e\.g|i\.e|approx|u\.s|[ap]\.m)\.$"
)


class Part:
    """A sentence of a statement with its readings, each computed once."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._clauses: tuple[Clause, ...] | None = None
        self._readings: dict[Callable[[Part], Any], Any] = {}

    def once(self, read: Callable[[Part], T]) -> T:
        """What `read` makes of the part, computed once."""
        if read not in self._readings:
            self._readings[read] = read(self)
        return cast("T", self._readings[read])

    @cached_property
    def words(self) -> tuple[str, ...]:
        """Its folded words."""
        return words(self.text)

    @cached_property
    def numbers(self) -> tuple[Quantity, ...]:
        """Its numbers in digits."""
        return scan(self.text)

    def clauses(self, lists: Statements) -> tuple[Clause, ...]:
        """Its clauses; all readers of one part use the same lists."""
        if self._clauses is None:
            self._clauses = clauses(self.text, lists)
        return self._clauses


def parts(statement: str) -> tuple[Part, ...]:
    """The sentences of a statement, in order; a full stop of an abbreviation ends none."""
    found: list[str] = []
    for piece in SENTENCE.split(statement):
        if found and ABBREVIATION.search(found[-1]):
            found[-1] = f"{found[-1]} {piece}"
        elif piece.strip():
            found.append(piece.strip())
    return tuple(Part(text) for text in found)
