"""Dates as people write them: each text says which days, counted from Monday, 2 November 2026."""

from __future__ import annotations

from datetime import date

import pytest

from revenueflow.domain.periods import Period, periods

DAY = date(2026, 11, 2)
FOUND = [
    ("go live in Q1 2027", "2027-01-01", "2027-03-31"),
    ("in the first quarter of 2027", "2027-01-01", "2027-03-31"),
    ("im 1. Quartal 2027", "2027-01-01", "2027-03-31"),
    ("next quarter", "2027-01-01", "2027-03-31"),
    ("nächstes Quartal", "2027-01-01", "2027-03-31"),
    ("this year", "2026-01-01", "2026-12-31"),
    ("last month", "2026-10-01", "2026-10-31"),
    ("next week", "2026-11-09", "2026-11-15"),
    ("H2 2027", "2027-07-01", "2027-12-31"),
    ("the second half of 2027", "2027-07-01", "2027-12-31"),
    ("in March", "2027-03-01", "2027-03-31"),
    ("in December", "2026-12-01", "2026-12-31"),
    ("March 2027", "2027-03-01", "2027-03-31"),
    ("March 1, 2027", "2027-03-01", "2027-03-01"),
    ("1 March 2027", "2027-03-01", "2027-03-01"),
    ("1. März 2027", "2027-03-01", "2027-03-01"),
    ("01.03.2027", "2027-03-01", "2027-03-01"),
    ("2027-03-01", "2027-03-01", "2027-03-01"),
    ("2027-03-01T09:30:00Z", "2027-03-01", "2027-03-01"),
    ("2027-03", "2027-03-01", "2027-03-31"),
    ("within 3 months", "2026-11-02", "2027-01-31"),
    ("in the next three months", "2026-11-02", "2027-01-31"),
    ("in drei Monaten", "2026-11-02", "2027-01-31"),
    ("within two weeks", "2026-11-02", "2026-11-16"),
    ("end of March 2027", "2027-03-21", "2027-03-31"),
    ("bis Jahresende", "2026-09-01", "2026-12-31"),
    ("by the end of the year", "2026-09-01", "2026-12-31"),
    ("early 2027", "2027-01-01", "2027-05-02"),
    ("as soon as possible", "2026-11-02", "2026-11-02"),
    ("in the 1990s", "1990-01-01", "1999-12-31"),
    ("since 2015", "2015-01-01", "2015-12-31"),
]


def only(text: str, day: date = DAY) -> Period:
    (found,) = periods(text, day)
    return found


@pytest.mark.parametrize(("text", "low", "high"), FOUND, ids=[text for text, _, _ in FOUND])
def test_a_date_in_a_sentence(text: str, low: str, high: str) -> None:
    found = only(f"They say {text}, if all goes well.")
    assert (date.fromordinal(found.low).isoformat(), date.fromordinal(found.high).isoformat()) == (low, high)


@pytest.mark.parametrize(
    "text",
    [
        "They may buy it",
        "a march of 2,000 people",
        "240 employees in 31 offices",
        "version 2.0 of Atlas",
        "31.02.2027",
        "In sec. 13.14.2027",
        "FräsPro 500",
        "half of the team",
        "",
    ],
)
def test_what_is_no_date(text: str) -> None:
    assert [found for found in periods(text, DAY) if not found.year_only] == []


def test_by_a_day_means_any_day_before() -> None:
    claimed, said = only("by June 2027"), only("in March 2027")
    assert said.within(claimed) and not claimed.within(said)
    assert only("no later than March 2027").until and not only("March 2027").until


def test_relative_dates_move_with_the_day_and_absolute_ones_stay() -> None:
    later = date(2028, 5, 2)
    assert only("next quarter", later).apart(only("next quarter"))
    assert only("Q1 2027", later) == only("Q1 2027")


def test_the_place_is_that_of_the_words() -> None:
    text = "We start in Q1 2027 or in May 2028."
    assert [text[found.start : found.end] for found in periods(text, DAY)] == ["Q1 2027", "May 2028"]


def test_a_plain_year_and_a_vague_word_are_marked() -> None:
    assert only("in 2027").year_only and not only("early 2027").year_only
    assert only("launched recently").vague and not only("last month").vague


def test_a_far_day_is_no_error() -> None:
    assert periods("vor 999 Jahren, within 999 years", date(1, 1, 1)) is not None
    assert periods("next year", date(9999, 12, 31)) == ()
