"""Claims without a type: one cited piece must hold the statement's words. Abstains rather than guesses."""

from __future__ import annotations

from pydantic import JsonValue

from revenueflow.domain.claim import Claim, ClaimField, ClaimVerdict
from revenueflow.domain.phrases import words
from revenueflow.grounding.clause import halves
from revenueflow.grounding.context import Context
from revenueflow.grounding.decision import Decision
from revenueflow.grounding.fields import clauses
from revenueflow.grounding.wording import content, negated, stem


def buying_signal(claim: Claim, context: Context) -> Decision | None:
    """Signals that the statement names are signals that a cited text names, and it denies neither."""
    if claim.field is not ClaimField.BUYING_SIGNAL:
        return None
    named = frozenset(context.vocabulary.mentions("buying_signal", claim.statement))
    if not named:
        return None
    listed = list[JsonValue](sorted(named))
    carrying = tuple(name for name in context.cited(claim) if named <= _signals(name, context))
    if not carrying:
        return Decision(ClaimVerdict.UNSUPPORTED, "buying_signal", expected=listed)
    if context.sentence(claim).denies or _spare(claim, context, carrying):
        return Decision(ClaimVerdict.NOT_CHECKABLE, "buying_signal", citations=carrying)
    return Decision(ClaimVerdict.SUPPORTED, "buying_signal", listed, listed, carrying, score=0.8)


def lexical(claim: Claim, context: Context) -> Decision:
    """The last check always decides. One cited piece must hold nearly all content words, with its denials."""
    shares = {name: _share(claim, context, name) for name in context.cited(claim)}
    best = max(shares, key=lambda name: shares[name])
    share, limits = shares[best], context.rules.lexical
    if share < limits.unsupported:
        return Decision(ClaimVerdict.UNSUPPORTED, "lexical", score=share / 2)
    if share < limits.supported:
        return Decision(ClaimVerdict.NOT_CHECKABLE, "lexical", score=share / 2)
    if _flipped(claim, context, best):
        return Decision(ClaimVerdict.CONTRADICTED, "lexical", anti_citations=(best,))
    carrying = tuple(name for name in shares if shares[name] >= limits.supported)
    return Decision(ClaimVerdict.SUPPORTED, "lexical", citations=carrying, score=0.9 * share)


def _signals(name: str, context: Context) -> frozenset[str]:
    """The signals of the clauses that deny nothing."""
    lists = context.rules.words
    said = (clause for clause in clauses(context.text(name)) if not negated(clause, lists))
    return frozenset(kind for part in said for kind in context.vocabulary.mentions("buying_signal", part))


def _spare(claim: Claim, context: Context, carrying: tuple[str, ...]) -> bool:
    lists = context.rules.words
    known = {word for name in carrying for word in context.stems(name)}
    known |= {stem(word) for word in lists.of_field.get(claim.field, frozenset())} | context.company_words
    for kind in context.vocabulary.mentions("buying_signal", claim.statement):
        known |= {stem(word) for word in context.vocabulary.names_of("buying_signal", kind)}
    if len(content(context.sentence(claim).words, lists) - known) > context.rules.lexical.spare_words:
        return True
    tails = (half for half in halves(claim.statement) if not context.vocabulary.mentions("buying_signal", half))
    return any(content(words(tail), lists) - known - lists.aside for tail in tails)


def _share(claim: Claim, context: Context, name: str) -> float:
    wanted = content(context.sentence(claim).words, context.rules.words)
    return len(wanted & context.stems(name)) / len(wanted) if wanted else 0.0


def _flipped(claim: Claim, context: Context, name: str) -> bool:
    """True if the statement denies what the closest clause says, or the other way round."""
    lists = context.rules.words
    wanted = content(context.sentence(claim).words, lists)
    parts = list(clauses(context.text(name))) or [""]
    closest = max(parts, key=lambda part: len(wanted & content(words(part), lists)))
    return context.sentence(claim).denies != negated(closest, lists)
