"""By when the owner is to have followed up: working hours only, no weekends, no public holidays."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays

from revenueflow.domain.lead import Tier
from revenueflow.routing.rules import FollowUp, Rep, WorkingHours

SATURDAY = 5


def due_at(follow_up: FollowUp, tier: Tier, now: datetime, owner: Rep) -> datetime:
    """The due time, UTC. `now` must be aware.

    `hours` are counted within working hours from now, or from the next opening. `days` end at the close of
    the n-th working day after today, today being the owner's.
    """
    local = now.astimezone(ZoneInfo(owner.timezone))
    delay = follow_up.of(tier)
    if delay.hours is not None:
        return _after_hours(local, timedelta(hours=delay.hours), follow_up.working_hours, owner)
    return _after_days(local, delay.days or 1, follow_up.working_hours, owner)


def after(now: datetime, length: timedelta, hours: WorkingHours, owner: Rep) -> datetime:
    """When so much working time of the owner has passed since `now`, UTC. `now` must be aware."""
    return _after_hours(now.astimezone(ZoneInfo(owner.timezone)), length, hours, owner)


def _after_hours(local: datetime, left: timedelta, hours: WorkingHours, owner: Rep) -> datetime:
    now = local.astimezone(UTC)
    days = _working_days(local.date(), owner)
    while True:
        opens, closes = _window(next(days), hours, owner)
        start = max(opens, now)
        open_for = max(closes - start, timedelta())
        if open_for >= left:
            return start + left
        left -= open_for


def _after_days(local: datetime, count: int, hours: WorkingHours, owner: Rep) -> datetime:
    days = _working_days(local.date() + timedelta(days=1), owner)
    day = next(day for number, day in enumerate(days, start=1) if number == count)
    return _window(day, hours, owner)[1]


def _window(day: date, hours: WorkingHours, owner: Rep) -> tuple[datetime, datetime]:
    midnight = datetime.combine(day, time(), ZoneInfo(owner.timezone))
    opens, closes = (midnight + timedelta(hours=hour) for hour in (hours.start, hours.end))
    return opens.astimezone(UTC), closes.astimezone(UTC)


def _working_days(first: date, owner: Rep) -> Iterator[date]:
    calendar = _calendar(owner.country, owner.subdivision)
    day = first
    while True:
        if day.weekday() < SATURDAY and day not in calendar:
            yield day
        day += timedelta(days=1)


@lru_cache(maxsize=256)
def _calendar(country: str, subdivision: str | None) -> holidays.HolidayBase:
    return holidays.country_holidays(country, subdiv=subdivision)
