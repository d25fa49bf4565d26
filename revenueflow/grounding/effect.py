"""What the judged claims are worth: fit and intent by code, from the supported claims only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from revenueflow.domain.claim import AnalysisVerdict, ClaimField, JudgedClaim, Judgement
from revenueflow.domain.evidence import SPOKEN, Evidence, Trust
from revenueflow.domain.lead import Intent
from revenueflow.domain.quantity import Money, Range, count_range, money
from revenueflow.domain.review import CHECK
from revenueflow.grounding.decision import HEDGE, SECOND_OPINION
from revenueflow.grounding.fields import FIELDS
from revenueflow.grounding.rules import GroundingRules

FORGED: Final = frozenset({"citation_exists", "citation_in_run", "citation_path", "quote_verbatim"})
"""Checks that find a citation to be made up."""


class _Worth(NamedTuple):
    """The best that the claims of one field amount to: from anywhere, and without the words of those it is about."""

    weight: float
    outside: float


def weigh(
    judged: Sequence[JudgedClaim], evidence: Mapping[str, Evidence], rules: GroundingRules, now: datetime
) -> Judgement:
    """The judgement of an analysis at the time `now`. The model's own fit and intent are not looked at.

    Each field counts once, with its best claim: trust x freshness x score, and for fit x the factor of its value.
    Intent is high only if enough of its points come from elsewhere than the form.
    `rejected`: there were claims and none is supported. Hedges are no claims: they neither count nor lower anything.
    What a second opinion decided changes neither fit nor intent: they are the checks' alone.
    """
    claims = [claim for claim in judged if claim.verdict.decided_by != HEDGE]
    checked = [claim for claim in claims if claim.verdict.decided_by != SECOND_OPINION]
    weights = [(claim, _weight(claim, evidence, rules, now)) for claim in checked if claim.supported]
    return Judgement(
        verdict=_verdict(len(claims), sum(claim.supported for claim in claims)),
        fit=_fit(weights, _fallen(checked, evidence, rules), rules),
        intent=_intent(weights, evidence, rules),
        claims=tuple(judged),
    )


def _verdict(claims: int, supported: int) -> AnalysisVerdict:
    if claims and not supported:
        return AnalysisVerdict.REJECTED
    return AnalysisVerdict.VALID if supported == claims else AnalysisVerdict.PARTIAL


def _fallen(judged: Sequence[JudgedClaim], evidence: Mapping[str, Evidence], rules: GroundingRules) -> float:
    """The share of claims that fell over the very evidence that tells of them.

    A forged citation, and a claim that leans on other words of strangers, are dropped and no more: who can make a model
    write them must not be able to change the score by it. What only adds points, costs none.
    """
    counted = [one for one in judged if one.claim.field not in rules.fit.extra]
    fell = sum(not one.supported and _is_of_its_own(one, evidence) for one in counted)
    stood = sum(one.supported for one in judged)
    return fell / (fell + stood) if fell else 0.0


def _is_of_its_own(judged: JudgedClaim, evidence: Mapping[str, Evidence]) -> bool:
    field = FIELDS.get(judged.claim.field)
    if field is None or judged.verdict.decided_by in FORGED:
        return False
    cited = [evidence.get(citation.evidence_id) for citation in judged.claim.citations]
    return all(one is not None and one.signal in field.signals and not _is_spoken(one) for one in cited)


def _fit(weights: Sequence[tuple[JudgedClaim, float]], fallen: float, rules: GroundingRules) -> int:
    best: dict[ClaimField, float] = {}
    for judged, worth in weights:
        field = judged.claim.field
        best[field] = max(best.get(field, 0.0), worth * _factor(judged, rules))
    worths = rules.fit.points | rules.fit.extra
    points = min(100.0, sum(worths.get(field, 0.0) * worth for field, worth in best.items()))
    return max(0, min(100, round(points * (1 - rules.fit.penalty * fallen))))


def _intent(
    weights: Sequence[tuple[JudgedClaim, float]], evidence: Mapping[str, Evidence], rules: GroundingRules
) -> Intent:
    best: dict[ClaimField, _Worth] = {}
    for judged, worth in weights:
        known = best.get(judged.claim.field, _Worth(0.0, 0.0))
        outside = 0.0 if said_of_itself(judged, evidence) else worth
        best[judged.claim.field] = _Worth(max(known.weight, worth), max(known.outside, outside))
    points = rules.intent.points
    total = sum(points.get(field, 0.0) * worth.weight for field, worth in best.items())
    outside = sum(points.get(field, 0.0) * worth.outside for field, worth in best.items())
    if total >= rules.intent.high and outside >= rules.intent.high_needs_outside:
        return Intent.HIGH
    return Intent.MEDIUM if total >= rules.intent.medium else Intent.LOW


def _weight(judged: JudgedClaim, evidence: Mapping[str, Evidence], rules: GroundingRules, now: datetime) -> float:
    """The claim's score by the best of the pieces that carry it: its trust, halved with each half-life of its age.

    What a person has put right is our own record, of today.
    """
    field = judged.claim.field
    own = rules.trust[Trust.FIRST_PARTY] if judged.verdict.decided_by == CHECK else 0.0
    pieces = (evidence[name] for name in judged.verdict.citations)
    worths = (_trust_in(piece, rules) * freshness(field, piece, rules, now) for piece in pieces)
    return max(worths, default=own) * judged.verdict.score


def _trust_in(piece: Evidence, rules: GroundingRules) -> float:
    """What a company or a person says of itself weighs as little when a vendor passes it on."""
    given = rules.trust[piece.trust]
    return min(given, rules.trust[Trust.SELF_REPORTED]) if piece.signal in SPOKEN else given


def freshness(field: ClaimField, piece: Evidence, rules: GroundingRules, now: datetime) -> float:
    """1 for evidence of today; half of that after the half-life of the field, in whole days. Never above 1."""
    days = max(0, (now - piece.fetched_at).days)
    half_life = rules.half_life.of_field.get(field, rules.half_life.default)
    return float(0.5 ** (days / half_life))


def said_of_itself(judged: JudgedClaim, evidence: Mapping[str, Evidence]) -> bool:
    """True if nothing carries the claim but the words of those whom it is about."""
    pieces = [evidence[name] for name in judged.verdict.citations]
    return bool(pieces) and all(map(_is_spoken, pieces))


def _is_spoken(piece: Evidence) -> bool:
    return piece.trust is Trust.SELF_REPORTED or piece.signal in SPOKEN


def weight(judged: JudgedClaim, evidence: Mapping[str, Evidence], rules: GroundingRules, now: datetime) -> float:
    """How much a supported claim matters: the points of its field, by trust, freshness and score."""
    field = judged.claim.field
    points = rules.fit.points.get(field, 0.0) + rules.fit.extra.get(field, 0.0) + rules.intent.points.get(field, 0.0)
    return points * _weight(judged, evidence, rules, now)


def _factor(judged: JudgedClaim, rules: GroundingRules) -> float:
    """How much of a field's points this value earns: by `levels`, by `steps`, else all of them."""
    field, value = judged.claim.field, judged.verdict.expected
    levels, steps = rules.fit.levels.get(field), rules.fit.steps.get(field)
    if levels is not None:
        return levels.get(value, 0.0) if isinstance(value, str) else 0.0
    if steps is None:
        return 1.0
    size = _size(count_range(value) or money(value))
    return next((factor for low, factor in steps if size >= low), 0.0)


def _size(value: Range | Money | None) -> float:
    amount = value.amount if isinstance(value, Money) else value
    return amount.midpoint if amount else 0.0
