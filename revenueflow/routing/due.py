"""By when the owner is to have followed up: working hours only, no weekends, no public holidays."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from revenueflow.domain.lead import Tier
from revenueflow.routing.hours import window, working_days
from revenueflow.routing.reps import Rep, WorkingHours
from revenueflow.routing.rules import FollowUp


def due_at(follow_up: FollowUp, tier: Tier, now: datetime, owner: Rep) -> datetime:
    """The due time, UTC. `now` must be aware.

    `hours` are counted within working hours from now, or from the next opening. `days` end at the close of
    the n-th working day after today, today being the owner's. Working hours are the owner's own, else those of all.
    """
    kept = owner.hours or follow_up.working_hours
    local = now.astimezone(ZoneInfo(owner.timezone))
    delay = follow_up.of(tier)
    if delay.hours is not None:
        return _after_hours(local, timedelta(hours=delay.hours), kept, owner)
    return _after_days(local, delay.days or 1, kept, owner)


def _after_hours(local: datetime, left: timedelta, hours: WorkingHours, owner: Rep) -> datetime:
    now = local.astimezone(UTC)
    days = working_days(local.date(), owner)
    while True:
        opens, closes = window(next(days), hours, owner)
        start = max(opens, now)
        open_for = max(closes - start, timedelta())
        if open_for >= left:
            return start + left
        left -= open_for


def _after_days(local: datetime, count: int, hours: WorkingHours, owner: Rep) -> datetime:
    days = working_days(local.date() + timedelta(days=1), owner)
    day = next(day for number, day in enumerate(days, start=1) if number == count)
    return window(day, hours, owner)[1]
