"""Numbers as people write them."""

from __future__ import annotations

import time

import pytest
from pydantic import JsonValue

from revenueflow.domain.quantity import Money, Range, count_range, money, scan, year


@pytest.mark.parametrize(
    ("value", "low", "high"),
    [
        (240, 240, 240),
        ("240", 240, 240),
        ("51-200", 51, 200),
        ("51–200 people", 51, 200),
        ("10k+", 10_000, None),
        ("1,200 employees", 1200, 1200),
        ("1.200 Mitarbeiter", 1200, 1200),
        ("1 200", 1200, 1200),
        ("über 500", 500, None),
        ("more than 1,000", 1000, None),
        ("> 500", 500, None),
        ("500 or more", 500, None),
        ("10,001+", 10_001, None),
        ("5-10k", 5000, 10_000),
        ("under 50", 0, 50),
        ("1.5k", 1500, 1500),
        ("between 50 and 200", 50, 200),
        ("2 Mio", 2_000_000, 2_000_000),
        (12.0, 12, 12),
    ],
)
def test_counts(value: JsonValue, low: float, high: float | None) -> None:
    found = count_range(value)
    assert found is not None
    assert (found.low, found.high) == (low, high)


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        -3,
        float("nan"),
        float("inf"),
        "",
        "many",
        "Fortune 500 company",
        "50 %",
        "$500",
        "2 or 3 of 5",
        "-5",
        " −5000 employees",
        [240],
    ],
)
def test_what_is_no_count(value: JsonValue) -> None:
    assert count_range(value) is None


def test_about_is_kept() -> None:
    found = count_range("approx. 240")
    assert found == Range(low=240, high=240, approximate=True)


@pytest.mark.parametrize(
    ("value", "low", "high", "currency"),
    [
        (1.5e7, 15e6, 15e6, None),
        ("$10M-$50M", 10e6, 50e6, "USD"),
        ("25 Mio. €", 25e6, 25e6, "EUR"),
        ("over 3 million dollars", 3e6, None, "USD"),
        ("EUR 2.5 million", 2.5e6, 2.5e6, "EUR"),
        ("10-50 million USD", 10e6, 50e6, "USD"),
        ("$1,200,000", 1.2e6, 1.2e6, "USD"),
        ("$1.5B", 1.5e9, 1.5e9, "USD"),
        ("about $30M annual revenue", 30e6, 30e6, "USD"),
        ("£4m", 4e6, 4e6, "GBP"),
    ],
)
def test_money(value: JsonValue, low: float, high: float | None, currency: str | None) -> None:
    found = money(value)
    assert isinstance(found, Money)
    assert (found.amount.low, found.amount.high, found.currency) == (low, high, currency)


@pytest.mark.parametrize("value", ["Series B", "10 %", None, "$5M and $6M", "a Fortune 500 firm"])
def test_what_is_no_money(value: JsonValue) -> None:
    assert money(value) is None


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (2015, 2015),
        ("founded in 2015", 2015),
        ("2015-2016", None),
        (1499, None),
        (2015.5, None),
        (True, None),
        ("20150", None),
    ],
)
def test_years(value: JsonValue, found: int | None) -> None:
    assert year(value) == found


def test_every_number_of_a_sentence_is_found_and_letters_with_digits_are_none() -> None:
    text = "It has 240 employees, raised $12M in 2019, grew 30% and uses S3; founded 2015 and 300 strong."
    found = scan(text)
    assert [item.range.low for item in found] == [240, 12e6, 2019, 30, 2015, 300]
    assert [item.currency for item in found][1] == "USD"
    assert [item.percent for item in found][3] is True


def test_ranges_compare_with_tolerance() -> None:
    narrow, wide = Range(low=240, high=240), Range(low=201, high=None)
    assert narrow.within(wide)
    assert not wide.within(narrow)
    assert not narrow.overlaps(Range(low=250, high=250))
    assert narrow.overlaps(Range(low=250, high=250), tolerance=0.1)
    assert (wide.midpoint, Range(low=50, high=100).midpoint) == (201, 75)


@pytest.mark.parametrize(
    "text", ["1 " * 5000, "1," * 5000, "1" * 10_000, " " * 10_000 + "1", "1-" * 5000, "$" * 10_000]
)
def test_a_hostile_text_takes_no_longer_than_its_length(text: str) -> None:
    before = time.process_time()
    scan(text)
    assert time.process_time() - before < 1.0


@pytest.mark.parametrize(
    "value", ["9" * 400, "1" + "0" * 400 + " employees", 10**400, 1e300, float("inf"), float("nan")]
)
def test_absurd_counts_are_none(value: JsonValue) -> None:
    assert count_range(value) is None
