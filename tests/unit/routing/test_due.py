"""Due times at the edges of days, weekends, holidays and clock changes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as some

from revenueflow.domain.lead import Tier
from revenueflow.routing.due import due_at
from revenueflow.routing.rules import Delay, FollowUp, Rep, WorkingHours

BERLIN = Rep(id="b", name="B", email="b@x.example", timezone="Europe/Berlin", country="DE", subdivision="BE")
NEW_YORK = Rep(id="n", name="N", email="n@x.example", timezone="America/New_York", country="US")
TABLE = FollowUp(
    working_hours=WorkingHours(start=9, end=17), hot=Delay(hours=1), warm=Delay(days=1), cold=Delay(days=5)
)


def local(text: str, rep: Rep = BERLIN) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(rep.timezone))


@pytest.mark.parametrize(
    ("tier", "now", "due"),
    [
        (Tier.HOT, "2026-11-18T10:00", "2026-11-18T11:00"),
        (Tier.HOT, "2026-11-18T07:30", "2026-11-18T10:00"),  # before opening
        (Tier.HOT, "2026-11-18T16:00", "2026-11-18T17:00"),  # exactly until closing
        (Tier.HOT, "2026-11-18T16:40", "2026-11-19T09:40"),  # the rest on the next day
        (Tier.HOT, "2026-11-18T17:00", "2026-11-19T10:00"),
        (Tier.HOT, "2026-11-20T16:30", "2026-11-23T09:30"),  # over a weekend
        (Tier.HOT, "2026-11-21T12:00", "2026-11-23T10:00"),  # on a Saturday
        (Tier.HOT, "2026-12-24T16:30", "2026-12-28T09:30"),  # Christmas, then a weekend
        (Tier.HOT, "2026-03-08T12:00", "2026-03-09T10:00"),
        (Tier.WARM, "2026-11-18T10:00", "2026-11-19T17:00"),
        (Tier.WARM, "2026-11-20T10:00", "2026-11-23T17:00"),
        (Tier.WARM, "2026-11-21T10:00", "2026-11-23T17:00"),
        (Tier.COLD, "2026-11-18T10:00", "2026-11-25T17:00"),
    ],
)
def test_due_in_berlin(tier: Tier, now: str, due: str) -> None:
    assert due_at(TABLE, tier, local(now), BERLIN) == local(due)


def test_five_business_days_around_christmas() -> None:
    # 24 (Thu), 28, 29, 30 and 31 December are working days in Berlin; 25 and 26 are holidays
    assert due_at(TABLE, Tier.COLD, local("2026-12-23T10:00"), BERLIN) == local("2026-12-31T17:00")


def test_a_holiday_of_the_subdivision_counts() -> None:
    # 8 March is a holiday in Berlin only; in 2027 it is a Monday
    bavaria = BERLIN.model_copy(update={"subdivision": "BY"})
    friday = local("2027-03-05T16:30")
    assert due_at(TABLE, Tier.HOT, friday, BERLIN) == local("2027-03-09T09:30")
    assert due_at(TABLE, Tier.HOT, friday, bavaria) == local("2027-03-08T09:30")


def test_today_is_the_owners_today() -> None:
    now = datetime(2026, 11, 19, 2, 0, tzinfo=UTC)  # still the 18th in New York
    assert due_at(TABLE, Tier.WARM, now, NEW_YORK) == local("2026-11-19T17:00", NEW_YORK)


def test_thanksgiving_is_no_working_day_in_new_york() -> None:
    now = local("2026-11-25T16:30", NEW_YORK)
    assert due_at(TABLE, Tier.HOT, now, NEW_YORK) == local("2026-11-27T09:30", NEW_YORK)


def test_the_answer_is_utc_and_follows_the_change_of_clocks() -> None:
    due = due_at(TABLE, Tier.HOT, local("2026-03-27T16:30"), BERLIN)  # clocks go forward on the 29th
    assert due.tzinfo is UTC
    assert due == datetime(2026, 3, 30, 7, 30, tzinfo=UTC)


def test_an_owners_own_hours_go_before_those_of_all() -> None:
    early = BERLIN.model_copy(update={"hours": WorkingHours(start=6, end=12)})
    assert due_at(TABLE, Tier.HOT, local("2026-11-18T06:30"), early) == local("2026-11-18T07:30")
    assert due_at(TABLE, Tier.HOT, local("2026-11-18T11:30"), early) == local("2026-11-19T06:30")
    assert due_at(TABLE, Tier.WARM, local("2026-11-18T10:00"), early) == local("2026-11-19T12:00")


@pytest.mark.parametrize("hours", [8, 9, 17, 40])
def test_hours_beyond_one_day_are_spread_over_days(hours: int) -> None:
    table = TABLE.model_copy(update={"hot": Delay(hours=hours)})
    due = due_at(table, Tier.HOT, local("2026-11-16T09:00"), BERLIN)  # a Monday
    days, rest = divmod(hours - 1, 8)
    assert due == local("2026-11-16T09:00") + timedelta(days=days, hours=rest + 1)


moments = some.integers(1_700_000_000, 1_900_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))


@given(moments, some.sampled_from(list(Tier)), some.sampled_from([BERLIN, NEW_YORK]))
def test_due_is_in_the_future_in_working_hours_and_never_earlier_for_a_later_lead(
    now: datetime, tier: Tier, rep: Rep
) -> None:
    due = due_at(TABLE, tier, now, rep)
    there = due.astimezone(ZoneInfo(rep.timezone))
    assert due > now
    assert there.weekday() < 5
    assert 9 <= there.hour <= 17
    assert due <= due_at(TABLE, tier, now + timedelta(minutes=37), rep)
