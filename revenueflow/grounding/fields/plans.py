"""What the lead plans: how much it may spend, and when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pydantic import JsonValue
from typing_extensions import override

from revenueflow.domain.evidence import Signal
from revenueflow.domain.phrases import words
from revenueflow.domain.quantity import Money, Quantity, money, scan
from revenueflow.domain.vocabulary import Vocabulary
from revenueflow.grounding.clause import Clause
from revenueflow.grounding.fields.base import Fact, Item, Moment, Relation, State, relate_ranges
from revenueflow.grounding.fields.told import Telling, Told

NOTHING: Final = ("none", "no", "no budget", "false", "not approved", "not available", "kein", "keins", "kein budget")
SOMETHING: Final = ("yes", "true", "exists", "available", "budget", "ja", "vorhanden")
APPROVED: Final = "approved"


@dataclass(frozen=True, eq=False)
class Budget(Told):
    """An amount, in a currency if one was said, or whether there is one and whether it is approved."""

    @override
    def read(self, value: JsonValue, vocabulary: Vocabulary, signal: Signal | None = None) -> Fact | None:
        """The amount and the state."""
        if isinstance(value, bool):
            return (State.EXISTS if value else State.NONE,)
        found = money(value)
        if found:
            return (found,)
        return self._of_text(value, vocabulary) if isinstance(value, str) else None

    def _of_text(self, text: str, vocabulary: Vocabulary) -> Fact | None:
        plain = " ".join(words(text))
        if plain in NOTHING:
            return (State.NONE,)
        named = self._items(text, vocabulary)
        if not named and plain in SOMETHING:
            return (State.EXISTS,)
        return named or None

    def _items(self, text: str, vocabulary: Vocabulary) -> tuple[Item, ...]:
        approved = vocabulary.sayings.speaks_of(APPROVED, text)
        amounts = tuple(_amount(found) for found in scan(text) if _like_money(found))
        return (*amounts, State.APPROVED) if approved else amounts

    @override
    def mentioned(self, text: str, vocabulary: Vocabulary) -> tuple[Fact, ...]:
        """The amounts with a currency or a scale, and whether it is approved."""
        found = self._items(text, vocabulary)
        return (found,) if found else ()

    @override
    def tells(self, item: Item, clause: Clause, telling: Telling) -> Relation:
        """An amount must lie within the claimed one; another one denies it."""
        if item is State.EXISTS:
            return Relation.AGREES
        if item is State.APPROVED:
            said = clause.speaks_of(telling.vocabulary.sayings, APPROVED)
            return Relation.AGREES if said else Relation.SILENT
        assert isinstance(item, Money)
        related = {_relate(item, _amount(found), telling) for found in clause.numbers if _may_be_money(found)}
        if Relation.AGREES in related:
            return Relation.AGREES
        return Relation.DISAGREES if related == {Relation.DISAGREES} else Relation.SILENT


def _relate(claimed: Money, found: Money, telling: Telling) -> Relation:
    if None not in (claimed.currency, found.currency) and claimed.currency != found.currency:
        return Relation.DISAGREES
    tolerance = telling.rules.tolerance
    about = claimed.amount.approximate
    if telling.stated and claimed.amount.within(found.amount, tolerance.money):
        return Relation.AGREES
    share = tolerance.approximate_money if about else tolerance.money
    return relate_ranges(claimed.amount, found.amount, share, tolerance.widest)


def _amount(found: Quantity) -> Money:
    return Money(amount=found.range, currency=found.currency)


def _may_be_money(found: Quantity) -> bool:
    return not found.percent


def _like_money(found: Quantity) -> bool:
    """A currency, or so much that it is no count of seats or months."""
    return not found.percent and (found.currency is not None or found.range.midpoint >= 1000)


@dataclass(frozen=True, eq=False)
class Timeline(Told):
    """When: a date, a quarter, "within three months". Relative ones are counted from the day of the text."""

    @override
    def read(self, value: JsonValue, vocabulary: Vocabulary, signal: Signal | None = None) -> Fact | None:
        """The dates as they are written."""
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        items = [value] if isinstance(value, str) else value if isinstance(value, list) else []
        said = tuple(Moment(said=item) for item in items if isinstance(item, str) and item.strip())
        return said or None

    @override
    def mentioned(self, text: str, vocabulary: Vocabulary) -> tuple[Fact, ...]:
        """A text with its dates: which they are depends on the day."""
        return ((Moment(said=text),),)

    @override
    def speaks(self, clause: Clause, telling: Telling) -> bool:
        """A date of a person's own text is their time; elsewhere it must be about a plan."""
        own = telling.signal in (Signal.MESSAGE, Signal.POSTS)
        return own or clause.speaks_of(telling.vocabulary.sayings, self.field)

    @override
    def tells(self, item: Item, clause: Clause, telling: Telling) -> Relation:
        """Each date of the item holds some date of the clause; or all are on other days."""
        assert isinstance(item, Moment)
        wanted, found = item.dates(telling.today), clause.dates(telling.anchor)
        if not wanted or not found:
            return Relation.SILENT
        if all(any(said.within(period) for said in found) for period in wanted):
            return Relation.AGREES
        apart = all(said.apart(period) for said in found for period in wanted)
        return Relation.DISAGREES if apart else Relation.SILENT
