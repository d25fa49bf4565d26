"""What a value of each typed field is, where it may be read, and how two of them compare."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from pydantic import JsonValue
from typing_extensions import override

from revenueflow.domain.claim import ClaimField
from revenueflow.domain.evidence import Signal
from revenueflow.domain.phrases import words
from revenueflow.domain.quantity import YEAR, Money, Range, count_range, money, scan, year
from revenueflow.domain.vocabulary import Kind, Vocabulary
from revenueflow.grounding.rules import GroundingRules

Fact = str | frozenset[str] | Range | Money
CLAUSE: Final = re.compile(r"(?<=[.!?;])\s+|\n+|,\s+(?=but\b|aber\b)", re.IGNORECASE)


class Unlisted(str):
    """A name that the tables don't know: it equals itself, and differs from nothing."""

    __slots__ = ()


class Relation(StrEnum):
    """How a piece of evidence stands to a claimed value. Silent: it does not tell."""

    AGREES = "agrees"
    DISAGREES = "disagrees"
    SILENT = "silent"


class Field:
    """A typed field. `signals` hold its value; `prose` are texts in which it may be mentioned."""

    signals: frozenset[Signal] = frozenset()
    prose: frozenset[Signal] = frozenset({Signal.DESCRIPTION, Signal.MESSAGE})

    def read(self, value: JsonValue, vocabulary: Vocabulary, signal: Signal | None = None) -> Fact | None:
        """A claim's value, or that of evidence with this `signal`. None: unknown, or not of this type."""
        raise NotImplementedError

    def mentioned(self, text: str, vocabulary: Vocabulary) -> tuple[Fact, ...]:
        """All values of this field that a running text gives."""
        raise NotImplementedError

    def relate(self, claimed: Fact, found: Fact, rules: GroundingRules) -> Relation:
        """The cited value against the claimed one: exact, unless the claim says "about"."""
        raise NotImplementedError

    def differs(self, claimed: Fact, found: Fact, rules: GroundingRules) -> bool:
        """True if another vendor's value speaks against the claim, small differences not counted."""
        return self.relate(claimed, found, rules) is Relation.DISAGREES


@dataclass(frozen=True, slots=True, eq=False)
class Named(Field):
    """One of a closed list: industry, country, funding stage, seniority, department."""

    kind: Kind
    signals: frozenset[Signal]

    @override
    def read(self, value: JsonValue, vocabulary: Vocabulary, signal: Signal | None = None) -> Fact | None:
        """The canonical name, or Unlisted with the folded words."""
        if isinstance(value, list) and len(value) == 1:
            value = value[0]
        if not isinstance(value, str) or not words(value):
            return None
        known = self._canonical(value, vocabulary, signal)
        return known or (Unlisted(" ".join(words(value))) if self.kind in ("industry", "country") else None)

    def _canonical(self, text: str, vocabulary: Vocabulary, signal: Signal | None) -> str | None:
        if self.kind == "seniority":
            return vocabulary.seniority(text) if signal is Signal.TITLE else vocabulary.seniority_level(text)
        readers = {
            "industry": vocabulary.industry,
            "country": vocabulary.country,
            "department": vocabulary.department,
            "funding_stage": vocabulary.funding_stage,
        }
        return readers[self.kind](text)

    @override
    def mentioned(self, text: str, vocabulary: Vocabulary) -> tuple[Fact, ...]:
        """Every name of the kind."""
        return vocabulary.mentions(self.kind, text)

    @override
    def relate(self, claimed: Fact, found: Fact, rules: GroundingRules) -> Relation:
        """Equal or different; silent within a group of industries, and about a name that is not listed."""
        assert isinstance(claimed, str) and isinstance(found, str)
        if claimed == found:
            return Relation.AGREES
        groups = rules.related.industries if self.kind == "industry" else ()
        unlisted = isinstance(claimed, Unlisted) or isinstance(found, Unlisted)
        return Relation.SILENT if unlisted or together(claimed, found, groups) else Relation.DISAGREES

    @override
    def differs(self, claimed: Fact, found: Fact, rules: GroundingRules) -> bool:
        """Neighbouring levels, and industries of one group, are no contradiction."""
        groups = rules.related.seniorities if self.kind == "seniority" else ()
        near = together(str(claimed), str(found), groups)
        return not near and self.relate(claimed, found, rules) is Relation.DISAGREES


@dataclass(frozen=True, slots=True, eq=False)
class Products(Field):
    """Technologies: the claimed ones must all be in the list. `absent`: none of them may be."""

    absent: bool = False
    signals: frozenset[Signal] = frozenset({Signal.TECHNOLOGIES})

    @override
    def read(self, value: JsonValue, vocabulary: Vocabulary, signal: Signal | None = None) -> Fact | None:
        """The set of canonical names; None for an empty list, which says nothing."""
        items = value if isinstance(value, list) else [value]
        found = frozenset(vocabulary.technology(item) for item in items if isinstance(item, str))
        return found - {""} or None

    @override
    def mentioned(self, text: str, vocabulary: Vocabulary) -> tuple[Fact, ...]:
        """Each product of the table that the text names."""
        return tuple(frozenset({name}) for name in vocabulary.mentions("technology", text))

    @override
    def relate(self, claimed: Fact, found: Fact, rules: GroundingRules) -> Relation:
        """A list that does not name a product is silent about it, unless its absence was claimed."""
        assert isinstance(claimed, frozenset) and isinstance(found, frozenset)
        if self.absent:
            return Relation.DISAGREES if claimed & found else Relation.AGREES
        return Relation.AGREES if claimed <= found else Relation.SILENT


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
        return tuple(item.range for item in plain if _near(text, item.start, item.end, PEOPLE))

    @override
    def relate(self, claimed: Fact, found: Fact, rules: GroundingRules) -> Relation:
        """The evidence must lie within what is claimed."""
        assert isinstance(claimed, Range) and isinstance(found, Range)
        return relate_ranges(claimed, found, rules.tolerance.approximate_count if claimed.approximate else 0.0)

    @override
    def differs(self, claimed: Fact, found: Fact, rules: GroundingRules) -> bool:
        """Two vendors' counts may differ by the conflict tolerance."""
        assert isinstance(claimed, Range) and isinstance(found, Range)
        return not claimed.overlaps(found, rules.tolerance.conflict_count)


@dataclass(frozen=True, slots=True, eq=False)
class Year(Field):
    """A year, exact."""

    signals: frozenset[Signal] = frozenset({Signal.FOUNDED_YEAR})

    @override
    def read(self, value: JsonValue, vocabulary: Vocabulary, signal: Signal | None = None) -> Fact | None:
        """A range of width zero."""
        found = year(value)
        return Range(low=found, high=found) if found else None

    @override
    def mentioned(self, text: str, vocabulary: Vocabulary) -> tuple[Fact, ...]:
        """Years near a word for founding."""
        places = [(float(match[1]), *match.span()) for match in YEAR.finditer(text)]
        return tuple(Range(low=at, high=at) for at, start, end in places if _near(text, start, end, FOUNDING))

    @override
    def relate(self, claimed: Fact, found: Fact, rules: GroundingRules) -> Relation:
        """Equal or not."""
        return Relation.AGREES if claimed == found else Relation.DISAGREES

    @override
    def differs(self, claimed: Fact, found: Fact, rules: GroundingRules) -> bool:
        """Vendors may be off by a year."""
        assert isinstance(claimed, Range) and isinstance(found, Range)
        return abs(claimed.low - found.low) > rules.tolerance.conflict_years


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
            if _near(text, item.start, item.end, self.about)
        )

    @override
    def relate(self, claimed: Fact, found: Fact, rules: GroundingRules) -> Relation:
        """Another currency is another amount."""
        assert isinstance(claimed, Money) and isinstance(found, Money)
        if claimed.currency != found.currency:
            return Relation.DISAGREES
        about = claimed.amount.approximate
        tolerance = rules.tolerance.approximate_money if about else rules.tolerance.money
        return relate_ranges(claimed.amount, found.amount, tolerance)

    @override
    def differs(self, claimed: Fact, found: Fact, rules: GroundingRules) -> bool:
        """Two vendors' amounts may differ by the conflict tolerance; other currencies are not compared."""
        assert isinstance(claimed, Money) and isinstance(found, Money)
        same = claimed.currency == found.currency
        return same and not claimed.amount.overlaps(found.amount, rules.tolerance.conflict_money)


def relate_ranges(claimed: Range, found: Range, tolerance: float) -> Relation:
    """Within: the evidence implies the claim. Disjoint: it denies it. Else it leaves it open."""
    if found.within(claimed, tolerance):
        return Relation.AGREES
    return Relation.SILENT if found.overlaps(claimed, tolerance) else Relation.DISAGREES


def together(one: str, other: str, groups: Iterable[frozenset[str]]) -> bool:
    """True if some group holds both."""
    return any(one in group and other in group for group in groups)


def clauses(text: str) -> Iterable[str]:
    """The parts of a text that can be denied by themselves."""
    return (part for part in CLAUSE.split(text) if part)


def _near(text: str, start: int, end: int, about: re.Pattern[str]) -> bool:
    """True if such a word stands in the same clause, shortly before or after the number."""
    before, after = re.split(r"[.;!?]\s", text[max(0, start - 40) : start])[-1], text[end : end + 30]
    return bool(about.search(before) or about.search(re.split(r"[.;!?](?:\s|$)", after)[0]))


PEOPLE = re.compile(r"(?i)\b(?:employ\w*|people|staff|headcount|workforce|team members|mitarbeite\w*|ftes?)\b")
FOUNDING = re.compile(r"(?i)\b(?:found(?:ed|ing)|establish\w*|since|started|gegründet|seit)\b")
FUNDING = re.compile(r"(?i)\b(?:rais(?:ed|ing)|funding|funded|round|investment|series|seed)\b")
REVENUE = re.compile(r"(?i)\b(?:revenues?|turnover|arr|annual sales|umsatz)\b")

FIELDS: Final[dict[ClaimField, Field]] = {
    ClaimField.INDUSTRY: Named("industry", frozenset({Signal.INDUSTRY})),
    ClaimField.COUNTRY: Named("country", frozenset({Signal.COUNTRY})),
    ClaimField.FUNDING_STAGE: Named("funding_stage", frozenset({Signal.FUNDING_STAGE})),
    ClaimField.SENIORITY: Named("seniority", frozenset({Signal.SENIORITY, Signal.TITLE})),
    ClaimField.DEPARTMENT: Named("department", frozenset({Signal.DEPARTMENT, Signal.TITLE})),
    ClaimField.TECHNOLOGY: Products(),
    ClaimField.TECHNOLOGY_ABSENT: Products(absent=True),
    ClaimField.HEADCOUNT: Count(),
    ClaimField.FOUNDED_YEAR: Year(),
    ClaimField.FUNDING_AMOUNT: Amount(FUNDING, frozenset({Signal.FUNDING_TOTAL})),
    ClaimField.REVENUE: Amount(REVENUE, frozenset({Signal.REVENUE})),
}
