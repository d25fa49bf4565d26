"""Opening hours of records: {"Monday": "9:0-17:30", "Sunday": "closed"}."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from revenueflow.domain.phrases import fold, words
from revenueflow.grounding.free.leaves import Leaf, Leaves

DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
WHOLE_DAY: Final = 24 * 60
CLOCK: Final = re.compile(r"(\d{1,2})(?:[:.h](\d{1,2}))?\s*(?:(a|p)\.?m\.?)?", re.IGNORECASE)
SPAN: Final = re.compile(rf"^\s*{CLOCK.pattern}\s*(?:-|–|—|to|until)\s*{CLOCK.pattern}\s*$", re.IGNORECASE)


class Span(NamedTuple):
    """Minutes of the day, from opening to closing; closing after midnight is above 24 h."""

    opens: int
    closes: int


class Week(NamedTuple):
    """Each day's hours, None for a closed one. A day that the record leaves out is closed if it lists others."""

    spans: Mapping[int, Span | None]
    leaves: tuple[Leaf, ...]

    @property
    def open_days(self) -> frozenset[int]:
        """The days with hours, Monday is 0."""
        return frozenset(day for day, span in self.spans.items() if span is not None)


def week(leaves: Leaves) -> Week | None:
    """The hours of the record; None if it gives none, or those of several things."""
    listed: dict[int, Leaf] = {}
    for leaf in leaves.all:
        day = day_of(leaf.key)
        if day is None or not isinstance(leaf.value, str):
            continue
        if day in listed:
            return None
        listed[day] = leaf
    found = {day: span_of(str(leaf.value)) for day, leaf in listed.items()}
    if not any(span is not None or _says_closed(listed[day]) for day, span in found.items()):
        return None
    whole = all(span == Span(0, 0) for span in found.values())
    spans = {day: Span(0, WHOLE_DAY) if whole and day in found else _or_closed(found.get(day)) for day in range(7)}
    return Week(spans, tuple(listed.values()))


def day_of(text: str) -> int | None:
    """0 for "Monday", "mon" or "Mondays"; None for anything else."""
    said = words(text)
    word = said[0].rstrip("s") if len(said) == 1 else ""
    return next((place for place, day in enumerate(DAYS) if len(word) > 2 and day.startswith(word)), None)


def span_of(text: str) -> Span | None:
    """Hours such as "8:0-20:30" or "11 am - 2 am"."""
    match = SPAN.match(text)
    if match is None:
        return None
    opens, closes = minutes(*match.groups()[:3]), minutes(*match.groups()[3:])
    if opens is None or closes is None:
        return None
    return Span(opens, closes + WHOLE_DAY if closes <= opens and (opens, closes) != (0, 0) else closes)


def minutes(hour: str, minute: str | None, half: str | None) -> int | None:
    """Minutes since midnight; `half` is a or p."""
    hours, rest = int(hour), int(minute or 0)
    if hours > 24 or rest > 59:
        return None
    if half and hours <= 12:
        hours = hours % 12 + (12 if half.lower() == "p" else 0)
    return (hours % 24) * 60 + rest


def _says_closed(leaf: Leaf) -> bool:
    return fold(str(leaf.value)).strip() == "closed"


def _or_closed(span: Span | None) -> Span | None:
    """From midnight to midnight is how records write a closed day, where other days have hours."""
    return None if span == Span(0, 0) else span
