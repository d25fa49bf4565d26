"""Evidence of this run that the model did not cite, and that speaks against the claim."""

from __future__ import annotations

from revenueflow.domain.claim import Claim, ClaimField, ClaimVerdict
from revenueflow.domain.evidence import Signal, Trust
from revenueflow.grounding.checks.typed import shown
from revenueflow.grounding.context import Context
from revenueflow.grounding.decision import Decision
from revenueflow.grounding.fields import FIELDS, Fact, Field


def vendor_conflict(claim: Claim, context: Context) -> Decision | None:
    """Another vendor's value that differs by more than vendors do makes the claim ambiguous.

    Trust decides: a vendor or the customer's own records speak against anyone, a form field against nobody.
    """
    field = FIELDS.get(claim.field)
    claimed = context.claimed(claim) if field else None
    if field is None or claimed is None:
        return None
    against = _against(claim, context, field, claimed)
    if not against:
        return None
    agree, _ = context.related(claim)
    found = context.fact(field, against[0])
    shown_found = None if found is None else shown(found)
    return Decision(ClaimVerdict.AMBIGUOUS, "vendor_conflict", shown(claimed), shown_found, agree, against)


def _against(claim: Claim, context: Context, field: Field, claimed: Fact) -> tuple[str, ...]:
    cited = frozenset(context.cited(claim))
    if claim.field is ClaimField.TECHNOLOGY:
        return ()
    signals = _compared(claim, context, field)
    others = (name for name in context.of_signals(field) if name not in cited and _weighs(name, context))
    others = (name for name in others if context.evidence[name].signal in signals)
    facts = ((name, context.fact(field, name)) for name in others)
    return tuple(name for name, fact in facts if fact is not None and field.differs(claimed, fact, context.rules))


def _compared(claim: Claim, context: Context, field: Field) -> frozenset[Signal]:
    """A company has many places: a vendor's city speaks against another vendor's, not against an office in the news."""
    if claim.field is not ClaimField.LOCATION:
        return field.signals
    return field.signals & {context.evidence[name].signal for name in context.cited(claim)}


def _weighs(name: str, context: Context) -> bool:
    return context.evidence[name].trust is not Trust.SELF_REPORTED
