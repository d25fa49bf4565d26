"""What the simulation takes for granted. Each is a parameter; docs/speed-to-lead.md says why it has its value."""

from __future__ import annotations

import calendar
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, ValidationError, model_validator

from revenueflow.domain.base import Value
from revenueflow.errors import InvalidInput, plain

Share = Annotated[float, Field(ge=0, le=1)]
Weight = Annotated[float, Field(ge=0)]
Month = Annotated[str, StringConstraints(pattern=r"^20\d\d-(0[1-9]|1[0-2])$")]
Hour = Annotated[int, Field(ge=0, le=23)]

OFFICE = (*[0.15] * 6, 0.3, 0.6, 1.1, 1.5, 1.6, 1.5, 1.2, 1.3, 1.5, 1.4, 1.3, 1.0, 0.7, 0.6, 0.6, 0.5, 0.3, 0.2)
WEEK = (1.0, 1.05, 1.05, 1.0, 0.85, 0.3, 0.3)
COUNTRIES = {
    "US": 0.42, "CA": 0.05, "GB": 0.12, "DE": 0.14, "CH": 0.03, "FR": 0.07, "NL": 0.03, "SE": 0.04, "ES": 0.03,
    "JP": 0.02, "BR": 0.02, "IN": 0.03,
}  # fmt: skip


class Assumptions(Value):
    """The world outside. Times of day are local: of the lead's rep for arrivals, of the inbox for its rounds."""

    month: Month = "2026-10"
    leads_per_day: float = Field(60, gt=0, le=2000)
    by_hour: tuple[Weight, ...] = Field(OFFICE, min_length=24, max_length=24)
    by_weekday: tuple[Weight, ...] = Field(WEEK, min_length=7, max_length=7)
    countries: dict[str, Weight] = Field(default_factory=lambda: dict(COUNTRIES), min_length=1)
    country_unknown: Share = 0.03
    enterprise: Share = 0.15
    mid_market: Share = 0.35
    hot: Share = 0.2
    warm: Share = 0.45

    read_minutes: float = Field(3, ge=0, le=480)
    work_minutes: float = Field(10, ge=0, le=480)
    busy_share: Share = 0.5
    busy_minutes: float = Field(45, ge=0, le=480)
    touches_per_day: int = Field(20, ge=1)
    absent: Share = 0.06

    analysis_seconds: float = Field(60, ge=0, le=86_400)
    hot_first: bool = True
    timers: bool = True

    inbox: Literal["shared", "regional"] = "shared"
    researchers: int = Field(2, ge=1, le=100)
    research_minutes: float = Field(10, ge=0, le=480)
    rounds: tuple[Hour, ...] = (9,)
    round_knows_absence: bool = True

    @model_validator(mode="after")
    def _shares(self) -> Self:
        if self.hot + self.warm > 1 or self.enterprise + self.mid_market > 1:
            raise ValueError("hot + warm, and enterprise + mid_market, must not be over 1")
        if not sum(self.by_hour) or not sum(self.by_weekday) or not sum(self.countries.values()):
            raise ValueError("by_hour, by_weekday and countries must have some weight")
        return self

    @property
    def days(self) -> list[date]:
        """The days of the month."""
        year, month = map(int, self.month.split("-"))
        return [date(year, month, day) for day in range(1, calendar.monthrange(year, month)[1] + 1)]

    def changed(self, changes: Mapping[str, Any]) -> Assumptions:
        """With some of them changed. Raises InvalidInput that names them."""
        try:
            return Assumptions.model_validate(self.model_dump() | dict(changes))
        except ValidationError as error:
            faults = error.errors(include_input=False, include_url=False, include_context=False)
            said = "; ".join(": ".join([*map(str, fault["loc"][:1]), plain(fault["msg"])]) for fault in faults)
            raise InvalidInput(f"assumptions: {said}") from None


AT_ONCE: tuple[int, ...] = ()
HOURLY = tuple(range(9, 17))
IN_OFFICE = (*[0.0] * 9, *[1.0] * 8, *[0.0] * 7)
SENSITIVITY: Mapping[str, Mapping[str, Any]] = {
    "as assumed": {},
    "the round is at noon": {"rounds": (12,)},
    "two rounds a day": {"rounds": (9, 13)},
    "a round each hour": {"rounds": HOURLY},
    "assigned as soon as researched": {"rounds": AT_ONCE},
    "no research, one round": {"research_minutes": 0},
    "no research, assigned at once in office hours": {"research_minutes": 0, "rounds": AT_ONCE},
    "an inbox in each region, nobody queues": {"inbox": "regional"},
    "each region, assigned as soon as researched": {"inbox": "regional", "rounds": AT_ONCE},
    "each region, no research, at once": {"inbox": "regional", "rounds": AT_ONCE, "research_minutes": 0},
    "leads come in office hours only": {"by_hour": IN_OFFICE, "by_weekday": (*[1.0] * 5, 0.0, 0.0)},
    "leads come around the clock": {"by_hour": (1.0,) * 24, "by_weekday": (1.0,) * 7},
    "half as many leads": {"leads_per_day": 30},
    "one and a half times as many leads": {"leads_per_day": 90},
    "reps have little else to do": {"busy_share": 0.1},
    "reps are always busy, two hours": {"busy_share": 1.0, "busy_minutes": 120},
    "nobody is ever absent": {"absent": 0.0},
    "one rep in six is absent": {"absent": 0.17},
    "our timers are off": {"timers": False},
    "our order is first come, first served": {"hot_first": False},
    "our analysis takes half an hour": {"analysis_seconds": 1800},
}
"""What is changed, one after the other, to see how much hangs on it."""
