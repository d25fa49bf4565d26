"""When things happened, by the evidence: the events of a record with their days, and the day that it shows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from functools import cached_property
from typing import Final, NamedTuple

from revenueflow.domain import dates
from revenueflow.domain.dates import Span
from revenueflow.domain.phrases import words
from revenueflow.grounding.free.leaves import Leaf, Leaves
from revenueflow.grounding.free.subject import grouped, subject_words, text_of
from revenueflow.grounding.free.tables import Key, tables

AGE: Final = re.compile(r"\b(aged?)[\s\u00a0:]{1,3}(\d{1,3})(?:\s?[-–]\s?(\d{1,3}))?")
AGO: Final = re.compile(r"(\d{1,4}) years ago")
PRESENT: Final = re.compile(r"\b(?:present|now|current|currently|ongoing|today|incumbent)\b", re.I)
JOINS: Final = re.compile(r"\s{0,9}(?:\([^()]{0,40}\))?\s{0,9}(?:-|–|—|to|until|bis)\s{0,9}", re.I)
UNION: Final = "marriage"
MARRIED: Final = re.compile(r"([^()|]{2,120})\(([^()]{4,80})\)")
ENDED: Final = re.compile(r"\b(?:div|died|wid|sep|death|ann|d)\b")
YEAR_DAYS: Final = 365.25


class Period(NamedTuple):
    """From a day to a day, each known only within a span; `end` is None while it goes on. `name`: whom it was with."""

    start: Span
    end: Span | None
    leaf: Leaf
    name: Key = ()

    @property
    def point(self) -> bool:
        """True if it is one date."""
        return self.start == self.end


class Timeline:
    """The events of the evidence by their names in the tables."""

    def __init__(self, leaves: Leaves) -> None:
        self._leaves = leaves
        self._known = tables()

    @cached_property
    def events(self) -> dict[str, tuple[Period, ...]]:
        """Event to its periods, in the order of the record. Events without a readable date are not in it."""
        found = {
            name: tuple(one for leaf in held for one in (unions(leaf) if name == UNION else periods(leaf)))
            for name, held in self.leaves_of.items()
        }
        return {name: items for name, items in found.items() if items}

    @cached_property
    def leaves_of(self) -> dict[str, list[Leaf]]:
        """Event to the leaves under its keys."""
        return grouped(self._leaves, self._known.event_keys)

    def of(self, event: str) -> tuple[Period, ...]:
        """The periods of an event, or those of the event that stands in for it."""
        known = self._known.events.get(event)
        found = self.events.get(event, ())
        return self.events.get(known.without, ()) if not found and known and known.without else found

    @cached_property
    def own(self) -> frozenset[str]:
        """The words of the subject's names."""
        return subject_words(self._leaves)

    @cached_property
    def today(self) -> Span:
        """The day that the evidence shows: a birth with an age tells it. A single fact is of the day on
        which it was fetched; a record may be older than that, but not than its last date."""
        born = self.born
        age = self.age
        if born and age is not None:
            return Span(dates.later(born.first, age), dates.later(born.last, age + 1))
        told = next((dates.of_year(year + ago) for year, ago in self._agos()), None)
        if told:
            return told
        known = [end for items in self.events.values() for period in items for end in (period.end or period.start)]
        day = self._leaves.as_of
        if day and not any(leaf.key for group in self.leaves_of.values() for leaf in group):
            return Span(day, day)
        return Span(max(known, default=date.min), date.max)

    def _agos(self) -> list[tuple[int, int]]:
        """What "1958; 61 years ago" says."""
        texts = (text_of(leaf) for name in self.leaves_of for leaf in self.leaves_of[name])
        found = [(text, match) for text in texts if (match := AGO.search(text))]
        return [(span.first.year, int(match[1])) for text, match in found for span in dates.days(text)[:1]]

    @cached_property
    def born(self) -> Span | None:
        """The birth, if there is just one."""
        found = {period.start for period in self.events.get("birth", ())}
        return found.pop() if len(found) == 1 else None

    @cached_property
    def died(self) -> Span | None:
        """The death."""
        found = {period.start for period in self.events.get("death", ())}
        return found.pop() if len(found) == 1 else None

    @cached_property
    def age(self) -> int | None:
        """The age of a living one, as the record gives it: "(age 55)"."""
        return next((low for word, low, _ in self._ages("birth") if word == "age"), None)

    @cached_property
    def age_at_death(self) -> tuple[int, int] | None:
        """The age at death, by the record's word or by its dates."""
        given = next(((low, high) for _, low, high in self._ages("death")), None)
        if given or not (self.born and self.died):
            return given
        return years_between(self.born, self.died)

    def _ages(self, event: str) -> list[tuple[str, int, int]]:
        found = [
            match
            for leaf in self.leaves_of.get(event, ())
            if isinstance(leaf.value, str)
            for match in AGE.finditer(text_of(leaf))
        ]
        return [(match[1], int(match[2]), int(match[3] or match[2])) for match in found]


def years_between(first: Span, second: Span) -> tuple[int, int]:
    """The fewest and the most whole years from one to the other."""
    return _whole(first.last, second.first), _whole(first.first, second.last)


def _whole(first: date, second: date) -> int:
    return second.year - first.year - ((second.month, second.day) < (first.month, first.day))


def periods(leaf: Leaf) -> tuple[Period, ...]:
    """The dates and spans of a value: "1997 - 2001 | 2012 - present" is two, the second one open."""
    if isinstance(leaf.value, int) and not isinstance(leaf.value, bool) and 1000 <= leaf.value < 2100:
        whole = dates.of_year(leaf.value)
        return (Period(whole, whole, leaf),)
    if not isinstance(leaf.value, str):
        return ()
    found: list[Period] = []
    last: dates.Dated | None = None
    for dated in dates.scan(text_of(leaf)):
        if dated.yearly:
            continue
        joined = last is not None and JOINS.fullmatch(leaf.value, last.end, dated.start) is not None
        if joined and found:
            found[-1] = Period(found[-1].start, dated.sure, leaf)
        else:
            found = [period for period in found if not (period.point and dated.sure.within(period.start))]
            if not any(_same(period, dated.sure) for period in found):
                found.append(Period(dated.sure, _open_end(leaf.value, dated), leaf))
        last = dated
    return tuple(found)


def unions(leaf: Leaf) -> Iterator[Period]:
    """Marriages with their names: "Ann Lee (m. 1990; div. 1995)". Without an end they go on."""
    for match in MARRIED.finditer(text_of(leaf)):
        found = [dated.sure for dated in dates.scan(match[2]) if not dated.yearly]
        if found:
            end = None if len(found) == 1 else found[-1]
            ended = end is not None or ENDED.search(match[2]) is None
            yield Period(found[0], end if ended else found[0], leaf, words(match[1]))


def _open_end(text: str, dated: dates.Dated) -> Span | None:
    """None if the text goes on with "present" or a dash and nothing; else the date itself."""
    join = JOINS.match(text, dated.end)
    if join is None:
        return dated.sure
    rest = text[join.end() : join.end() + 12].strip()
    return None if not rest or PRESENT.match(rest) or rest[0] in "|,;)" else dated.sure


def _same(period: Period, span: Span) -> bool:
    return period.point and period.start.within(span)


def timeline(leaves: Leaves) -> Timeline:
    """The reading of the leaves, computed once."""
    return leaves.once(Timeline)
