"""What may follow what: the tables of policy.toml, and what a denial says."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from pydantic import ValidationError

from revenueflow.mcp import policy
from revenueflow.mcp.call import Caller, Checked, Denied
from revenueflow.mcp.policy import Transitions
from revenueflow.mcp.tools import TOOLS
from revenueflow.mcp.transitions import allowed
from tests.support.tool_calls import sample

POLICY = policy.load()
OPERATOR = Caller("key:o", "operator")


def checked(tool: str, **changes: Any) -> Checked:
    call = sample(tool, uuid4(), OPERATOR, **changes)
    return Checked(call, TOOLS[tool], TOOLS[tool].args.model_validate(call.args))


def refusal(call: Checked, held: dict[str, Any] | None) -> tuple[str, str | None] | None:
    try:
        allowed(call, POLICY, held)
    except Denied as denied:
        return denied.denial.code, denied.denial.needs
    return None


@pytest.mark.parametrize("current", list(POLICY.lead_status.next))
@pytest.mark.parametrize("wanted", [value for value in POLICY.lead_status.next if value != "converted"])
def test_every_pair_of_statuses_is_as_the_table_says(current: str, wanted: str) -> None:
    may = POLICY.lead_status.next[current]
    found = refusal(checked("update_lead_status", status=wanted), {"status": current})
    if wanted in may or wanted == current:
        assert found is None
    else:
        assert found == ("transition", f"one of: {', '.join(may) or 'none'}")


@pytest.mark.parametrize("current", list(POLICY.opportunity_stage.next))
@pytest.mark.parametrize("wanted", list(POLICY.opportunity_stage.next))
def test_every_pair_of_stages_is_as_the_table_says(current: str, wanted: str) -> None:
    found = refusal(checked("update_opportunity_stage", stage=wanted), {"stage": current})
    assert (found is None) == (wanted in POLICY.opportunity_stage.next[current] or wanted == current)


@pytest.mark.parametrize("wanted", [*POLICY.lead_status.next, "unheard-of"])
def test_a_lead_without_a_status_may_only_start(wanted: str) -> None:
    found = refusal(checked("update_lead_status", status=wanted), {"name": "x"})
    assert (found is None) == (wanted in POLICY.lead_status.start)


def test_a_value_that_no_table_has_is_denied_and_not_repeated() -> None:
    with pytest.raises(Denied) as caught:
        allowed(checked("update_lead_status", status="unheard-of"), POLICY, {"status": "working"})
    assert "unheard" not in caught.value.denial.model_dump_json()
    with pytest.raises(Denied) as caught:
        allowed(checked("update_lead_status"), POLICY, {"status": "Canary Person"})
    assert "Canary" not in caught.value.denial.model_dump_json()


def test_converted_is_reached_by_convert_lead_alone_and_left_by_nobody() -> None:
    assert refusal(checked("update_lead_status", status="converted"), {"status": "qualified"}) == (
        "transition", "convert_lead",
    )  # fmt: skip
    assert refusal(checked("convert_lead"), {"status": "qualified"}) is None
    for status in ("new", "working", "nurturing", "unqualified"):
        assert refusal(checked("convert_lead"), {"status": status}) is not None
    gone = {"status": "qualified", "converted": True}
    assert refusal(checked("convert_lead"), gone) == ("transition", "one of: none")
    assert refusal(checked("update_lead_status", status="working"), gone) == ("transition", "one of: none")


def test_what_follows_needs_a_record_and_what_creates_must_find_none() -> None:
    for tool in ("update_lead_status", "convert_lead", "update_opportunity_stage"):
        assert (refusal(checked(tool), None) or ("",))[0] == "record_missing"
    for tool in ("create_contact", "create_opportunity"):
        assert refusal(checked(tool), None) is None
        assert (refusal(checked(tool), {}) or ("",))[0] == "record_exists"


def test_an_opportunity_begins_at_the_start() -> None:
    assert refusal(checked("create_opportunity", stage="closed_won"), None) == (
        "transition", "one of: prospecting, qualification",
    )  # fmt: skip


def test_a_table_that_leads_nowhere_is_no_table() -> None:
    with pytest.raises(ValidationError):
        Transitions(start=["new"], next={"new": ["wrking"]})
    with pytest.raises(ValidationError):
        Transitions(start=["mew"], next={"new": []})
