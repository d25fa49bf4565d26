"""The statement of one claim, taken apart once for all checks."""

from __future__ import annotations

import re
from datetime import date
from typing import Final

from revenueflow.domain.lazy import lazy
from revenueflow.domain.periods import Period, periods
from revenueflow.domain.phrases import fold, words
from revenueflow.domain.quantity import Quantity, scan
from revenueflow.grounding.rules import Words
from revenueflow.grounding.wording import names, negated

CAPITAL: Final = re.compile(r"(?<!\w)[^\W\d_a-z]\w+")


class Sentence:
    """`text` is the statement without the company's own names, which may hold numbers and words of any kind."""

    def __init__(self, text: str, lists: Words, today: date) -> None:
        self.text = text
        self._today = today
        self._lists = lists
        self._dates: dict[date, tuple[Period, ...]] = {}

    @lazy
    def undated(self) -> str:
        """The text with blanks in place of its dates, but for plain years."""
        text = self.text
        for period in self.dates(self._today):
            if not period.year_only:
                text = text[: period.start] + " " * (period.end - period.start) + text[period.end :]
        return text

    def dates(self, day: date) -> tuple[Period, ...]:
        """Its dates; relative ones are counted from `day`."""
        found = self._dates.get(day)
        if found is None:
            known = self._dates.get(self._today)
            # Where dates stand does not depend on the day, nor does what a year means.
            same = known is not None and all(period.year_only for period in known)
            found = self._dates[day] = known if known is not None and same else periods(self.text, day)
        return found

    @lazy
    def words(self) -> tuple[str, ...]:
        """Its folded words, without those of dates."""
        return words(self.undated)

    @lazy
    def numbers(self) -> tuple[Quantity, ...]:
        """Its numbers in digits, without those of dates."""
        return scan(self.undated)

    @lazy
    def names(self) -> tuple[str, ...]:
        """Its words that are written like names, folded."""
        return names(self._unnumbered, self._lists)

    @lazy
    def capitals(self) -> frozenset[str]:
        """Its words with a capital, folded, but for those that any sentence may begin with."""
        found = (fold(match) for match in CAPITAL.findall(self._unnumbered))
        return frozenset(found) - self._lists.empty - self._lists.subjects

    @lazy
    def _unnumbered(self) -> str:
        """The text without dates and numbers, to which currencies belong."""
        text = self.undated
        for number in self.numbers:
            if text[number.end - 1 : number.end + 1].isalnum() and number.end < len(text):
                continue  # "S/4HANA" is a name
            text = text[: number.start] + " " * (number.end - number.start) + text[number.end :]
        return text

    @lazy
    def denies(self) -> bool:
        """True if it denies something."""
        return negated(self.undated, self._lists, self.words)
