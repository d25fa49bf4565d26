"""One function for each kind of factor: the points, and the sentence that a salesperson reads."""

from __future__ import annotations

from functools import singledispatch
from typing import cast

from revenueflow.domain.claim import AnalysisVerdict, Judgement
from revenueflow.domain.lead import Intent
from revenueflow.domain.scoring import LONGEST_UNREAD, Factor
from revenueflow.scoring.inputs import Inputs
from revenueflow.scoring.kinds import (
    AiFactor,
    BandFactor,
    CompletenessFactor,
    DecayFactor,
    EngagementFactor,
    Fallback,
    GroundedFactor,
    KeywordFactor,
    Level,
    Seniority,
    SimilarityFactor,
    TableFactor,
)

FactRule = TableFactor | BandFactor | KeywordFactor | DecayFactor
FULL_FIT = 100
HEDGE = "hedge"
"""What decides of a statement that states nothing."""


@singledispatch
def rate(rule: object, inputs: Inputs) -> Factor:
    """The line that a factor of the profile adds to the score of these inputs."""
    raise NotImplementedError(f"{type(rule).__name__} for {inputs.facts.campaign_id}")


@rate.register
def _(rule: TableFactor, inputs: Inputs) -> Factor:
    value = inputs.text(rule.fact)
    if value is None:
        return _unknown(rule, inputs)
    points = rule.points.get(value.casefold())
    if points is None:
        return _line(rule, inputs, rule.other, value, f"{_named(rule.fact)} {_shown(value)} is not in the table")
    inputs.understood.add(inputs.source(rule.fact))
    return _line(rule, inputs, points, value, f"{_named(rule.fact)} is {_shown(value)}")


@rate.register
def _(rule: BandFactor, inputs: Inputs) -> Factor:
    number = inputs.number(rule.fact)
    if number is None:
        return _unknown(rule, inputs)
    for band in rule.bands:
        if band.holds(number):
            end = "or more" if band.at_most is None else f"to {band.at_most}"
            return _line(rule, inputs, band.points, number, f"{rule.fact} is {band.at_least} {end}")
    return _line(rule, inputs, rule.other, number, f"{rule.fact} is in no band")


@rate.register
def _(rule: KeywordFactor, inputs: Inputs) -> Factor:
    value = inputs.text(rule.fact)
    if value is None:
        return _unknown(rule, inputs)
    phrase = rule.longest(value)
    level = inputs.vocabulary.foreign_level(value) if rule.levels else None
    if phrase or level:
        inputs.understood.add(inputs.source(rule.fact))
    by_level = rule.levels.get(cast("Seniority", level), 0)
    if level and by_level > (rule.worth[phrase] if phrase else rule.other):
        return _line(rule, inputs, by_level, _shown(value), f"{_named(rule.fact)} is of the level {level}")
    if phrase is None:
        return _line(rule, inputs, rule.other, _shown(value), f"no phrase of the table in {_named(rule.fact)}")
    return _line(rule, inputs, rule.worth[phrase], _shown(value), f'{_named(rule.fact)} says "{phrase}"')


@rate.register
def _(rule: CompletenessFactor, inputs: Inputs) -> Factor:
    known = [fact for fact in rule.points if inputs.known(fact)]
    missing = [fact for fact in rule.points if fact not in known and not inputs.unread(fact)]
    unread = list(
        dict.fromkeys(inputs.field(fact) for fact in rule.points if fact not in known and inputs.unread(fact))
    )
    said = [f"missing: {', '.join(map(_named, missing))}"] if missing else []
    said += [f"not understood: {', '.join(map(_named, unread))}"] if unread else []
    return Factor(
        name=rule.name,
        points=sum(rule.points[fact] for fact in known),
        maximum=rule.maximum,
        input=list(known),
        evidence=inputs.evidence(*known),
        reason="; ".join(said) or "nothing is missing",
        missing=tuple(map(inputs.source, missing)),
        not_understood=tuple(unread),
    )


@rate.register
def _(rule: GroundedFactor, inputs: Inputs) -> Factor:
    judgement = inputs.judgement
    if judgement is None:
        return _rules_only(rule, "no analysis", ("analysis",))
    if judgement.verdict is AnalysisVerdict.REJECTED:
        return _rules_only(rule, f"analysis rejected, {len(judgement.claims)} claims and none supported")
    supported = judgement.supported
    cited = dict.fromkeys(id_ for judged in supported for id_ in judged.verdict.citations)
    return Factor(
        name=rule.name,
        points=(2 * judgement.fit * rule.maximum + FULL_FIT) // (2 * FULL_FIT),
        maximum=rule.maximum,
        input=judgement.fit,
        evidence=tuple(cited),
        # Not how many claims: strangers' texts can make a model write more of them.
        reason=f"fit {judgement.fit} from what the evidence supports",
    )


@rate.register
def _(rule: AiFactor, inputs: Inputs) -> Factor:
    judgement = inputs.judgement
    if judgement is None or not inputs.is_modelled:
        return _without_model(rule, inputs)
    if judgement.verdict is AnalysisVerdict.REJECTED:
        # As little as a model can give: who makes one write what is not so must gain nothing by it.
        reason = f"analysis rejected, {len(judgement.claims)} claims and none supported"
        return _of_intent(rule, rule.low.at_least, Intent.LOW, reason)
    intent, (supported, claims) = judgement.intent, _support(judgement)
    level: Level = getattr(rule, intent.value)
    points = level.at_least + _half_up((level.at_most - level.at_least) * supported, claims)
    cited = dict.fromkeys(id_ for judged in judgement.supported for id_ in judged.verdict.citations)
    reason = f"intent {intent.value}, {supported} of {claims} claims supported"
    return _of_intent(rule, points, intent, reason, tuple(cited))


def _without_model(rule: AiFactor, inputs: Inputs) -> Factor:
    fits = _fallback(rule, inputs)
    if fits is None:
        line = _of_intent(rule, rule.low.at_least, Intent.LOW, "no model answered; no rule of thumb fits")
    else:
        why = " and ".join(f"{name} at least {least}" for name, least in fits.when.items())
        line = _of_intent(rule, fits.points, fits.intent, f"no model answered; by rule of thumb: {why}")
    return line.model_copy(update={"missing": ("model",)})


def _fallback(rule: AiFactor, inputs: Inputs) -> Fallback | None:
    def fits(one: Fallback) -> bool:
        return all(inputs.reached.get(name, 0) >= least for name, least in one.when.items())

    return next(filter(fits, rule.fallback), None)


def _support(judgement: Judgement) -> tuple[int, int]:
    """How many claims are supported, and how many there are. A hedge is no claim."""
    claims = [one for one in judgement.claims if one.verdict.decided_by != HEDGE]
    return sum(one.supported for one in claims), len(claims)


def _of_intent(rule: AiFactor, points: int, intent: Intent, reason: str, cited: tuple[str, ...] = ()) -> Factor:
    return Factor(
        name=rule.name, points=points, maximum=rule.maximum, input=intent.value, evidence=cited, reason=reason
    )


@rate.register
def _(rule: SimilarityFactor, inputs: Inputs) -> Factor:  # noqa: ARG001 as the others
    return Factor(
        name=rule.name,
        points=0,
        maximum=rule.maximum,
        reason="there is no memory of outcomes to compare with yet",
        missing=("outcomes",),
    )


@rate.register
def _(rule: DecayFactor, inputs: Inputs) -> Factor:
    days = inputs.number(rule.fact)
    if days is None:
        return _unknown(rule, inputs)
    points = int(rule.maximum * 0.5 ** (max(0, days) / rule.half_life_days) + 0.5)
    return _line(rule, inputs, points, days, f"{days} days old; half after {rule.half_life_days:g}")


@rate.register
def _(rule: EngagementFactor, inputs: Inputs) -> Factor:
    seen = {name: count for name in rule.points if (count := inputs.facts.engagement.get(name, 0)) > 0}
    points = sum(rule.points[name] * count for name, count in seen.items())
    said = ", ".join(f"{count} {name}" for name, count in seen.items())
    return Factor(
        name=rule.name,
        points=min(points, rule.maximum),
        maximum=rule.maximum,
        input=dict(seen),
        reason=said or "nothing is known of what the person did",
        missing=() if seen else ("engagement",),
    )


def _half_up(part: int, whole: int) -> int:
    """part / whole, rounded half up; 0 of nothing."""
    return (2 * part + whole) // (2 * whole) if whole else 0


def _rules_only(rule: GroundedFactor, why: str, missing: tuple[str, ...] = ()) -> Factor:
    reason = f"{why}: scored by rules only"
    return Factor(name=rule.name, points=0, maximum=rule.maximum, reason=reason, missing=missing)


def _unknown(rule: FactRule, inputs: Inputs) -> Factor:
    """The line of a fact without a value: nothing was given, or nobody could read it."""
    given = inputs.unread(rule.fact)
    if given is None:
        line = _line(rule, inputs, rule.unknown, None, f"{_named(rule.fact)} is not known")
        return line.model_copy(update={"missing": (inputs.source(rule.fact),)})
    points = rule.not_understood if isinstance(rule, TableFactor) and rule.not_understood is not None else rule.unknown
    line = _line(rule, inputs, points, _shown(given), f"{_named(rule.fact)} {_shown(given)} was not understood")
    return line.model_copy(update={"not_understood": (inputs.source(rule.fact),)})


def _line(rule: FactRule, inputs: Inputs, points: int, value: str | int | None, reason: str) -> Factor:
    return Factor(
        name=rule.name,
        points=points,
        maximum=rule.maximum,
        input=value,
        evidence=inputs.evidence(rule.fact),
        reason=reason,
    )


def _shown(value: str) -> str:
    return value if len(value) <= LONGEST_UNREAD else value[: LONGEST_UNREAD - 1] + "…"


def _named(fact: str) -> str:
    """A fact as people call it."""
    return "industry" if fact == "industry_text" else fact
