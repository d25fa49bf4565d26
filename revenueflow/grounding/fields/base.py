"""What all fields share: facts, relations, and the two ways of reading them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from pydantic import JsonValue, PrivateAttr

from revenueflow.domain.base import Value
from revenueflow.domain.evidence import Signal
from revenueflow.domain.periods import Period, periods
from revenueflow.domain.quantity import Money, Range
from revenueflow.domain.vocabulary import Vocabulary
from revenueflow.grounding.rules import GroundingRules


class Place(NamedTuple):
    """A place as it is said, and what it can be: "country:DE", "region:US-CA", "city:munich"."""

    said: str
    readings: frozenset[str]


class Opening(NamedTuple):
    """Jobs on offer: the roots of the words of a role (none: any role), and `many` of them, if that was said."""

    said: str
    roots: frozenset[str]
    many: Range | None = None


class Phrase(NamedTuple):
    """What someone plans or has brought out, by the roots of its words."""

    said: str
    roots: frozenset[str]


class State(StrEnum):
    """What can be said of a plan as a whole. None: there is no such thing."""

    EXISTS = "exists"
    APPROVED = "approved"
    NONE = "none"


class Moment(Value):
    """A date as it was written: what it means depends on when."""

    said: str
    _dates: dict[date, tuple[Period, ...]] = PrivateAttr(default_factory=dict)

    def dates(self, day: date) -> tuple[Period, ...]:
        """Its dates; relative ones are counted from `day`."""
        if day not in self._dates:
            self._dates[day] = periods(self.said, day)
        return self._dates[day]


class Unlisted(str):
    """A name that the tables don't know: it equals itself, and differs from nothing."""

    __slots__ = ()


Item = Place | Opening | Phrase | State | Money | Moment
Fact = str | frozenset[str] | Range | Money | tuple[Item, ...]


class Relation(StrEnum):
    """How a piece of evidence stands to a claimed value. Silent: it does not tell."""

    AGREES = "agrees"
    DISAGREES = "disagrees"
    SILENT = "silent"


class Field:
    """A typed field. `signals` hold its value; `prose` are texts in which it may be mentioned."""

    signals: frozenset[Signal] = frozenset()
    prose: frozenset[Signal] = frozenset({Signal.DESCRIPTION, Signal.MESSAGE, Signal.NEWS, Signal.POSTS})

    def read(self, value: JsonValue, vocabulary: Vocabulary, signal: Signal | None = None) -> Fact | None:
        """A claim's value, or that of evidence with this `signal`. None: unknown, or not of this type."""
        raise NotImplementedError

    def mentioned(self, text: str, vocabulary: Vocabulary) -> tuple[Fact, ...]:
        """All values of this field that a running text gives."""
        raise NotImplementedError

    def parts(self, fact: Fact) -> tuple[Fact, ...]:
        """What must be carried, each by some cited piece."""
        return (fact,)

    def of_statement(self, fact: Fact, text: str, vocabulary: Vocabulary) -> Fact:  # noqa: ARG002
        """The claimed fact, where the statement is needed to understand the value."""
        return fact

    def relate(self, claimed: Fact, found: Fact, rules: GroundingRules) -> Relation:
        """The cited value against the claimed one: exact, unless the claim says "about"."""
        raise NotImplementedError

    def differs(self, claimed: Fact, found: Fact, rules: GroundingRules) -> bool:
        """True if another vendor's value speaks against the claim, small differences not counted."""
        return self.relate(claimed, found, rules) is Relation.DISAGREES


def relate_ranges(claimed: Range, found: Range, tolerance: float, widest: float = math.inf) -> Relation:
    """Within: the evidence implies the claim. Disjoint: it denies it. Else it leaves it open.

    A claim more than `widest` times wider than the evidence says so little that it is left open, too.
    """
    if found.within(claimed, tolerance):
        return Relation.SILENT if _vague(claimed, found, widest) else Relation.AGREES
    return Relation.SILENT if found.overlaps(claimed, tolerance) else Relation.DISAGREES


def _vague(claimed: Range, found: Range, widest: float) -> bool:
    top = found.low if found.high is None else found.high
    too_high = claimed.high is not None and claimed.high > widest * top > 0
    return too_high or 0 < widest * claimed.low < found.low


def together(one: str, other: str, groups: Iterable[frozenset[str]]) -> bool:
    """True if some group holds both."""
    return any(one in group and other in group for group in groups)


def near(text: str, start: int, end: int, about: re.Pattern[str]) -> bool:
    """True if such a word stands in the same clause, shortly before or after the number."""
    before, after = re.split(r"[.;!?]\s", text[max(0, start - 40) : start])[-1], text[end : end + 30]
    return bool(about.search(before) or about.search(re.split(r"[.;!?](?:\s|$)", after)[0]))
