"""The sentence itself: it must say its value, no other of the kind, and little besides."""

from __future__ import annotations

from revenueflow.domain.claim import Claim, ClaimField, ClaimVerdict
from revenueflow.domain.phrases import words
from revenueflow.domain.quantity import Money, Range, scan, years
from revenueflow.domain.text import comparable
from revenueflow.grounding.checks.names import allowed_words, names_in, value_words
from revenueflow.grounding.checks.numbers import implied
from revenueflow.grounding.checks.told import says_told
from revenueflow.grounding.clause import halves
from revenueflow.grounding.context import Context
from revenueflow.grounding.decision import Decision
from revenueflow.grounding.fields import FIELDS, Fact, Field, Products, Relation, Told
from revenueflow.grounding.wording import stem


def says_value(claim: Claim, context: Context) -> Decision | None:
    """A typed statement names its value, no other of the same kind, and little besides."""
    field = FIELDS.get(claim.field)
    claimed = context.claimed(claim) if field else None
    if field is None or claimed is None:
        return None
    if isinstance(field, Told):
        says = says_told(claim, context, field, claimed)
        return None if says else Decision(ClaimVerdict.NOT_CHECKABLE, "statement")
    if _named(claim, context, claimed) and not _others(claim, context, claimed) and not _spare(claim, context):
        return None
    return Decision(ClaimVerdict.NOT_CHECKABLE, "statement")


def _named(claim: Claim, context: Context, claimed: Fact) -> bool:
    if isinstance(claimed, Range) and claim.field is ClaimField.FOUNDED_YEAR:
        said = years(context.sentence(claim).text)
        return said is not None and claimed.within(said)
    if isinstance(claimed, Range | Money):
        return any(implied(found, claimed, context) for found in context.sentence(claim).numbers)
    return names_in(claimed) <= _mentioned(claim, context) or _spelled_out(claim, claimed)


def _spelled_out(claim: Claim, claimed: Fact) -> bool:
    """True if the value stands in the statement as the model wrote it, or in its canonical form."""
    said = f" {' '.join(words(comparable(claim.statement)))} "
    items = claim.value if isinstance(claim.value, list) else [claim.value]
    written = [" ".join(words(item)) for item in items if isinstance(item, str)]
    canonical = [" ".join(words(name)) for name in names_in(claimed)]
    return any(forms and all(f" {form} " in said for form in forms) for forms in (written, canonical))


def _mentioned(claim: Claim, context: Context) -> frozenset[str]:
    found = FIELDS[claim.field].mentioned(context.sentence(claim).text, context.vocabulary)
    return frozenset(name for fact in found for name in names_in(fact))


def _others(claim: Claim, context: Context, claimed: Fact) -> bool:
    """Another value of the kind, which no cited piece gives. Titles may name several levels."""
    if claim.field in (ClaimField.SENIORITY, ClaimField.DEPARTMENT) or isinstance(claimed, Range | Money):
        return False
    field = FIELDS[claim.field]
    extra = _mentioned(claim, context) - names_in(claimed)
    return any(not _given(name, field, claim, context) for name in extra)


def _given(name: str, field: Field, claim: Claim, context: Context) -> bool:
    fact: Fact = frozenset({name}) if isinstance(field, Products) else name
    return any(context.relation(field, fact, cited) is Relation.AGREES for cited in context.cited(claim))


def _spare(claim: Claim, context: Context) -> bool:
    """True if more words are left than may be, or any in a part of the sentence that is not about the value."""
    parts = halves(context.sentence(claim).undated)
    left = [_unknown(words(part), claim, context) for part in parts]
    if claim.field is ClaimField.HEADCOUNT and any(_is_role(word, context) for unknown in left for word in unknown):
        return True
    if sum(map(len, left)) > context.rules.lexical.spare_words:
        return True
    return any(_adds(part, unknown, claim, context) for part, unknown in list(zip(parts, left, strict=True))[1:])


def _adds(half: str, unknown: list[str], claim: Claim, context: Context) -> bool:
    """True if a second half says something of its own: one unknown word may stand beside a value of the kind."""
    about = scan(half) or FIELDS[claim.field].mentioned(half, context.vocabulary)
    return len(unknown) > 1 or bool(unknown and not about)


def _is_role(word: str, context: Context) -> bool:
    """True for a word such as "engineers": a part of the people, not all of them."""
    sayings = context.vocabulary.sayings
    return sayings.opening(sayings.meaning(word)) is not None


def _unknown(tokens: tuple[str, ...], claim: Claim, context: Context) -> list[str]:
    """The words that carry a fact and are not known, by themselves or by their stems."""
    lists = context.rules.words
    dull = lists.dull_beside
    of_field = lists.of_field.get(claim.field, frozenset())
    left = [word for word in dict.fromkeys(tokens) if word.isalpha() and word not in dull and word not in of_field]
    if not left:
        return left
    allowed = allowed_words(claim, context)
    left = [word for word in left if word not in allowed]
    return [word for word in left if not _stands(stem(word), claim, context)] if left else left


def _stands(root: str, claim: Claim, context: Context) -> bool:
    """True if a word of this stem is among those that a statement may hold."""
    if root in context.field_stems(claim.field) or root in context.company_stems:
        return True
    if any(root in context.stems(name) for name in context.carriers(claim)):
        return True
    return any(root == stem(word) for word in value_words(claim, context))
