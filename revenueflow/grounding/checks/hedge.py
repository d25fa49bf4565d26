"""A statement that says it does not know: nothing is claimed, so nothing can be wrong."""

from __future__ import annotations

from typing import Final

from revenueflow.domain.claim import Claim, ClaimField, ClaimVerdict
from revenueflow.domain.phrases import words
from revenueflow.grounding.context import Context
from revenueflow.grounding.decision import HEDGE, Decision
from revenueflow.grounding.fields import FIELDS

SILENT_VALUES: Final = (None, "", False)


def hedge(claim: Claim, context: Context) -> Decision | None:
    """A typed claim without a value whose statement only says "not specified" is exempt.

    A hedge beside a value, a number or another half of a sentence exempts nothing.
    """
    return _decision(claim, context) if claim.field in FIELDS else None


def free_hedge(claim: Claim, context: Context) -> Decision | None:
    """A free statement that only says "not specified" is exempt, too, where nothing before has decided about it."""
    return _decision(claim, context) if claim.field is ClaimField.OTHER else None


def _decision(claim: Claim, context: Context) -> Decision | None:
    sentence, starts = context.sentence(claim), context.rules.words.hedge_starts
    if starts.isdisjoint(sentence.words) or not _silent(claim, context):
        return None
    hits = context.rules.words.hedging.find(words(sentence.text))
    if not hits or sentence.numbers or sentence.dates(context.today) or _goes_on(sentence.text, context):
        return None
    return Decision(ClaimVerdict.NOT_CHECKABLE, HEDGE)


def _silent(claim: Claim, context: Context) -> bool:
    value = claim.value
    if isinstance(value, str) and value:
        return bool(context.rules.words.hedging.find(words(value)))
    return value in SILENT_VALUES or value == []


def _goes_on(text: str, context: Context) -> bool:
    """True if some clause of it does not hedge."""
    hedging = context.rules.words.hedging
    return any(not hedging.find(clause.words) for clause in context.clauses_of(text))
