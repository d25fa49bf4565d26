from __future__ import annotations

import pytest
from pydantic import JsonValue

from revenueflow.domain.evidence import Signal
from revenueflow.enrichment.mapping import (
    Unfit,
    amount_or_range,
    count,
    count_or_range,
    field,
    prose,
    read,
    text,
    texts,
    year,
)

TABLE = (field(Signal.HEADCOUNT, count_or_range, "metrics.employees", "metrics.range"),)


@pytest.mark.parametrize(
    ("answer", "facts", "reasons"),
    [
        ({"metrics": {"employees": 7, "range": "1-10"}}, [("$.metrics.employees", 7)], []),
        ({"metrics": {"employees": None, "range": "1-10"}}, [("$.metrics.range", "1-10")], []),
        ({"metrics": {"employees": [], "range": ""}}, [], []),
        ({"metrics": {"employees": True, "range": "1-10"}}, [("$.metrics.range", "1-10")], ["wrong_type"]),
        ({"metrics": {"employees": -1}}, [], ["out_of_range"]),
        ({"metrics": None}, [], []),
        ({}, [], []),
    ],
)
def test_the_first_usable_place_becomes_the_fact(
    answer: JsonValue, facts: list[tuple[str, JsonValue]], reasons: list[str]
) -> None:
    found, refused = read(answer, "$", TABLE)
    assert [(fact.path, fact.value) for fact in found] == facts
    assert [item.reason for item in refused] == reasons


@pytest.mark.parametrize(
    ("convert", "value", "reason"),
    [
        (text, 5, "wrong_type"),
        (text, "x" * 5000, "too_long"),
        (text, "a\x00b", "bad_characters"),
        (count, 1.5, "wrong_type"),
        (count, 10**16, "out_of_range"),
        (count, "240", "wrong_type"),
        (amount_or_range, {"usd": 1}, "wrong_type"),
        (year, 3000, "out_of_range"),
        (texts, ["a", 1], "wrong_type"),
        (texts, ["a"] * 501, "too_long"),
    ],
)
def test_what_is_refused(convert: object, value: JsonValue, reason: str) -> None:
    assert callable(convert)
    with pytest.raises(Unfit, match=f"^{reason}$"):
        convert(value)


def test_addresses_inside_text_are_replaced() -> None:
    assert prose("Mail sales@acme.example or +49 30 1234567.") == "Mail [EMAIL] or [PHONE]."
    assert text("CTO, ada@acme.example") == "CTO, [EMAIL]"
    assert count(240.0) == 240
