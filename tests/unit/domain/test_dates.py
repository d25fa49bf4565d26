"""Dates as people write them, and what they surely mean."""

from __future__ import annotations

from datetime import date

import pytest

from revenueflow.domain.dates import Span, days, later, of_year, scan

DAY = date(1963, 8, 3)


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("August 3, 1963", "1963-08-03", "1963-08-03"),
        ("3 August 1963", "1963-08-03", "1963-08-03"),
        ("the 3rd of August, 1963", "1963-08-03", "1963-08-03"),
        ("Aug. 3rd 1963", "1963-08-03", "1963-08-03"),
        ("1963-08-03", "1963-08-03", "1963-08-03"),
        ("03.08.1963", "1963-08-03", "1963-08-03"),
        ("3. März 2019", "2019-03-03", "2019-03-03"),
        ("March 2019", "2019-03-01", "2019-03-31"),
        ("December of 2019", "2019-12-01", "2019-12-31"),
        ("Q3 2024", "2024-07-01", "2024-09-30"),
        ("the fourth quarter of 2024", "2024-10-01", "2024-12-31"),
        ("2015", "2015-01-01", "2015-12-31"),
        ("the 1990s", "1990-01-01", "1999-12-31"),
        ("the '90s", "1990-01-01", "1999-12-31"),
        ("1970's", "1970-01-01", "1979-12-31"),
        ("late 1980s", "1987-01-01", "1989-12-31"),
        ("the 18th century", "1701-01-01", "1800-12-31"),
        ("the nineteenth century", "1801-01-01", "1900-12-31"),
        ("spring of 1980", "1980-03-21", "1980-05-31"),
    ],
)
def test_what_is_surely_meant(text: str, first: str, last: str) -> None:
    found = scan(text)
    assert [(one.sure.first.isoformat(), one.sure.last.isoformat(), one.yearly) for one in found] == [
        (first, last, False)
    ]


@pytest.mark.parametrize(
    "text", ["it may be", "31.02.2020", "the 45th century", "1,963", "$1963", "19634", "1963.5", "version 2.0"]
)
def test_what_is_no_date(text: str) -> None:
    assert scan(text) == ()


@pytest.mark.parametrize(
    ("text", "day", "holds"),
    [
        ("the summer of 1963", DAY, True),
        ("the winter of 1963", DAY, False),
        ("the spring of 1963", date(1963, 6, 10), None),
        ("in August", DAY, True),
        ("in the summer", DAY, True),
        ("in the fall", DAY, False),
        ("in winter", date(1963, 1, 20), True),
        ("on August 3", DAY, True),
        ("on August 4", DAY, False),
        ("the early 1960s", date(1969, 1, 1), False),
        ("the mid 1960s", date(1963, 8, 3), None),
        ("the 1900s", DAY, None),
        ("mid 2000s", date(2005, 6, 1), True),
        ("mid 2000s", date(2006, 6, 1), None),
        ("the winter of 1963", date(1963, 12, 24), True),
        ("the winter of 1963", date(1963, 1, 24), None),
    ],
)
def test_a_day_in_it(text: str, day: date, holds: bool | None) -> None:
    assert scan(text)[0].holds(Span(day, day)) is holds


def test_a_year_is_in_no_season_and_in_every_month_of_nobody_knows_which() -> None:
    assert scan("in the winter")[0].holds(of_year(1963)) is None
    assert scan("winter of 1963")[0].holds(of_year(1963)) is None
    assert scan("winter of 1965")[0].holds(of_year(1963)) is False


def test_several_notations_of_one_day_are_one_day() -> None:
    assert days("(1963-08-03) August 3, 1963 (age 55), in 1963") == (Span(DAY, DAY),)


def test_later_stays_within_what_a_date_can_be() -> None:
    assert later(date(2000, 2, 29), 1) == date(2001, 2, 28)
    assert later(DAY, 9000).year == 9999
    assert later(DAY, -3000).year == 1
