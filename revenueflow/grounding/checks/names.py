"""The names in a statement."""

from __future__ import annotations

from revenueflow.domain.claim import Claim, ClaimVerdict
from revenueflow.domain.phrases import words
from revenueflow.grounding.context import Context
from revenueflow.grounding.decision import Decision
from revenueflow.grounding.fields import FIELDS, Fact, Named


def foreign_names(claim: Claim, context: Context) -> Decision | None:
    """Each name in the statement is the company's, the value's, or stands in the cited text."""
    mentioned = context.sentence(claim).names
    if not mentioned:
        return None
    allowed = allowed_words(claim, context)
    strange = [name for name in mentioned if not frozenset(words(name)) <= allowed]
    return Decision(ClaimVerdict.UNSUPPORTED, "names") if strange else None


def allowed_words(claim: Claim, context: Context) -> frozenset[str]:
    """Words that a statement may hold: cited text, the value with its synonyms, company and provider."""
    held = set(context.company_words)
    for name in context.cited(claim):
        held.update(context.words(name), words(context.evidence[name].provider))
    return frozenset(held | _value_words(claim, context))


def _value_words(claim: Claim, context: Context) -> set[str]:
    field = FIELDS.get(claim.field)
    claimed = context.claimed(claim) if field else None
    if field is None or claimed is None:
        return set()
    kind = field.kind if isinstance(field, Named) else "technology"
    found = set(words(str(claim.value)))
    for name in names_in(claimed):
        found |= context.vocabulary.names_of(kind, name)
    return found


def names_in(fact: Fact) -> frozenset[str]:
    """The canonical names of a fact; none for a number."""
    if isinstance(fact, str):
        return frozenset({fact})
    return fact if isinstance(fact, frozenset) else frozenset()
