"""One function for each kind of factor: the points, and the sentence that a salesperson reads."""

from __future__ import annotations

from functools import singledispatch

from revenueflow.domain.claim import AnalysisVerdict
from revenueflow.domain.scoring import Factor
from revenueflow.scoring.inputs import Inputs
from revenueflow.scoring.profile import (
    BandFactor,
    CompletenessFactor,
    GroundedFactor,
    KeywordFactor,
    TableFactor,
)

FactRule = TableFactor | BandFactor | KeywordFactor
FULL_FIT = 100
SHOWN = 120


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
        return _line(rule, inputs, rule.other, value, f"{rule.fact} {_shown(value)} is not in the table")
    return _line(rule, inputs, points, value, f"{rule.fact} is {_shown(value)}")


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
    if phrase is None:
        return _line(rule, inputs, rule.other, _shown(value), f"no phrase of the table in {rule.fact}")
    return _line(rule, inputs, rule.worth[phrase], _shown(value), f'{rule.fact} says "{phrase}"')


@rate.register
def _(rule: CompletenessFactor, inputs: Inputs) -> Factor:
    known = [fact for fact in rule.points if inputs.known(fact)]
    missing = [fact for fact in rule.points if fact not in known]
    points = sum(rule.points[fact] for fact in known)
    return Factor(
        name=rule.name,
        points=points,
        maximum=rule.maximum,
        input=list(known),
        evidence=inputs.evidence(*known),
        reason=f"missing: {', '.join(missing)}" if missing else "nothing is missing",
    )


@rate.register
def _(rule: GroundedFactor, inputs: Inputs) -> Factor:
    judgement = inputs.judgement
    if judgement is None:
        return _rules_only(rule, "no analysis")
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


def _rules_only(rule: GroundedFactor, why: str) -> Factor:
    return Factor(name=rule.name, points=0, maximum=rule.maximum, reason=f"{why}: scored by rules only")


def _unknown(rule: FactRule, inputs: Inputs) -> Factor:
    return _line(rule, inputs, rule.unknown, None, f"{rule.fact} is not known")


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
    return value if len(value) <= SHOWN else value[: SHOWN - 1] + "…"
