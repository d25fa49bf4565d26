"""What the judged claims are worth: fit and intent by code, from the supported claims only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from revenueflow.domain.claim import AnalysisVerdict, ClaimField, JudgedClaim, Judgement
from revenueflow.domain.evidence import Evidence
from revenueflow.domain.lead import Intent
from revenueflow.domain.quantity import Money, Range, count_range, money
from revenueflow.grounding.decision import HEDGE
from revenueflow.grounding.rules import GroundingRules


class _Worth(NamedTuple):
    """The best that the claims of one field amount to: from anywhere, and without the form."""

    weight: float
    outside: float


def weigh(
    judged: Sequence[JudgedClaim], evidence: Mapping[str, Evidence], rules: GroundingRules, now: datetime
) -> Judgement:
    """The judgement of an analysis at the time `now`. The model's own fit and intent are not looked at.

    Each field counts once, with its best claim: trust x freshness x score, and for fit x the factor of its value.
    Intent is high only if enough of its points come from elsewhere than the form.
    `rejected`: there were claims and none is supported. Hedges are no claims: they neither count nor lower anything.
    """
    claims = [claim for claim in judged if claim.verdict.decided_by != HEDGE]
    supported = [claim for claim in claims if claim.supported]
    weights = [(claim, _weight(claim, evidence, rules, now)) for claim in supported]
    return Judgement(
        verdict=_verdict(len(claims), len(supported)),
        fit=_fit(weights, len(claims), rules),
        intent=_intent(weights, rules),
        claims=tuple(judged),
    )


def _verdict(claims: int, supported: int) -> AnalysisVerdict:
    if claims and not supported:
        return AnalysisVerdict.REJECTED
    return AnalysisVerdict.VALID if supported == claims else AnalysisVerdict.PARTIAL


def _fit(weights: Sequence[tuple[JudgedClaim, float]], claims: int, rules: GroundingRules) -> int:
    best: dict[ClaimField, float] = {}
    for judged, weight in weights:
        field = judged.claim.field
        best[field] = max(best.get(field, 0.0), weight * _factor(judged, rules))
    worths = rules.fit.points | rules.fit.extra
    points = min(100.0, sum(worths.get(field, 0.0) * worth for field, worth in best.items()))
    fallen = 1 - len(weights) / claims if claims else 0.0
    return max(0, min(100, round(points * (1 - rules.fit.penalty * fallen))))


def _intent(weights: Sequence[tuple[JudgedClaim, float]], rules: GroundingRules) -> Intent:
    best: dict[ClaimField, _Worth] = {}
    for judged, weight in weights:
        known = best.get(judged.claim.field, _Worth(0.0, 0.0))
        outside = 0.0 if judged.verdict.self_reported_only else weight
        best[judged.claim.field] = _Worth(max(known.weight, weight), max(known.outside, outside))
    points = rules.intent.points
    total = sum(points.get(field, 0.0) * worth.weight for field, worth in best.items())
    outside = sum(points.get(field, 0.0) * worth.outside for field, worth in best.items())
    if total >= rules.intent.high and outside >= rules.intent.high_needs_outside:
        return Intent.HIGH
    return Intent.MEDIUM if total >= rules.intent.medium else Intent.LOW


def _weight(judged: JudgedClaim, evidence: Mapping[str, Evidence], rules: GroundingRules, now: datetime) -> float:
    """The claim's score by the best of the pieces that carry it: its trust, halved with each half-life of its age."""
    pieces = (evidence[name] for name in judged.verdict.citations)
    field = judged.claim.field
    best = max((rules.trust[piece.trust] * freshness(field, piece, rules, now) for piece in pieces), default=0.0)
    return best * judged.verdict.score


def freshness(field: ClaimField, piece: Evidence, rules: GroundingRules, now: datetime) -> float:
    """1 for evidence of today; half of that after the half-life of the field, in whole days. Never above 1."""
    days = max(0, (now - piece.fetched_at).days)
    half_life = rules.half_life.of_field.get(field, rules.half_life.default)
    return float(0.5 ** (days / half_life))


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
