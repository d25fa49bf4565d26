from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from revenueflow.domain.headcounts import BANDS, band, bounds


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (1, "1-10"),
        (10, "1-10"),
        (11, "11-50"),
        ("240", "201-500"),
        ("51-200", "51-200"),
        ("51-250", "51-200"),
        ("251-1K", "501-1000"),
        ("1K-5K", "1001-5000"),
        ("10k+", "10001+"),
        ("500+", "501-1000"),
        ("über 500", "501-1000"),
        ("1,200 employees", "1001-5000"),
        (0, None),
        (-3, None),
        (True, None),
        ("many", None),
        (None, None),
    ],
)
def test_band(value: JsonValue, name: str | None) -> None:
    assert band(value) == name


@given(st.integers(1, 10**9))
def test_every_number_lies_in_its_band(count: int) -> None:
    found = bounds(band(count) or "")
    assert found.low <= count <= (found.high or count)


@pytest.mark.parametrize("name", BANDS)
def test_a_band_is_its_own(name: str) -> None:
    assert band(name) == name
