"""The numbers of a statement."""

from __future__ import annotations

from revenueflow.domain.claim import Claim, ClaimField, ClaimVerdict
from revenueflow.domain.quantity import Money, Quantity, Range, scan
from revenueflow.grounding.context import Context
from revenueflow.grounding.decision import Decision
from revenueflow.grounding.fields import FIELDS, Fact
from revenueflow.grounding.wording import number_words


def numbers(claim: Claim, context: Context) -> Decision | None:
    """Each number of the statement, in digits or in words, is the value's or stands in the cited text.

    Jobs are counted, not read: their numbers are part of the comparison.
    """
    if claim.field is ClaimField.HIRING:
        return None
    text, found = context.sentence(claim).undated, context.sentence(claim).numbers
    wrong = next((number for number in found if not _backed(number, claim, context)), None)
    if wrong is not None:
        return Decision(ClaimVerdict.UNSUPPORTED, "numbers", expected=text[wrong.start : wrong.end].strip())
    spelled = number_words(_without(found, text), context.rules.words) if _spells(claim, context) else frozenset()
    held = {word for name in context.carriers(claim) for word in context.words(name)} if spelled else set()
    return None if spelled <= held else Decision(ClaimVerdict.UNSUPPORTED, "numbers")


def _spells(claim: Claim, context: Context) -> bool:
    return not context.rules.words.number_words.isdisjoint(context.sentence(claim).words)


def _without(found: tuple[Quantity, ...], text: str) -> str:
    """The text with its numbers taken out, and with them a "million" that belongs to one."""
    for number in reversed(found):
        text = f"{text[: number.start]} {text[number.end :]}"
    return text


def _backed(number: Quantity, claim: Claim, context: Context) -> bool:
    if any(_same(number, known) for name in context.carriers(claim) for known in context.numbers(name)):
        return True
    claimed = context.claimed(claim) if claim.field in FIELDS else None
    if isinstance(claimed, frozenset):
        return any(_same(number, known) for known in scan(str(claim.value)))
    return any(implied(number, fact, context) for fact in _agreeing(claim, context))


def _agreeing(claim: Claim, context: Context) -> list[Fact]:
    field = FIELDS.get(claim.field)
    if field is None:
        return []
    found = [context.fact(field, name) for name in context.carriers(claim)]
    return [fact for fact in found if fact is not None]


def implied(number: Quantity, fact: Fact, context: Context) -> bool:
    """The number of a sentence about a typed value: the cited value lies within it, in the same unit."""
    if number.percent:
        return False
    tolerance = context.rules.tolerance
    about = number.range.approximate
    if isinstance(fact, Money):
        same = number.currency in (None, fact.currency)
        return same and fact.amount.within(number.range, tolerance.approximate_money if about else tolerance.money)
    if not isinstance(fact, Range) or number.currency:
        return False
    return fact.within(number.range, tolerance.approximate_count if about else 0.0)


def _same(number: Quantity, known: Quantity) -> bool:
    if number.percent != known.percent or (number.currency and known.currency not in (None, number.currency)):
        return False
    return known.range.within(number.range)
