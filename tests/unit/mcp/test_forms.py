"""Wrong forms of what a call says: denied by name, and never an error of the server."""

from __future__ import annotations

from uuid import uuid4

import pytest

from revenueflow.mcp import checks
from revenueflow.mcp.call import Call, Caller, Denied
from revenueflow.mcp.server import calls
from revenueflow.mcp.tools import TOOLS

CALLER = Caller("agent:a", "agent")


def refusal(call: Call) -> str:
    with pytest.raises(Denied) as told:
        checks.arguments_fit(call, TOOLS[call.tool])
    assert told.value.denial.code == "invalid_arguments"
    return told.value.denial.reason


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("idempotency_key", ""),
        ("idempotency_key", "x" * 201),
        ("idempotency_key", 5),
        ("idempotency_key", "half \ud800"),
        ("claims", {"/canary": "canary"}),
        ("claims", ["canary"]),
        ("dry_run", "no"),
    ],
)
def test_what_a_call_says_besides_is_named(name: str, value: object) -> None:
    given = {"lead_id": str(uuid4()), "owner_id": "o", "owner_name": "O", "reason": "r", "idempotency_key": "k"}
    call = calls.call_of(CALLER, "assign_owner", given | {name: value})
    assert refusal(call) == f"/{name}: wrong_form"


@pytest.mark.parametrize("moment", ["9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00"])
def test_a_time_that_utc_does_not_have_is_denied(moment: str) -> None:
    args = {"lead_id": str(uuid4()), "owner_id": "o", "subject": "s", "body": "b", "due_at": moment}
    assert refusal(Call("create_task", args, CALLER, "k")) == "/due_at: value_error"
