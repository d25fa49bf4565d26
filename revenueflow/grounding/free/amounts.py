"""Amounts that a statement names, in digits or words, with their bounds and units."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from revenueflow.domain.phrases import fold
from revenueflow.domain.quantity import CEILINGS, FLOORS, Quantity, scan

WORD: Final = re.compile(r"[^\W\d_]+")
UNIT: Final = re.compile(r"\W{0,3}([^\W\d_]+)")
LARGER: Final = re.compile(
    r"\b(?:longer|older|bigger|greater|larger|higher|taller|heavier|wider|farther|later) than\b(?=\s+[\d$€£])", re.I
)
SMALLER: Final = re.compile(r"\b(?:shorter|younger|smaller|lower|lighter|lesser|narrower) than\b(?=\s+[\d$€£])", re.I)
ARTICLE: Final = re.compile(
    r"\b(over|under|about|almost|nearly|around|than|least|most|exactly|just|only|roughly) an? (?=\d)", re.I
)
ABOUT: Final = re.compile(r"\b(?:close to|just about|an estimated|near)(?=\s+[\d$€£])", re.I)
YEARS: Final = (
    (re.compile(r"\bhalf (?:of )?a century\b", re.I), "50 years"),
    (re.compile(r"\bquarter (?:of a )?century\b", re.I), "25 years"),
    (re.compile(r"\b(?:a|1) decade\b", re.I), "10 years"),
    (re.compile(r"\ba (?:full |whole )?century\b", re.I), "100 years"),
    (re.compile(r"\bhalf (?:of )?a decade\b", re.I), "5 years"),
    (re.compile(r"\bhalf an hour\b", re.I), "30 minutes"),
    (re.compile(r"\b(?:1 hour|an hour|an?-hour)\b", re.I), "1 hour"),
    (re.compile(r"\b(?:a )?half (?:a |of a )?(?:dozen|12)\b", re.I), "6"),
    (re.compile(r"\bhalf a million\b", re.I), "0.5 million"),
    (re.compile(r"\bhalf a billion\b", re.I), "0.5 billion"),
    (re.compile(r"\ba (million|billion|hundred|thousand)\b", re.I), r"1 \1"),
)
REWRITTEN: Final = re.compile(
    r"half|quarter|decade|centur|hour|million|billion|an? \d|than|close to|just about|estimated|near", re.I
)
"""What has none of these is in one form already."""

DECADES: Final = re.compile(r"\b(\d{1,3})(?: full)? (decades|centuries)\b", re.I)
STRICT: Final = frozenset(
    {"over", "more than", "above", "exceeding", "exceeds", "greater than", "über", "mehr als", ">"}
)
STRICT_BELOW: Final = frozenset({"under", "less than", "fewer than", "below", "unter", "weniger als", "<"})
ALMOST: Final = frozenset({"almost", "nearly"})
SMALLEST: Final = 1e-6


class Amount(NamedTuple):
    """`low` to `high`. A strict end is not itself meant. `unit` is the folded word that follows."""

    low: float
    high: float
    strict_low: bool
    strict_high: bool
    approximate: bool
    bound: str
    currency: str | None
    percent: bool
    unit: str
    start: int
    end: int

    @property
    def plain(self) -> bool:
        """True for a single number without a bound."""
        return self.low == self.high and not self.approximate

    def holds(self, low: float, high: float, slack: float = 0.0) -> bool | None:
        """True if a value between `low` and `high` surely is such an amount, False if it surely is not.

        `slack` (a share) is what a number without bound may be off and still count as said.
        """
        if self.low == self.high:
            return self._near(low, high, slack)
        inside = low >= self.low + SMALLEST * self.strict_low and high <= self.high - SMALLEST * self.strict_high
        if inside:
            return True
        below = high < self.low or (self.strict_low and high <= self.low)
        above = low > self.high or (self.strict_high and low >= self.high)
        return False if below or above else None

    def _near(self, low: float, high: float, slack: float) -> bool | None:
        sure, wide = (0.1, 0.25) if self.approximate else (slack, slack)
        number = self.low
        if self.bound in ALMOST and low > number * 1.02:
            return False
        if number * (1 - sure) <= low and high <= number * (1 + sure):
            return True
        return False if high < number * (1 - wide) or low > number * (1 + wide) else None


def amounts(text: str) -> tuple[Amount, ...]:
    """The amounts of a text whose numbers are in digits (see `in_digits`)."""
    return tuple(_amount(text, found) for found in scan(text))


def in_digits(text: str, numbers: Mapping[str, int]) -> str:
    """The text with number words, decades and the ways to say "more than" in one form. Linear in the text."""
    plain = "".join(_digits(text, numbers)) if any(fold(word) in numbers for word in WORD.findall(text)) else text
    if REWRITTEN.search(plain) is None:
        return plain
    for pattern, form in YEARS:
        plain = pattern.sub(form, plain)
    plain = DECADES.sub(lambda found: f"{int(found[1]) * (10 if found[2][0] in 'dD' else 100)} years", plain)
    plain = ARTICLE.sub(r"\1 ", plain)
    return ABOUT.sub("about", SMALLER.sub("less than", LARGER.sub("more than", plain)))


def _digits(text: str, numbers: Mapping[str, int]) -> Iterator[str]:
    """Neighbours like "twenty-five" and "two hundred" become one number; "one of" and "no one" are none."""
    place, run, run_end = 0, 0, -1
    for match in WORD.finditer(text):
        number = numbers.get(fold(match[0]))
        if number is None or _no_number(text, match):
            continue
        between = text[run_end : match.start()] if run_end >= 0 else "x"
        if between in (" ", "-") and (number >= 100 > run or (run % 10 == 0 and number < 10 <= run)):
            run = run * number if number >= 100 else run + number
        else:
            if run_end >= 0:
                yield str(run)
            yield text[max(place, run_end) : match.start()] if run_end >= 0 else text[place : match.start()]
            run = number
        run_end = place = match.end()
    if run_end >= 0:
        yield str(run)
    yield text[place:]


def _no_number(text: str, match: re.Match[str]) -> bool:
    after = text[match.end() : match.end() + 4].casefold()
    before = text[max(0, match.start() - 3) : match.start()].casefold()
    return match[0].casefold() == "one" and (after.startswith((" of", "'s", " an")) or before == "no ")


def _amount(text: str, found: Quantity) -> Amount:
    lead = text[found.start : found.end].casefold().lstrip()
    bound = next((word for word in BOUNDS if lead.startswith(word)), "")
    unit = UNIT.match(text, found.end)
    high = math.inf if found.range.high is None else found.range.high
    return Amount(
        found.range.low, high, bound in STRICT, bound in STRICT_BELOW, found.range.approximate, bound,
        found.currency, found.percent, fold(unit[1]) if unit else "", found.start, found.end,
    )  # fmt: skip


BOUNDS: Final = tuple(sorted((*FLOORS, *CEILINGS, *ALMOST), key=len, reverse=True))
