"""The parts of a text that can be said and denied by themselves."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cached_property
from typing import Final

from revenueflow.domain.phrases import words
from revenueflow.domain.quantity import Quantity, scan
from revenueflow.grounding.rules import Words
from revenueflow.grounding.wording import negated

TURNS: Final = (
    "but|aber|not|nicht|sondern|while|whereas|although|though|however|yet|jedoch|instead of|rather than|statt|anstatt"
)
CLAUSE: Final = re.compile(
    rf"(?<=[.!?;])\s+|\n+|,\s+(?=(?:and\s+)?(?:{TURNS})\b)|\s+(?=(?:but|aber|sondern|instead of|rather than)\b)", re.IGNORECASE
)


class Clause:
    """One of them, with its readings, each computed once."""

    def __init__(self, text: str, lists: Words) -> None:
        self.text = text
        self._lists = lists

    @cached_property
    def denied(self) -> bool:
        """True if it denies what it speaks of."""
        return negated(self.text, self._lists)

    @cached_property
    def words(self) -> tuple[str, ...]:
        """Its folded words."""
        return words(self.text)

    @cached_property
    def padded(self) -> str:
        """Its words with a space around each, to look for phrases in."""
        return f" {' '.join(self.words)} "

    @cached_property
    def numbers(self) -> tuple[Quantity, ...]:
        """Its numbers in digits."""
        return scan(self.text)


def clauses(text: str) -> Iterable[str]:
    """The parts of a text, in order."""
    return (part for part in CLAUSE.split(text) if part)
