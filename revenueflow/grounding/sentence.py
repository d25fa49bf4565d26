"""The statement of one claim, taken apart once for all checks."""

from __future__ import annotations

from functools import cached_property

from revenueflow.domain.phrases import words
from revenueflow.domain.quantity import Quantity, scan
from revenueflow.grounding.rules import Words
from revenueflow.grounding.wording import names, negated


class Sentence:
    """`text` is the statement without the company's own names, which may hold numbers and words of any kind."""

    def __init__(self, text: str, lists: Words) -> None:
        self.text = text
        self._lists = lists

    @cached_property
    def words(self) -> tuple[str, ...]:
        """Its folded words."""
        return words(self.text)

    @cached_property
    def numbers(self) -> tuple[Quantity, ...]:
        """Its numbers in digits."""
        return scan(self.text)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Its words that are written like names, folded."""
        return names(self.text, self._lists)

    @cached_property
    def denies(self) -> bool:
        """True if it denies something."""
        return negated(self.text, self._lists)
