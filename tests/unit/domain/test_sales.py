"""Where a lead stands by what was told of it, and amounts in minor units."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as some

from revenueflow.domain.sales import OutcomeKind, SalesOutcome, minor_units, outcome_id, stage_of

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
TOUCHED, MEETING, CONVERTED, WON, LOST = OutcomeKind


def at(hour: int) -> datetime:
    return NOON + timedelta(hours=hour)


@pytest.mark.parametrize(
    ("told", "stage"),
    [
        ([], None),
        ([(TOUCHED, at(0))], TOUCHED),
        ([(MEETING, at(0)), (TOUCHED, at(1))], MEETING),
        ([(CONVERTED, at(0)), (MEETING, at(1))], CONVERTED),
        ([(LOST, at(1)), (MEETING, at(2))], LOST),
        ([(LOST, at(1)), (WON, at(2))], WON),
        ([(WON, at(1)), (LOST, at(2))], LOST),
    ],
)
def test_the_stage(told: list[tuple[OutcomeKind, datetime]], stage: OutcomeKind | None) -> None:
    assert {stage_of(order) for order in permutations(told)} == {stage}


@given(some.lists(some.tuples(some.sampled_from(OutcomeKind), some.integers(0, 9).map(at)), max_size=6))
def test_the_order_of_telling_plays_no_part(told: list[tuple[OutcomeKind, datetime]]) -> None:
    assert stage_of(told) == stage_of(reversed(told))


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [("1200.50", "EUR", 120050), ("0", "USD", 0), ("1000", "JPY", 1000), ("1.234", "KWD", 1234), (" 7 ", "EUR", 700)],
)
def test_amounts(amount: str, currency: str, minor: int) -> None:
    assert minor_units(amount, currency) == minor


@pytest.mark.parametrize(
    ("amount", "currency"),
    [("1.234", "EUR"), ("1.5", "JPY"), ("-1", "EUR"), ("NaN", "EUR"), ("Infinity", "EUR"), ("", "EUR"), ("1,5", "EUR"),
     ("1e30", "EUR"), ("1e999999999", "EUR"), ("s3cr3t", "EUR")],
)  # fmt: skip
def test_what_is_no_amount(amount: str, currency: str) -> None:
    with pytest.raises(ValueError, match="must be an amount") as caught:
        minor_units(amount, currency)
    assert amount not in str(caught.value) or not amount


def test_one_statement_has_one_id() -> None:
    lead = uuid4()
    said = SalesOutcome(outcome=WON, at=NOON, value_minor=5, currency="EUR")
    elsewhere = said.model_copy(update={"at": datetime.fromisoformat("2026-11-20T13:00:00+01:00")})
    assert outcome_id(lead, said) == outcome_id(lead, elsewhere)
    others = [
        outcome_id(uuid4(), said),
        *(outcome_id(lead, said.model_copy(update=one)) for one in ({"outcome": LOST}, {"at": at(1)},
          {"value_minor": 6}, {"currency": "USD"}, {"value_minor": None, "currency": None})),
    ]  # fmt: skip
    assert len({outcome_id(lead, said), *others}) == len(others) + 1
