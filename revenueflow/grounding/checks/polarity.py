"""A statement that denies what its value says."""

from __future__ import annotations

from revenueflow.domain.claim import Claim, ClaimField, ClaimVerdict
from revenueflow.grounding.context import Context
from revenueflow.grounding.decision import Decision
from revenueflow.grounding.fields import FIELDS
from revenueflow.grounding.fields.base import State


def polarity(claim: Claim, context: Context) -> Decision | None:
    """A typed statement that denies its own value says the opposite; that of an absence must deny."""
    if claim.field not in FIELDS:
        return None
    denies = context.sentence(claim).denies
    absence = claim.field is ClaimField.TECHNOLOGY_ABSENT or context.claimed(claim) == (State.NONE,)
    if denies == absence:
        return None
    verdict = ClaimVerdict.CONTRADICTED if denies else ClaimVerdict.UNSUPPORTED
    return Decision(verdict, "polarity", anti_citations=context.cited(claim))
