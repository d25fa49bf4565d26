"""Runs both sides over the same leads, and says how long those waited."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import Any

from revenueflow.bench.touch.assumptions import SENSITIVITY, Assumptions
from revenueflow.bench.touch.sides import With, Without
from revenueflow.bench.touch.world import SimulatedLead, leads
from revenueflow.domain.lead import Tier
from revenueflow.errors import InvalidInput
from revenueflow.routing.rules import RoutingRules
from revenueflow.routing.sla import Sla

Say = Callable[[str], None]


class Simulation:
    """The simulation with these tables of ours."""

    def __init__(self, routing: RoutingRules, sla: Sla, seeds: Sequence[int]) -> None:
        self._routing, self._sla, self._seeds = routing, sla, seeds

    def measure(self, given: Assumptions, say: Say, *, sensitivity: bool) -> dict[str, Any]:
        """The figures over all seeds, with those of each seed; times in minutes, around the clock."""
        months = [self._month(given, seed) for seed in self._seeds]
        told = _compared([one for with_, _ in months for one in with_], [one for _, out in months for one in out])
        told["by_seed"] = [
            {"seed": seed} | _brief(*month) for seed, month in zip(self._seeds, months, strict=True)
        ]  # fmt: skip
        if sensitivity:
            told["sensitivity"] = [self._row(given, name, changes, say) for name, changes in SENSITIVITY.items()]
        return told | {"seeds": list(self._seeds), "assumptions": given.model_dump(mode="json")}

    def _row(self, given: Assumptions, name: str, changes: Mapping[str, Any], say: Say) -> dict[str, Any]:
        say(name)
        months = [self._month(given.changed(changes), seed) for seed in self._seeds]
        pooled = [one for with_, _ in months for one in with_], [one for _, without in months for one in without]
        return {"assumed": name} | _brief(*pooled)

    def _month(self, given: Assumptions, seed: int) -> tuple[list[SimulatedLead], list[SimulatedLead]]:
        """The same leads, touched with us and without."""
        with_, without = (leads(given, self._routing, seed) for _ in range(2))
        if not with_:
            raise InvalidInput("assumptions: no lead comes in the whole month; leads_per_day is too low")
        With(given, self._routing, self._sla, seed).run(with_)
        Without(given, self._routing, self._sla, seed).run(without)
        return with_, without


def _compared(with_: list[SimulatedLead], without: list[SimulatedLead]) -> dict[str, Any]:
    passed_on = sum(one.passed_on > 0 for one in with_) / max(len(with_), 1)
    told = {"leads": len(with_), "with": _times(with_) | {"passed_on": round(passed_on, 4)}, "without": _times(without)}
    return told | {name: value for name, value in _brief(with_, without).items() if name.startswith("re")}


def _times(leads: list[SimulatedLead]) -> dict[str, Any]:
    by_tier = {tier.value: [one for one in leads if one.tier is tier] for tier in Tier}
    return _figures(leads) | {"by_tier": {tier: _figures(those) for tier, those in by_tier.items() if those}}


def _figures(leads: list[SimulatedLead]) -> dict[str, float]:
    waited = sorted(one.waited.total_seconds() / 60 for one in leads)
    within = sum(minutes <= 60 for minutes in waited) / len(waited)
    ninth = waited[min(len(waited) - 1, int(len(waited) * 0.9))]
    return {"median": round(median(waited), 1), "p90": round(ninth, 1), "within_an_hour": round(within, 3)}


def _brief(with_: list[SimulatedLead], without: list[SimulatedLead]) -> dict[str, float]:
    """`reduction` is how much lower the median is with us, `reduction_p90` the same of the 90th percentile."""
    ours, theirs = _figures(with_), _figures(without)
    return {
        "with": ours["median"],
        "without": theirs["median"],
        "reduction": round(1 - ours["median"] / theirs["median"], 3),
        "reduction_p90": round(1 - ours["p90"] / theirs["p90"], 3),
    }
