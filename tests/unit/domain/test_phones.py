from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revenueflow.domain.phones import Phone, e164, time_zone, time_zones, understood


@pytest.mark.parametrize(
    ("raw", "country", "phone"),
    [
        ("030 123456", "DE", Phone("+4930123456", None, "DE")),
        ("030/12 34-56", "de", Phone("+4930123456", None, "DE")),
        ("+49 (0)30 123456", None, Phone("+4930123456", None, "DE")),
        ("0049 30 123456", "US", Phone("+4930123456", None, "DE")),
        ("(415) 555-2671 x123", "US", Phone("+14155552671", "123", "US")),
        ("+41 44 668 18 00 ext. 5", None, Phone("+41446681800", "5", "CH")),
        ("+800 1234 5678", None, Phone("+80012345678", None, None)),
    ],
)
def test_what_is_understood(raw: str, country: str | None, phone: Phone) -> None:
    assert understood(raw, country) == phone


@pytest.mark.parametrize(
    ("raw", "country"),
    [
        ("415-555-2671", None),
        ("12", "DE"),
        ("call me", "DE"),
        ("030 123456", "XX"),
        ("", "DE"),
        (None, "DE"),
        ("+" * 5000, "DE"),
    ],
)
def test_what_is_not(raw: str | None, country: str | None) -> None:
    assert understood(raw, country) is None
    assert e164(raw, country) is None


@given(
    st.text() | st.from_regex(r"[+(]?\d[\d ()/.-]{3,20}( ?x\d{1,4})?"), st.sampled_from([None, "DE", "US", "GB", "xx"])
)
def test_a_number_that_is_understood_stays_the_same(raw: str, country: str | None) -> None:
    found = e164(raw, country)
    assert found is None or e164(found) == e164(found, "US") == found


@pytest.mark.parametrize(
    ("phone", "country", "zone"),
    [
        ("+1 212 736 5000", None, "America/New_York"),
        ("(415) 555-2671", "US", "America/Los_Angeles"),
        ("+4930123456", "US", "Europe/Berlin"),
        ("+1 800 356 9377", "US", None),
        ("nonsense", "FR", "Europe/Paris"),
        (None, "cn", "Asia/Shanghai"),
        (None, "US", None),
        (None, None, None),
    ],
)
def test_time_zone(phone: str | None, country: str | None, zone: str | None) -> None:
    assert time_zone(phone, country) == zone


def test_all_zones_exist() -> None:
    assert all(ZoneInfo(name).key == name for name in time_zones().countries.values())
