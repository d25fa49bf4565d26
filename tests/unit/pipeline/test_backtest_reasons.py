"""Why a lead changes tier: the line that changed most the way the total went, or the limits alone."""

from __future__ import annotations

from typing import Any

import pytest

from revenueflow import defaults
from revenueflow.domain.lead import Intent, Tier
from revenueflow.domain.scoring import Factor, Score
from revenueflow.pipeline.backtest import why
from revenueflow.scoring.profile import Profile

PROFILE = defaults.load(Profile, "scoring/grounded.toml")
HARSH = PROFILE.model_copy(update={"tiers": PROFILE.tiers.model_copy(update={"hot": 90, "warm": 80})})


def scored(**points: int) -> Score:
    total = sum(points.values())
    lines = tuple(Factor(name=name, points=n, maximum=100, reason=f"{name} so") for name, n in points.items())
    return Score(total=total, tier=PROFILE.tier(total), intent=Intent.LOW, fit=0, profile="p@1", factors=lines)


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ({"a": 50, "b": 20}, {"a": 50, "b": 10}, "b 20 -> 10: b so"),
        ({"a": 50, "b": 20}, {"a": 60, "b": 0}, "b 20 -> 0: b so"),
        ({"a": 50, "b": 10}, {"a": 50, "b": 10, "c": 15}, "c none -> 15: c so"),
        ({"a": 50, "b": 20}, {"a": 50}, "b 20 -> none: the profile has no such line"),
    ],
)
def test_the_line_that_changed_most(before: dict[str, int], after: dict[str, int], said: str) -> None:
    lines: list[dict[str, Any]] = [{"name": name, "points": n} for name, n in before.items()]
    total = sum(before.values())
    assert why(PROFILE.tier(total), total, lines, scored(**after), PROFILE) == said


@pytest.mark.parametrize(
    ("tier", "total", "now", "said"),
    [
        (Tier.HOT, 85, Tier.WARM, "hot begins at 90 now"),
        (Tier.WARM, 65, Tier.COLD, "warm begins at 80 now"),
        (Tier.HOT, 75, Tier.COLD, "hot begins at 90 now and warm begins at 80 now"),
        (Tier.WARM, 95, Tier.HOT, "hot begins at 90 now"),
    ],
)
def test_limits_alone(tier: Tier, total: int, now: Tier, said: str) -> None:
    fresh = scored(a=total).model_copy(update={"tier": now})
    assert why(tier, total, [{"name": "a", "points": total}], fresh, HARSH) == said
