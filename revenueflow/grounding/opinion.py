"""What a model says of claims that no check could decide: counted only as far as its quotes carry it.

It never touches a claim that a check, or a person, has decided; and what it supports is told and earns no points.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from revenueflow.domain.claim import Citation, ClaimVerdict, JudgedClaim, Span, Verdict
from revenueflow.domain.evidence import Evidence
from revenueflow.domain.opinion import Opinion, Relation, Source
from revenueflow.domain.phrases import words
from revenueflow.domain.vocabulary import Vocabulary
from revenueflow.grounding.checks.quotes import place
from revenueflow.grounding.clause import SENTENCE, Clause
from revenueflow.grounding.context import Context
from revenueflow.grounding.decision import SECOND_OPINION
from revenueflow.grounding.rules import GroundingRules
from revenueflow.grounding.wording import content

UNDECIDED: Final = "lexical"
"""The check that abstains: what others leave open, they leave open for a reason."""


def undecided(judged: Iterable[JudgedClaim]) -> tuple[JudgedClaim, ...]:
    """The claims about which an opinion may say something."""
    return tuple(one for one in judged if _is_open(one.verdict))


def hear(
    judged: Sequence[JudgedClaim],
    opinions: Iterable[Opinion],
    source: Source,
    evidence: Mapping[str, Evidence],
    vocabulary: Vocabulary,
    rules: GroundingRules,
    now: datetime,
) -> tuple[JudgedClaim, ...]:
    """The claims with what opinions change. Pure; `now` and the others as in `judge`.

    An opinion counts if it is the only one on an undecided claim, quotes evidence that this claim cites, the quote
    stands there verbatim, and its sentences speak of what the statement does and deny as much (or, to contradict, may
    deny something else).
    """
    context = Context(evidence, vocabulary, rules, now)
    given = list(opinions)
    times = Counter(one.claim_id for one in given)
    sole = {one.claim_id: one for one in given if times[one.claim_id] == 1}
    return tuple(_heard(one, sole.get(one.claim.id), source, context) for one in judged)


def _is_open(verdict: Verdict) -> bool:
    return verdict.verdict is ClaimVerdict.NOT_CHECKABLE and verdict.decided_by == UNDECIDED


def _heard(judged: JudgedClaim, opinion: Opinion | None, source: Source, context: Context) -> JudgedClaim:
    if opinion is None or opinion.relation is Relation.SILENT or not _is_open(judged.verdict):
        return judged
    span = _carried(judged, opinion, context)
    if span is None:
        return judged
    entails = opinion.relation is Relation.ENTAILS
    cited = (opinion.evidence_id,)
    verdict = judged.verdict.model_copy(
        update={
            "verdict": ClaimVerdict.SUPPORTED if entails else ClaimVerdict.CONTRADICTED,
            "score": context.rules.opinion.supported if entails else context.rules.opinion.contradicted,
            "decided_by": SECOND_OPINION,
            "found": {"quote": opinion.quote, **source.model_dump()},
            "citations": cited if entails else (),
            "anti_citations": () if entails else cited,
            "spans": (span, *(one for one in judged.verdict.spans if one.evidence_id != span.evidence_id)),
            "self_reported_only": entails and context.self_reported(opinion.evidence_id),
        }
    )
    return judged.model_copy(update={"verdict": verdict})


def _carried(judged: JudgedClaim, opinion: Opinion, context: Context) -> Span | None:
    """Where the quote stands; None for an opinion that it does not carry."""
    name = opinion.evidence_id
    if name not in context.cited(judged.claim):
        return None
    found = place(Citation(evidence_id=name, quote=opinion.quote), context)
    if found is None:
        return None
    start, end = found
    text = context.text(name)
    around = Clause(_around(start, end, text), context.rules.words)
    if not _is_about(judged, text[start:end], around, context):
        return None
    if opinion.relation is Relation.ENTAILS and around.denied != context.sentence(judged.claim).denies:
        return None
    return Span(evidence_id=name, start=start, end=end)


def _is_about(judged: JudgedClaim, quote: str, around: Clause, context: Context) -> bool:
    """True if the quote holds a word of the statement, and its sentences as many as a text must that says it."""
    lists = context.rules.words
    wanted = content(context.sentence(judged.claim).words, lists)
    shared = wanted & content(around.words, lists)
    return bool(wanted & content(words(quote), lists)) and len(shared) >= context.rules.lexical.unsupported * len(
        wanted
    )


def _around(start: int, end: int, text: str) -> str:
    """The sentences that a quote touches: a denial must not be cut off from what it denies."""
    breaks = [(match.start(), match.end()) for match in SENTENCE.finditer(text)]
    first = max((after for _, after in breaks if after <= start), default=0)
    last = min((before for before, _ in breaks if before >= end), default=len(text))
    return text[first:last]
