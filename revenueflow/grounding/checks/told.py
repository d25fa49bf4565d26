"""The sentence of a claim about plans: its words must stand in the very clauses that carry it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from revenueflow.domain.claim import Claim, ClaimField
from revenueflow.domain.phrases import words
from revenueflow.domain.sayings import Sayings
from revenueflow.grounding.clause import Clause
from revenueflow.grounding.context import Context
from revenueflow.grounding.fields import Fact, Relation, Told
from revenueflow.grounding.fields.base import Phrase, Place, State

SEAT: Final = "seat"


def says_told(claim: Claim, context: Context, field: Told, claimed: Fact) -> bool:
    """True if the statement says the value, nothing more of its kind, and little that the carrying clauses don't.

    A use case may be put in other words than its value: value and statement must each be carried.
    """
    stated = context.stated(claim, context.cited(claim))
    says = all(field.relation(part, stated) is Relation.AGREES for part in field.parts(claimed))
    if not says and claim.field is not ClaimField.USE_CASE:
        return False
    text = context.predicate(claim)
    more = [part for fact in field.mentioned(text, context.vocabulary) for part in field.parts(fact)]
    given = claimed == (State.NONE,) or all(_given(part, field, claim, context) for part in more)
    wrong = _moves_seat(claim, context, field, claimed) or _turns_round(claim, context, field, claimed)
    if not given or wrong:
        return False
    return len(_spare(claim, context, field, claimed)) <= context.rules.lexical.spare_words_told.get(claim.field, 0)


def _given(part: Fact, field: Told, claim: Claim, context: Context) -> bool:
    return any(context.relation(field, part, name) is Relation.AGREES for name in context.cited(claim))


def _spare(claim: Claim, context: Context, field: Told, claimed: Fact) -> frozenset[str]:
    """The roots of the statement's words that neither the value, the field nor a carrying clause has."""
    sayings, lists = context.vocabulary.sayings, context.rules.words
    sentence = context.sentence(claim)
    dull = lists.dull
    said = (word for word in sentence.words if word.isalpha() and word not in dull)
    known = {sayings.meaning(word) for word in words(str(claim.value))} | set(
        map(sayings.meaning, context.company_words)
    )
    places = (item for item in claimed if isinstance(item, Place)) if isinstance(claimed, tuple) else ()
    known |= {sayings.meaning(word) for item in places for word in sayings.names_of_place(item.said)}
    for clause in _carrying(claim, context, field, claimed):
        known |= {sayings.meaning(word) for word in clause.words}
    wanted = sayings.roots((word for word in said if word not in lists.number_words), field.noise)
    return frozenset(word for word in wanted - known if sayings.opening(word) is None)


def _carrying(claim: Claim, context: Context, field: Told, claimed: Fact) -> Iterator[Clause]:
    for name in context.cited(claim):
        if context.evidence[name].signal in field.signals:
            yield from context.clauses(name)
        elif context.evidence[name].signal in field.prose:
            yield from context.telling_parts(claim, field, claimed, name)


def _moves_seat(claim: Claim, context: Context, field: Told, claimed: Fact) -> bool:
    """True if it says "headquartered" where the evidence only knows of some office."""
    sayings = context.vocabulary.sayings
    if claim.field is not ClaimField.LOCATION or not sayings.speaks_of(SEAT, claim.statement):
        return False
    if any(context.evidence[name].signal in field.signals for name in context.cited(claim)):
        return False
    items = [item for item in claimed if isinstance(item, Place)] if isinstance(claimed, tuple) else []
    clauses = list(_carrying(claim, context, field, claimed))
    return not all(any(_is_seat(item, clause, sayings) for clause in clauses) for item in items)


def _is_seat(item: Place, clause: Clause, sayings: Sayings) -> bool:
    """True if the clause calls this place the seat: between the two words no other kind of place is named."""
    place, cue = clause.text.casefold().find(item.said.casefold()), sayings.find(SEAT, clause.text)
    if place < 0 or cue < 0:
        return False
    between = clause.text[min(place, cue) + 1 : max(place, cue)]
    return not sayings.speaks_of("elsewhere", between.partition(" ")[2])


def _turns_round(claim: Claim, context: Context, field: Told, claimed: Fact) -> bool:
    """True if the statement goes to a competitor where the evidence goes from it."""
    if claim.field is not ClaimField.COMPETITOR or not isinstance(claimed, tuple):
        return False
    stated = f" {' '.join(words(claim.statement))} "
    names = [f" to {' '.join(words(item.said))} " for item in claimed if isinstance(item, Phrase)]
    clauses = list(_carrying(claim, context, field, claimed))
    return any(name in stated and not any(name in clause.padded for clause in clauses) for name in names)
