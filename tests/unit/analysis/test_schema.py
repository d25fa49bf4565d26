"""The answer is checked by us, and the schema that we send asks for just that form."""

from __future__ import annotations

from typing import Any

import jsonschema
import orjson
import pytest

from revenueflow.analysis.schema import ANSWER_SCHEMA, analysis, read
from revenueflow.domain.claim import ClaimField
from tests.unit.analysis.evidence import prompt

CLAIM: dict[str, Any] = {
    "field": "headcount",
    "value": 240,
    "statement": "It has 240 employees.",
    "citations": [{"evidence_id": "E1", "json_path": "$.headcount", "quote": "240"}],
}
GOOD: dict[str, Any] = {"fit": 70, "intent": "low", "claims": [CLAIM]}


@pytest.mark.parametrize("value", ["text", 240, 1.5, True, ["a", "b"], None])
def test_a_good_answer_passes_the_schema_and_our_own_check(value: object) -> None:
    answer = GOOD | {"claims": [CLAIM | {"value": value}]}
    jsonschema.validate(answer, ANSWER_SCHEMA)
    found = read(orjson.dumps(answer).decode())
    assert found is not None
    assert found.claims[0].value == value
    assert type(found.claims[0].value) is type(value)


@pytest.mark.parametrize(
    "change",
    [
        {"fit": 101},
        {"fit": None},
        {"intent": "very high"},
        {"claims": None},
        {"claims": [CLAIM | {"field": "mood"}]},
        {"claims": [CLAIM | {"verdict": "supported"}]},
        {"claims": [CLAIM | {"value": {"a": 1}}]},
        {"claims": [CLAIM | {"citations": [{"quote": "240"}]}]},
        {"claims": [CLAIM | {"statement": ""}]},
        {"claims": [CLAIM | {"statement": "x" * 1001}]},
        {"claims": [CLAIM] * 41},
        {"owner": "me"},
    ],
)
def test_another_form_is_no_answer(change: dict[str, Any]) -> None:
    assert read(orjson.dumps(GOOD | change).decode()) is None


@pytest.mark.parametrize(
    "text", ["", "{", "null", "[]", "NaN", '{"fit": NaN, "intent": "low", "claims": []}', "```json\n{}\n```"]
)
def test_garbage_is_no_answer(text: str) -> None:
    assert read(text) is None


def test_claims_are_numbered_by_position() -> None:
    answer = read(orjson.dumps(GOOD | {"claims": [CLAIM, CLAIM | {"field": "other"}]}).decode())
    assert answer is not None
    made = analysis(answer, prompt(), analyst="gemini", model="m")
    assert [(claim.id, claim.field) for claim in made.claims] == [
        ("C1", ClaimField.HEADCOUNT),
        ("C2", ClaimField.OTHER),
    ]
    assert (made.prompt_version, made.fit) == ("analyse-2", 70)
