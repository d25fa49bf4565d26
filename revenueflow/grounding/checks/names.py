"""The names in a statement."""

from __future__ import annotations

from typing import Final

from rapidfuzz.distance import Levenshtein

from revenueflow.domain.claim import Claim, ClaimVerdict
from revenueflow.domain.phrases import words
from revenueflow.grounding.context import Context
from revenueflow.grounding.decision import Decision
from revenueflow.grounding.fields import FIELDS, Fact, Named
from revenueflow.grounding.fields.base import Place

SHORTEST: Final = 5
NEAR: Final = 0.6


def foreign_names(claim: Claim, context: Context) -> Decision | None:
    """Each name in the statement is the company's, the value's, or stands in the cited text."""
    mentioned, capitals = context.sentence(claim).names, context.sentence(claim).capitals
    if not mentioned and not capitals:
        return None
    allowed = allowed_words(claim, context)
    strange = [name for name in mentioned if not _known(name, allowed)] or _near_misses(claim, context, allowed)
    return Decision(ClaimVerdict.UNSUPPORTED, "names") if strange else None


def _known(name: str, allowed: frozenset[str]) -> bool:
    """True if its words are allowed; a plural may stand for the singular."""
    if name in allowed:
        return True
    named = (word for word in words(name) if word != "s")
    return all(word in allowed or (word.endswith("s") and word[:-1] in allowed) for word in named)


def _near_misses(claim: Claim, context: Context, allowed: frozenset[str]) -> list[str]:
    """Words that are nearly a word of the company's name: another company."""
    capitals = [word for word in context.sentence(claim).capitals if not _known(word, allowed)]
    longer = [word for word in context.company_words if len(word) >= SHORTEST]
    return [
        word
        for word in capitals
        if len(word) >= SHORTEST and any(Levenshtein.normalized_similarity(word, own) >= NEAR for own in longer)
    ]


def allowed_words(claim: Claim, context: Context) -> frozenset[str]:
    """Words that a statement may hold: carrying text, the value with its synonyms, company and provider."""
    if id(claim) not in context.allowed:
        context.allowed[id(claim)] = _allowed(claim, context)
    return context.allowed[id(claim)]


def _allowed(claim: Claim, context: Context) -> frozenset[str]:
    held = set(context.company_words) | context.rules.words.of_field.get(claim.field, frozenset())
    for name in context.carriers(claim):
        held.update(words(context.evidence[name].provider))
        for clause in context.carrying(claim, name):
            held.update(clause.words)
    return frozenset(held | value_words(claim, context))


def value_words(claim: Claim, context: Context) -> set[str]:
    """The words of the claimed value and of its synonyms."""
    field = FIELDS.get(claim.field)
    claimed = context.claimed(claim) if field else None
    if field is None or claimed is None:
        return set()
    kind = field.kind if isinstance(field, Named) else "technology"
    found = set(words(str(claim.value)))
    if isinstance(claimed, tuple):
        places = (item for item in claimed if isinstance(item, Place))
        return found.union(*(context.vocabulary.sayings.names_of_place(item.said) for item in places))
    for name in names_in(claimed):
        found |= context.vocabulary.names_of(kind, name)
    return found


def names_in(fact: Fact) -> frozenset[str]:
    """The canonical names of a fact; none for a number."""
    if isinstance(fact, str):
        return frozenset({fact})
    return fact if isinstance(fact, frozenset) else frozenset()
