"""Bands of headcount: a short fixed list, so that vendors' numbers and ranges can be compared and grouped."""

from __future__ import annotations

import math
from bisect import bisect_right

from pydantic import JsonValue

from revenueflow.domain.quantity import Range, count_range

FLOORS = (1, 11, 51, 201, 501, 1001, 5001, 10_001)
BANDS = ("1-10", "11-50", "51-200", "201-500", "501-1000", "1001-5000", "5001-10000", "10001+")


MOST_PEOPLE = 10**9
"""No company has so many."""


def people(value: JsonValue) -> Range | None:
    """How many people a company has: a count of at least one and of fewer than MOST_PEOPLE. None for anything else.

    Written with a fraction it is none: "10,5" and "1,2,3" are slips of the pen, and nobody knows of which number.
    """
    found = count_range(value)
    if found is None or not 1 <= int(found.midpoint) < MOST_PEOPLE:
        return None
    whole = found.low.is_integer() and (found.high is None or found.high.is_integer())
    return found if whole or not isinstance(value, str) else None


def band(value: JsonValue) -> str | None:
    """The band of a number of employees (240, "240"), or of a range as text ("51-250", "10k+").

    A range belongs where its geometric middle is, an open one ("over 500") above its end. None for what is no
    count, and for none at all.
    """
    found = count_range(value)
    return band_of(found) if found else None


def band_of(count: Range) -> str | None:
    """The band of a count that is already understood; None if it is zero or less."""
    size = _size(count)
    return BANDS[bisect_right(FLOORS, size) - 1] if size >= 1 else None


def bounds(name: str) -> Range:
    """The numbers of a band, both ends included. Raises ValueError for what is no band."""
    place = BANDS.index(name)
    return Range(low=FLOORS[place], high=FLOORS[place + 1] - 1 if place + 1 < len(FLOORS) else None)


def _size(count: Range) -> float:
    if count.high is None:
        return count.low + 1
    if count.exact or count.high < 1:
        return math.floor(count.low)
    return round(math.sqrt(max(count.low, 1.0) * count.high))
