"""A lead's score: its facts and its judged claims against a profile. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from revenueflow.domain.claim import AnalysisVerdict, Judgement
from revenueflow.domain.lead import Intent, Tier
from revenueflow.domain.scoring import Factor, LeadFacts, Score
from revenueflow.domain.vocabulary import Vocabulary
from revenueflow.scoring.factors import rate
from revenueflow.scoring.inputs import Inputs
from revenueflow.scoring.kinds import TOTAL, AiFactor
from revenueflow.scoring.profile import Profile, Tiers


def score(
    profile: Profile,
    facts: LeadFacts,
    judgement: Judgement | None,
    vocabulary: Vocabulary,
    *,
    is_modelled: bool = True,
) -> Score:
    """The score, 0-100, with a line for each factor of the profile and for each limit that took points off.

    Without a judgement, or with a rejected one, nothing of the model counts: rules only, fit 0, intent low, unless the
    profile has rules of thumb for where no model answered (`is_modelled` is false: the rules stood in for it).
    """
    inputs = Inputs(facts, judgement, vocabulary, is_modelled)
    lines = []
    for rule in profile.factors:
        lines.append(line := rate(rule, inputs))
        inputs.reached[rule.name] = line.points
    lines += _limited(profile, facts, sum(line.points for line in lines))
    total = sum(line.points for line in lines)
    counts = judgement if judgement and judgement.verdict is not AnalysisVerdict.REJECTED else None
    return Score(
        total=total,
        tier=tier(profile.tiers, total),
        intent=_intent(profile, lines, counts),
        fit=counts.fit if counts else 0,
        profile=profile.label,
        factors=tuple(lines),
        missing=tuple(dict.fromkeys(name for line in lines for name in line.missing)),
        not_understood=_not_understood(lines, inputs),
    )


def _intent(profile: Profile, lines: Sequence[Factor], counts: Judgement | None) -> Intent:
    """That of the AI factor, if the profile has one."""
    for rule, line in zip(profile.factors, lines, strict=False):
        if isinstance(rule, AiFactor):
            return Intent(str(line.input))
    return counts.intent if counts else Intent.LOW


def _not_understood(lines: Sequence[Factor], inputs: Inputs) -> tuple[str, ...]:
    """What lines say of themselves, and the rest that nobody could read; not what a line has found a word in."""
    rest = (name for name in inputs.facts.unread if name not in inputs.understood)
    return tuple(dict.fromkeys([*(name for line in lines for name in line.not_understood), *rest]))


def tier(tiers: Tiers, total: int) -> Tier:
    """The tier of a total."""
    return tiers.of(total)


def _limited(profile: Profile, facts: LeadFacts, total: int) -> list[Factor]:
    lines = []
    if profile.capped and total > TOTAL:
        lines.append(Factor(name="cap", points=TOTAL - total, maximum=0, input=total, reason=f"at most {TOTAL} in all"))
        total = TOTAL
    for limit in profile.limits:
        over = total - limit.total
        if getattr(facts, limit.when) and over > 0:
            reason = f"the address is {limit.when.replace('_', ' ')}: at most {limit.total} in all"
            lines.append(Factor(name=limit.when, points=-over, maximum=0, input=True, reason=reason))
            total = limit.total
    return lines
