"""Opening hours in sentences, against those of a record."""

from __future__ import annotations

import pytest

from revenueflow.grounding.checks.free.hours import hours
from revenueflow.grounding.free.finding import Stance
from tests.unit.grounding.free.listing import RECORD, finding

TRUE = [
    "It is closed on Mondays.",
    "It is open Tuesday through Sunday.",
    "Open from 9 am to 6 pm from Tuesday to Thursday.",
    "Tuesday to Thursday 9-18, Friday 9:00 AM - 10:30 PM.",
    "It opens at 11:30 am and closes at 5 pm on Sundays.",
    "The hours are 11:30 to 1:00 on Saturday.",
    "It is open every day except Monday.",
    "It is open every day, except for Mondays when it is closed.",
    "It stays open until 10:30 pm on Fridays.",
    "It is not open on Mondays.",
    "Hours vary by day.",
    "It is open late on Fridays.",
    "With extended hours on weekends, it is open for long.",
]
FALSE = [
    "It is open seven days a week.",
    "It is open daily.",
    "Open Monday to Friday.",
    "Open from 9 am to 5 pm from Tuesday to Thursday.",
    "It is closed on Tuesdays.",
    "It is open until midnight on Fridays.",
    "On Sundays it is open from 10 am to 5 pm.",
    "It is open 24 hours a day.",
    "Open from 7 am to 9 pm.",
]
SILENT = [
    "Happy hour is from 4 to 6 pm on Mondays.",
    "A reviewer came on Monday at 8 pm.",
    "It opened an office.",
    "The staff is friendly.",
]


@pytest.mark.parametrize("statement", TRUE)
def test_hours_as_in_the_record_agree(statement: str) -> None:
    found = finding(hours, statement)
    assert found is None or found.stance is Stance.AGREES, found


@pytest.mark.parametrize("statement", FALSE)
def test_other_hours_disagree(statement: str) -> None:
    found = finding(hours, statement)
    assert found is not None
    assert found.stance is Stance.DISAGREES, found


@pytest.mark.parametrize("statement", SILENT)
def test_other_times_are_no_opening_hours(statement: str) -> None:
    assert finding(hours, statement) is None


def test_a_record_without_hours_backs_none() -> None:
    found = finding(hours, "It is open daily from 9 to 5.", RECORD | {"hours": None})
    assert found is not None
    assert found.stance is Stance.MISSING
    assert finding(hours, "The opening hours are not specified.", RECORD | {"hours": None}) is None


def test_midnight_to_midnight_on_all_days_is_around_the_clock() -> None:
    record = {"name": "X", "hours": {"Monday": "0:0-0:0", "Tuesday": "0:0-0:0"}}
    found = finding(hours, "It is open 24 hours on Mondays and Tuesdays.", record)
    assert found is not None
    assert found.stance is Stance.AGREES


def test_hours_that_are_said_to_be_equal_are_no_extended_ones() -> None:
    days = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
    record = {"name": "X", "hours": dict.fromkeys(days, "10:0-20:0")}
    for statement in ("It is open daily, with extended hours on weekends.", "Opening hours vary.", "It is open late."):
        found = finding(hours, statement, record)
        assert found is not None, statement
        assert found.stance is Stance.DISAGREES, statement
