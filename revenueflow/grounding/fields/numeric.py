"""Values that are numbers: headcount, founding year, amounts of money."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pydantic import JsonValue
from typing_extensions import override

from revenueflow.domain.evidence import Signal
from revenueflow.domain.quantity import YEAR, Money, Range, count_range, money, scan, years
from revenueflow.domain.vocabulary import Vocabulary
from revenueflow.grounding.fields.base import Fact, Field, Relation, near, relate_ranges
from revenueflow.grounding.rules import GroundingRules

PEOPLE = re.compile(r"(?i)\b(?:employ\w*|people|persons?|staff|headcount|workforce|team members|mitarbeite\w*|ftes?)\b")
FOUNDING = re.compile(r"(?i)\b(?:found(?:ed|ing)|establish\w*|since|started|gegründet|seit)\b")
FUNDING = re.compile(r"(?i)\b(?:rais(?:ed|ing)|funding|funded|round|investment|series|seed)\b")
REVENUE = re.compile(r"(?i)\b(?:revenues?|turnover|arr|annual sales|umsatz)\b")


@dataclass(frozen=True, slots=True, eq=False)
class Count(Field):
    """Headcount: a number or a range."""

    signals: frozenset[Signal] = frozenset({Signal.HEADCOUNT})

    @override
    def read(self, value: JsonValue, vocabulary: Vocabulary, signal: Signal | None = None) -> Fact | None:
        """The range."""
        return count_range(value)

    @override
    def mentioned(self, text: str, vocabulary: Vocabulary) -> tuple[Fact, ...]:
        """Plain numbers that a word for employees follows or precedes."""
        plain = (item for item in scan(text) if not item.percent and not item.currency)
        return tuple(item.range for item in plain if near(text, item.start, item.end, PEOPLE))

    @override
    def relate(self, claimed: Fact, found: Fact, rules: GroundingRules) -> Relation:
        """The evidence must lie within what is claimed."""
        assert isinstance(claimed, Range) and isinstance(found, Range)
        tolerance = rules.tolerance.approximate_count if claimed.approximate else 0.0
        return relate_ranges(claimed, found, tolerance, rules.tolerance.widest)

    @override
    def differs(self, claimed: Fact, found: Fact, rules: GroundingRules) -> bool:
        """Two vendors' counts may differ by the conflict tolerance."""
        assert isinstance(claimed, Range) and isinstance(found, Range)
        return not claimed.overlaps(found, rules.tolerance.conflict_count)


@dataclass(frozen=True, slots=True, eq=False)
class Year(Field):
    """A year, or a span of years ("between 2010 and 2014", "before 2015", "the 1990s")."""

    signals: frozenset[Signal] = frozenset({Signal.FOUNDED_YEAR})

    @override
    def read(self, value: JsonValue, vocabulary: Vocabulary, signal: Signal | None = None) -> Fact | None:
        """A range, of width zero for a single year."""
        return years(value)

    @override
    def mentioned(self, text: str, vocabulary: Vocabulary) -> tuple[Fact, ...]:
        """Years near a word for founding."""
        places = [(float(match[1]), *match.span()) for match in YEAR.finditer(text)]
        return tuple(Range(low=at, high=at) for at, start, end in places if near(text, start, end, FOUNDING))

    @override
    def relate(self, claimed: Fact, found: Fact, rules: GroundingRules) -> Relation:
        """The evidence must lie within what is claimed."""
        assert isinstance(claimed, Range) and isinstance(found, Range)
        return relate_ranges(claimed, found, 0.0)

    @override
    def differs(self, claimed: Fact, found: Fact, rules: GroundingRules) -> bool:
        """Vendors may be off by a year."""
        assert isinstance(claimed, Range) and isinstance(found, Range)
        return not claimed.overlaps(found, 0.0) and _gap(claimed, found) > rules.tolerance.conflict_years


@dataclass(frozen=True, slots=True, eq=False)
class Amount(Field):
    """Funding and revenue: an amount or a range, in a currency. Where none is said it is US dollars."""

    about: re.Pattern[str]
    signals: frozenset[Signal]

    @override
    def read(self, value: JsonValue, vocabulary: Vocabulary, signal: Signal | None = None) -> Fact | None:
        """The amount."""
        found = money(value)
        return found and found.model_copy(update={"currency": found.currency or "USD"})

    @override
    def mentioned(self, text: str, vocabulary: Vocabulary) -> tuple[Fact, ...]:
        """Amounts with a currency near a word for this kind of money."""
        named = ((item, item.currency) for item in scan(text) if item.currency)
        return tuple(
            Money(amount=item.range, currency=currency)
            for item, currency in named
            if near(text, item.start, item.end, self.about)
        )

    @override
    def relate(self, claimed: Fact, found: Fact, rules: GroundingRules) -> Relation:
        """Another currency is another amount."""
        assert isinstance(claimed, Money) and isinstance(found, Money)
        if claimed.currency != found.currency:
            return Relation.DISAGREES
        about = claimed.amount.approximate
        tolerance = rules.tolerance.approximate_money if about else rules.tolerance.money
        return relate_ranges(claimed.amount, found.amount, tolerance, rules.tolerance.widest)

    @override
    def differs(self, claimed: Fact, found: Fact, rules: GroundingRules) -> bool:
        """Two vendors' amounts may differ by the conflict tolerance; other currencies are not compared."""
        assert isinstance(claimed, Money) and isinstance(found, Money)
        same = claimed.currency == found.currency
        return same and not claimed.amount.overlaps(found.amount, rules.tolerance.conflict_money)


def _gap(one: Range, other: Range) -> float:
    """The years between two spans that don't touch."""
    ends = [span.low if span.high is None else span.high for span in (one, other)]
    return max(one.low, other.low) - min(ends)
