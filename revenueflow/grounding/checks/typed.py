"""The typed comparison: the claimed value against the cited ones, by the rules of its field."""

from __future__ import annotations

from pydantic import JsonValue

from revenueflow.domain.claim import Claim, ClaimField, ClaimVerdict
from revenueflow.domain.evidence import Signal
from revenueflow.domain.quantity import Money, Range
from revenueflow.grounding.context import Context
from revenueflow.grounding.decision import Decision
from revenueflow.grounding.fields import FIELDS, Fact, Field
from revenueflow.grounding.fields.base import Item, Moment, Opening, Phrase, Place

CHECK = "typed_comparison"


def typed_comparison(claim: Claim, context: Context) -> Decision | None:
    """Passes on what agrees and what has no type; decides the rest.

    Null, and evidence about something else, is silent: what only silent evidence is cited for is unsupported.
    """
    field = FIELDS.get(claim.field)
    if field is None:
        return None
    claimed = context.claimed(claim)
    if claimed is None:
        return Decision(ClaimVerdict.NOT_CHECKABLE, CHECK)
    agree, disagree = context.related(claim)
    if agree and not disagree:
        return _weak_absence(claim, context, agree)
    verdict = ClaimVerdict.UNSUPPORTED
    if disagree:
        verdict = ClaimVerdict.AMBIGUOUS if agree else ClaimVerdict.CONTRADICTED
    found = _found(context, field, agree + disagree or context.cited(claim))
    return Decision(verdict, CHECK, shown(claimed), found, agree, disagree)


def typed_support(claim: Claim, context: Context) -> Decision | None:
    """Everything else has been looked at: a typed claim that comes here is supported."""
    field = FIELDS.get(claim.field)
    claimed = context.claimed(claim) if field else None
    if field is None or claimed is None:
        return None
    agree, _ = context.related(claim)
    score = 0.7 if all(context.self_reported(name) for name in agree) else 1.0
    if claim.field is ClaimField.TECHNOLOGY_ABSENT:
        score = 0.6
    found = _found(context, field, agree)
    return Decision(ClaimVerdict.SUPPORTED, CHECK, shown(claimed), found, agree, score=score)


def _weak_absence(claim: Claim, context: Context, agree: tuple[str, ...]) -> Decision | None:
    """A list that the person typed is not complete: only a vendor's list, or a denial, carries an absence."""
    if claim.field is not ClaimField.TECHNOLOGY_ABSENT:
        return None
    lists = [name for name in agree if context.evidence[name].signal is Signal.TECHNOLOGIES]
    if not any(context.self_reported(name) for name in lists):
        return None
    return Decision(ClaimVerdict.NOT_CHECKABLE, CHECK, citations=agree)


def _found(context: Context, field: Field, names: tuple[str, ...]) -> JsonValue:
    values = (context.fact(field, name) for name in names)
    return next((shown(value) for value in values if value is not None), None)


def shown(fact: Fact) -> JsonValue:
    """A fact as JSON: text, sorted list, number, or "low-high"."""
    if isinstance(fact, Money):
        amount = shown(fact.amount)
        return f"{amount} {fact.currency}" if fact.currency else amount
    if isinstance(fact, Range):
        return _range(fact)
    if isinstance(fact, tuple):
        return ", ".join(str(_item(item)) for item in fact)
    return str(fact) if isinstance(fact, str) else list[JsonValue](sorted(fact))


def _item(item: Item) -> JsonValue:
    if isinstance(item, Place | Opening | Phrase | Moment):
        return item.said
    return shown(item) if isinstance(item, Money) else str(item)


def _range(fact: Range) -> JsonValue:
    low, high = (end and int(end) if end is None or end == int(end) else end for end in (fact.low, fact.high))
    if fact.low == fact.high:
        return low
    return f"{low or 0}+" if high is None else f"{low or 0}-{high}"
