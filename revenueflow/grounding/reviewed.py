"""What people have decided about claims: which claims are in question, and what a decision does to a verdict."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256

import orjson
from pydantic import JsonValue

from revenueflow.domain.claim import (
    AnalysisVerdict,
    Claim,
    ClaimField,
    ClaimVerdict,
    JudgedClaim,
    Judgement,
    Verdict,
)
from revenueflow.domain.evidence import Evidence
from revenueflow.domain.phrases import words
from revenueflow.domain.review import CHECK, Decided, DecisionKind, Questions, ReviewKind
from revenueflow.domain.text import comparable, visible
from revenueflow.domain.vocabulary import Vocabulary
from revenueflow.grounding.checks.typed import shown
from revenueflow.grounding.decision import HEDGE
from revenueflow.grounding.fields import FIELDS

LONGEST = 1000
Evidenced = Mapping[str, Evidence]


def questions(judgement: Judgement) -> Questions:
    """What a judgement leaves to a person: every claim of a rejected analysis, else those that are ambiguous.

    About a claim that a person has decided nobody is asked again, and about a hedge nobody at all.
    """
    open_claims = [one for one in judgement.claims if one.verdict.decided_by not in (CHECK, HEDGE)]
    if judgement.verdict is AnalysisVerdict.REJECTED:
        return _asked(ReviewKind.REJECTED, open_claims)
    ambiguous = [one for one in open_claims if one.verdict.verdict is ClaimVerdict.AMBIGUOUS]
    return _asked(ReviewKind.AMBIGUOUS, ambiguous)


def _asked(kind: ReviewKind, claims: Sequence[JudgedClaim]) -> Questions:
    return Questions(kind=kind, questioned=tuple(one.claim.id for one in claims)) if claims else Questions()


def fingerprint(judged: JudgedClaim, evidence: Evidenced, vocabulary: Vocabulary) -> str:
    """Of a claim and the evidence that it stands on: what it cites, what speaks against it, all of its own kind.

    The wording is left out where the claim has a value: a model words the same fact anew each time. When the evidence
    was fetched is left out too; what it says is not.
    """
    names = _names(judged, evidence)
    pieces = sorted(_piece(evidence[name]) for name in names)
    said = [judged.claim.field.value, _said(judged.claim, vocabulary), pieces]
    return sha256(orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _names(judged: JudgedClaim, evidence: Evidenced) -> frozenset[str]:
    cited = [citation.evidence_id for citation in judged.claim.citations]
    verdict = judged.verdict
    named = {name for name in (*cited, *verdict.citations, *verdict.anti_citations) if name in evidence}
    field = FIELDS.get(judged.claim.field)
    named |= {name for name, piece in evidence.items() if field and piece.signal in field.signals}
    return frozenset(named) or frozenset(evidence)


def _piece(piece: Evidence) -> str:
    return orjson.dumps([piece.provider, piece.signal.value, piece.trust.value, piece.value]).decode()


def _said(claim: Claim, vocabulary: Vocabulary) -> JsonValue:
    field = FIELDS.get(claim.field)
    fact = field.read(claim.value, vocabulary) if field and claim.value is not None else None
    return list[JsonValue](words(comparable(claim.statement))) if fact is None else shown(fact)


def decided(
    judged: Iterable[JudgedClaim], decisions: Iterable[Decided], evidence: Evidenced, vocabulary: Vocabulary
) -> tuple[JudgedClaim, ...]:
    """The claims, with the verdicts of people where they have decided; of two decisions the later in order counts."""
    by_print = {one.fingerprint: one for one in decisions}
    if not by_print:
        return tuple(judged)
    found = ((one, by_print.get(fingerprint(one, evidence, vocabulary))) for one in judged)
    return tuple(one if decision is None else _with(decision, one, evidence, vocabulary) for one, decision in found)


def _with(decision: Decided, judged: JudgedClaim, evidence: Evidenced, vocabulary: Vocabulary) -> JudgedClaim:
    if decision.decision is DecisionKind.REJECT:
        return JudgedClaim(claim=judged.claim, verdict=_verdict(judged.verdict, ClaimVerdict.UNSUPPORTED, 0.0))
    claim = judged.claim.model_copy(update={"statement": decision.statement, "value": decision.value})
    carrying = () if decision.decision is DecisionKind.EDIT else _carrying(judged, evidence)
    told = {"citations": carrying, "expected": _expected(claim, vocabulary), "self_reported_only": False}
    if carrying:
        told["self_reported_only"] = all(evidence[name].trust == "self_reported" for name in carrying)
    verdict = _verdict(judged.verdict, ClaimVerdict.SUPPORTED, 1.0).model_copy(update=told)
    return JudgedClaim(claim=claim, verdict=verdict)


def _verdict(verdict: Verdict, kind: ClaimVerdict, score: float) -> Verdict:
    return verdict.model_copy(update={"verdict": kind, "score": score, "decided_by": CHECK})


def _carrying(judged: JudgedClaim, evidence: Evidenced) -> tuple[str, ...]:
    """What an accepted claim rests on: what agrees with it, or else what it cites. An edited one rests on a person."""
    cited = (citation.evidence_id for citation in judged.claim.citations)
    found = judged.verdict.citations or tuple(cited)
    against = judged.verdict.anti_citations
    return tuple(dict.fromkeys(name for name in found if name in evidence and name not in against))


def _expected(claim: Claim, vocabulary: Vocabulary) -> JsonValue:
    field = FIELDS.get(claim.field)
    fact = field.read(claim.value, vocabulary) if field and claim.value is not None else None
    if fact is not None:
        return shown(fact)
    if claim.field is ClaimField.BUYING_SIGNAL:
        return list[JsonValue](sorted(vocabulary.mentions("buying_signal", claim.statement)))
    return claim.value


def wrong_with(claim: Claim, vocabulary: Vocabulary) -> str | None:
    """What is wrong with the form of a claim that a person has edited; None if nothing is. Repeats no value."""
    if not claim.statement.strip() or not _line(claim.statement):
        return f"the statement must be one line of 1 to {LONGEST} visible characters"
    given = claim.value if isinstance(claim.value, list) else [claim.value]
    if not all(isinstance(one, int | float | None) or (isinstance(one, str) and _line(one)) for one in given):
        return "the value must be a text, a number, true, false, null, or a list of texts"
    field = FIELDS.get(claim.field)
    if field is not None and (claim.value is None or field.read(claim.value, vocabulary) is None):
        return f"the value is not one of the field {claim.field.value}"
    return None


def _line(text: str) -> bool:
    return len(text) <= LONGEST and "\n" not in text and visible(text) == text
