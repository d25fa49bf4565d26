"""Dates as people write them, absolute and relative; English and German. A period is two ordinals, both included."""

from __future__ import annotations

import re
from datetime import date
from typing import NamedTuple

from revenueflow.domain.date_patterns import Reader, plausible, whole_year
from revenueflow.domain.date_words import EARLY, MIDDLE


class Period(NamedTuple):
    """Days from `low` to `high` (proleptic ordinals), and where the text says so.

    `until`: it said "by" or "until": any earlier day would do. `vague`: a word such as "recently".
    `year_only`: nothing but a year in digits.
    """

    low: int
    high: int
    start: int
    end: int
    until: bool = False
    vague: bool = False
    year_only: bool = False

    def within(self, other: Period) -> bool:
        """True if each day of this one lies in the other, which may be "by" a day. Two deadlines must be the same."""
        if self.until and other.until:
            return self.high == other.high
        return self.high <= other.high and (other.until or other.low <= self.low)

    def apart(self, other: Period) -> bool:
        """True if no day lies in both."""
        return self.high < other.low or other.high < self.low


def periods(text: str, anchor: date) -> tuple[Period, ...]:
    """All dates of a text in order; relative ones are counted from `anchor`. Linear in the text."""
    taken: list[Period] = []
    for pattern, read in plausible(text):
        for match in pattern.finditer(text):
            if all(match.end() <= one.start or one.end <= match.start() for one in taken):
                found = _read(match, anchor, read)
                taken += [found] if found else []
    return tuple(sorted(taken, key=lambda period: period.start))


def _read(match: re.Match[str], anchor: date, read: Reader) -> Period | None:
    try:
        span = read(match, anchor)
    except (ValueError, OverflowError):
        return None
    if span is None:
        return None
    named = match.groupdict()
    low, high = _part(named.get("part"), span[0].toordinal(), span[1].toordinal())
    return Period(
        low,
        high,
        match.start(),
        match.end(),
        until=bool(named.get("until")),
        vague=bool(named.get("lately")),
        year_only=read is whole_year and not named.get("part"),
    )


def _part(part: str | None, low: int, high: int) -> tuple[int, int]:
    """Early, middle and late are thirds."""
    third = (high - low + 1) // 3
    if not part or not third:
        return low, high
    word = part.lower()
    if word in EARLY:
        return low, low + third
    return (low + third, high - third) if word in MIDDLE else (high - third, high)
