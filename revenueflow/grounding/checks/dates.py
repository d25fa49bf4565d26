"""The dates in a statement, and plans whose time is over."""

from __future__ import annotations

from datetime import date

from revenueflow.domain.claim import Claim, ClaimField, ClaimVerdict
from revenueflow.domain.periods import Period, periods
from revenueflow.grounding.context import Context
from revenueflow.grounding.decision import Decision


def dates(claim: Claim, context: Context) -> Decision | None:
    """Each date of the statement holds a date of the cited text, both counted from their own day.

    Plain years are left to the numbers; "recently" only fails against a date that is given.
    """
    for name in context.cited(claim):
        day = context.day_for(_day(name, context))
        wanted = [period for period in context.sentence(claim).dates(day) if not period.year_only]
        if not wanted:
            return None
        if _backed(wanted, claim, context):
            return None
    return Decision(ClaimVerdict.UNSUPPORTED, "dates")


def stale_date(claim: Claim, context: Context) -> Decision | None:
    """A plan for a time that is over is no plan any more."""
    if claim.field is not ClaimField.TIMELINE:
        return None
    text = claim.value if isinstance(claim.value, str) else claim.statement
    days = [context.day_for(_day(name, context)) for name in context.cited(claim)]
    ends = [period.high for day in days for period in periods(text, day)]
    if not ends or max(ends) + context.rules.time.fresh_days >= context.today.toordinal():
        return None
    return Decision(ClaimVerdict.UNSUPPORTED, "stale_date", anti_citations=context.cited(claim))


def _backed(wanted: list[Period], claim: Claim, context: Context) -> bool:
    found = [period for name in context.cited(claim) for period in _dates_of(name, context)]
    return all(any(known.within(period) for known in found) or (period.vague and not found) for period in wanted)


def _dates_of(name: str, context: Context) -> list[Period]:
    day = _day(name, context)
    return [period for clause in context.clauses(name) for period in clause.dates(day)]


def _day(name: str, context: Context) -> date:
    return context.evidence[name].fetched_at.date()
