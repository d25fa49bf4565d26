"""When a rep works: own hours in the own time zone, no weekends, no public holidays, no leave."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import islice
from zoneinfo import ZoneInfo

import holidays

from revenueflow.routing.reps import Rep, WorkingHours

SATURDAY = 5
LONGEST_LOOK = 400
"""Working days that are looked at for the next opening."""


def on_leave(rep: Rep, now: datetime) -> date | None:
    """The last day of the leave that the rep is on, None if on none. `now` must be aware."""
    if not rep.leave:
        return None
    return _leave_of(rep, now.astimezone(ZoneInfo(rep.timezone)).date())


def opens_at(rep: Rep, hours: WorkingHours, now: datetime) -> datetime | None:
    """`now` if the rep works, else when next, UTC; None if never in sight. `hours` are those of reps without own."""
    kept = rep.hours or hours
    for day in islice(working_days(now.astimezone(ZoneInfo(rep.timezone)).date(), rep), LONGEST_LOOK):
        opens, closes = window(day, kept, rep)
        if now < closes and _leave_of(rep, day) is None:
            return max(now.astimezone(UTC), opens)
    return None


def window(day: date, hours: WorkingHours, rep: Rep) -> tuple[datetime, datetime]:
    """Opening and close of a day, UTC."""
    midnight = datetime.combine(day, time(), ZoneInfo(rep.timezone))
    opens, closes = (midnight + timedelta(hours=hour) for hour in (hours.start, hours.end))
    return opens.astimezone(UTC), closes.astimezone(UTC)


def working_days(first: date, rep: Rep) -> Iterator[date]:
    """The working days from `first` on, leave or not."""
    calendar = _calendar(rep.country, rep.subdivision)
    day = first
    while True:
        if day.weekday() < SATURDAY and day not in calendar:
            yield day
        day += timedelta(days=1)


def _leave_of(rep: Rep, day: date) -> date | None:
    return next((leave.last for leave in rep.leave if leave.first <= day <= leave.last), None)


@lru_cache(maxsize=256)
def _calendar(country: str, subdivision: str | None) -> holidays.HolidayBase:
    return holidays.country_holidays(country, subdiv=subdivision)
