"""A lead's score: its facts and its judged claims against a profile. Pure."""

from __future__ import annotations

from revenueflow.domain.claim import AnalysisVerdict, Judgement
from revenueflow.domain.lead import Intent, Tier
from revenueflow.domain.scoring import Factor, LeadFacts, Score
from revenueflow.domain.vocabulary import Vocabulary
from revenueflow.scoring.factors import rate
from revenueflow.scoring.inputs import Inputs
from revenueflow.scoring.profile import Profile, Tiers


def score(profile: Profile, facts: LeadFacts, judgement: Judgement | None, vocabulary: Vocabulary) -> Score:
    """The score, 0-100, with a line for each factor of the profile and for each limit that took points off.

    Without a judgement, or with a rejected one, nothing of the model counts: rules only, fit 0, intent low.
    """
    inputs = Inputs(facts, judgement, vocabulary)
    lines = [rate(rule, inputs) for rule in profile.factors]
    lines += _limited(profile, facts, sum(line.points for line in lines))
    total = sum(line.points for line in lines)
    counts = judgement if judgement and judgement.verdict is not AnalysisVerdict.REJECTED else None
    return Score(
        total=total,
        tier=tier(profile.tiers, total),
        intent=counts.intent if counts else Intent.LOW,
        fit=counts.fit if counts else 0,
        profile=profile.label,
        factors=tuple(lines),
    )


def tier(tiers: Tiers, total: int) -> Tier:
    """The tier of a total."""
    if total >= tiers.hot:
        return Tier.HOT
    return Tier.WARM if total >= tiers.warm else Tier.COLD


def _limited(profile: Profile, facts: LeadFacts, total: int) -> list[Factor]:
    lines = []
    for limit in profile.limits:
        over = total - limit.total
        if getattr(facts, limit.when) and over > 0:
            reason = f"the address is {limit.when.replace('_', ' ')}: at most {limit.total} in all"
            lines.append(Factor(name=limit.when, points=-over, maximum=0, input=True, reason=reason))
            total = limit.total
    return lines
