"""The tools as clients see them: names, descriptions, hints and schemas."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from pydantic import ValidationError

from revenueflow.domain.action import CallStatus
from revenueflow.mcp.tools import TOOLS, Tool
from tests.support.tool_calls import SAMPLES

EXPOSED = [tool for tool in TOOLS.values() if tool.exposed]
LEAD = str(uuid4())


def given(tool: Tool, **changes: Any) -> dict[str, Any]:
    return {"lead_id": LEAD, **SAMPLES[tool.name].args, **changes}


def test_there_are_fourteen_tools_for_agents() -> None:
    assert {tool.name for tool in EXPOSED} == set(SAMPLES)
    assert len(EXPOSED) == 14


def test_nothing_deletes() -> None:
    assert [name for name in TOOLS if "delete" in name or "merge" in name] == []


@pytest.mark.parametrize("tool", EXPOSED, ids=lambda tool: tool.name)
class TestEach:
    def test_is_described_in_all_its_parts(self, tool: Tool) -> None:
        assert 20 < len(tool.description) < 400
        schema = tool.args.model_json_schema()
        assert schema["additionalProperties"] is False
        assert "lead_id" in schema["required"]

    def test_takes_its_arguments_and_says_what_is_written(self, tool: Tool) -> None:
        fields = tool.fields(tool.args.model_validate(given(tool)))
        assert SAMPLES[tool.name].written.items() <= fields.items()
        assert tool.object_type == SAMPLES[tool.name].object_type

    def test_refuses_what_it_does_not_know(self, tool: Tool) -> None:
        with pytest.raises(ValidationError):
            tool.args.model_validate(given(tool, is_admin=True))

    @pytest.mark.parametrize("wrong", [7, None, True, ["x"], {"$ne": "x"}])
    def test_refuses_other_types(self, tool: Tool, wrong: object) -> None:
        for name in ("lead_id", *SAMPLES[tool.name].args):
            if name == "headcount" and wrong == 7:
                continue
            if name in ("score", "amount_minor", "headcount", "reason", "name", "currency") and wrong in (7, None):
                continue
            with pytest.raises(ValidationError):
                tool.args.model_validate(given(tool, **{name: wrong}))

    def test_its_texts_have_an_end(self, tool: Tool) -> None:
        texts = [name for name, value in SAMPLES[tool.name].args.items() if isinstance(value, str)]
        for name in texts:
            with pytest.raises(ValidationError):
                tool.args.model_validate(given(tool, **{name: "a" * 8001}))

    def test_its_answer_has_a_schema_that_its_answers_fit(self, tool: Tool) -> None:
        schema = tool.result.model_json_schema()
        assert {"status", "denial", "retry_after", "result"} <= schema["properties"].keys()
        told = {"found": True, "record": {}} if tool.reads else {"reason": "rate_limited", "tries": 1}
        tool.result(status=CallStatus.CONFIRMED, result=told)
        with pytest.raises(ValidationError):
            tool.result.model_validate({"status": "confirmed", "result": {"secret": 1}})

    def test_hints_do_not_contradict_each_other(self, tool: Tool) -> None:
        assert not (tool.hints.read_only and tool.hints.destructive)
        assert tool.hints.idempotent
        assert tool.reads == (tool.name in ("get_lead", "match_account"))


def test_no_two_tools_write_the_same_field_of_one_record() -> None:
    names = {"lead_id", "opportunity", "domain"}
    seen: set[tuple[str, str]] = set()
    for tool in (one for one in EXPOSED if not one.reads):
        written = {tool.renamed.get(name, name) for name in tool.args.model_fields} | set(tool.adds)
        of_record = {(tool.object_type, name) for name in written - names}
        if tool.name != "update_opportunity_stage":
            assert not of_record & seen, tool.name
        seen |= of_record


@pytest.mark.parametrize(
    ("tool", "changes"),
    [
        ("create_opportunity", {"amount_minor": -1}),
        ("create_opportunity", {"amount_minor": 10.0}),
        ("create_opportunity", {"currency": "eur"}),
        ("create_opportunity", {"close_on": "tomorrow"}),
        ("create_opportunity", {"close_on": 20_000}),
        ("create_opportunity", {"close_on": "2026-12-24T00:00:00Z"}),
        ("create_opportunity", {"opportunity": "../x"}),
        ("match_account", {"domain": "Larkvale.Example"}),
        ("match_account", {"domain": "x.example\n"}),
        ("match_account", {"domain": "https://x.example"}),
        ("match_account", {"domain": "x"}),
        ("sync_firmographics", {"founded_year": 99}),
        ("log_activity", {"kind": "spell"}),
        ("update_lead_status", {"status": "Working"}),
        ("update_lead_status", {"status": "working\n"}),
        ("add_to_campaign", {"campaign": "a\x00b"}),
    ],
)
def test_refused_values(tool: str, changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        TOOLS[tool].args.model_validate(given(TOOLS[tool], **changes))
