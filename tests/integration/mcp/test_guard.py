"""The guard: what it refuses, in which order, and what it says and writes down about it."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest

from revenueflow.domain.action import CallStatus, ToolResult
from revenueflow.mcp.call import Call, Caller
from tests.support.calls import (
    CANARY,
    add_claim,
    agent,
    events,
    message,
    once,
    operator,
    owner,
    pipeline,
    states,
    upsert,
    with_policy,
)
from tests.support.house import House

CALLERS: dict[str, Caller] = {"agent": agent(), "operator": operator()}


async def denied(home: House, call: Call, code: str) -> ToolResult:
    """The call is denied with this code: nothing is planned or sent, and one event without the caller's text."""
    before = len(events(home))
    result = await once(home, call)
    assert result.status is CallStatus.DENIED
    assert result.denial is not None
    assert result.denial.code == code
    assert CANARY not in result.model_dump_json()
    (event,) = events(home)[before:]
    detail = orjson.loads(event["detail"])
    assert (event["outcome"], event["actor"], detail) == ("denied", "guard", {"code": code, "caller": call.caller.id})
    assert CANARY not in str(event)
    assert states(home) == []
    assert await home.calls("crm") == await home.calls("slack") == 0
    return result


async def test_the_kill_switch_stops_every_write(home: House, tmp_path: Path) -> None:
    with_policy(home, tmp_path, ("kill_switch = false", "kill_switch = true"))
    await denied(home, owner(uuid4(), operator()), "kill_switch")


async def test_the_stop_of_writes_is_obeyed_without_a_restart(home: House) -> None:
    async with home.registry() as registry:
        done = owner(uuid4(), operator(), "k-done")
        assert (await registry.call(done)).status is CallStatus.CONFIRMED
        await home.sandbox.break_("crm", lose_answer_rate=1)
        unclear = owner(uuid4(), operator(), "k-unclear")
        assert (await registry.call(unclear)).status is CallStatus.UNKNOWN
        await home.sandbox.break_("crm")
        home.rows("INSERT INTO controls (name, value, set_by) VALUES ('writes_stopped', 'true', 'test')")
        fresh = owner(uuid4(), operator(), "k-fresh")
        refused = await registry.call(fresh)
        assert (refused.status, refused.denial and refused.denial.code) == (CallStatus.DENIED, "kill_switch")
        assert (await registry.call(done)).replayed
        assert (await registry.call(unclear)).status is CallStatus.CONFIRMED  # read back, not written
        assert len(await home.sandbox.records()) == 2
        home.rows("DELETE FROM controls")
        assert (await registry.call(fresh)).status is CallStatus.CONFIRMED


async def test_read_only_stops_every_write(home: House, tmp_path: Path) -> None:
    with_policy(home, tmp_path, ("read_only = false", "read_only = true"))
    await denied(home, owner(uuid4(), operator()), "read_only")


async def test_the_kill_switch_comes_before_everything_else(home: House, tmp_path: Path) -> None:
    with_policy(
        home, tmp_path, ("kill_switch = false", "kill_switch = true"), ("read_only = false", "read_only = true")
    )
    await denied(home, Call("delete_lead", {"x": CANARY}, agent()), "kill_switch")


async def test_a_dry_run_checks_everything_and_writes_nothing(home: House, tmp_path: Path) -> None:
    with_policy(home, tmp_path, ("dry_run = false", "dry_run = true"))
    await denied(home, Call("delete_lead", {}, operator()), "unknown_tool")
    result = await once(home, owner(uuid4(), operator()))
    assert result.status is CallStatus.DRY_RUN
    assert states(home) == []
    assert await home.sandbox.records() == []
    assert [(event["action"], event["outcome"]) for event in events(home)[1:]] == [("crm.assign_owner", "dry_run")]


@pytest.mark.parametrize("tool", ["delete_lead", "delete_contact", "upsert_leads", "", "UPSERT_LEAD", CANARY])
async def test_a_tool_that_is_not_listed_is_denied(home: House, tool: str) -> None:
    await denied(home, Call(tool, {"lead_id": str(uuid4())}, operator(), "k1"), "unknown_tool")
    assert events(home)[0]["action"] == "crm.unlisted"


LEAD_ID = "11111111-1111-4111-8111-111111111111"
SCORE = {"lead_id": LEAD_ID, "score": 70, "tier": "hot", "intent": "high", "profile": "grounded", "reason": "r"}
TASK = {"lead_id": LEAD_ID, "owner_id": "o", "subject": "s", "body": "b", "due_at": "2026-11-20T10:00:00Z"}
WRONG: dict[str, tuple[str, dict[str, Any]]] = {
    "extra field": ("set_lead_score", SCORE | {"owner": CANARY}),
    "missing field": ("set_lead_score", {k: v for k, v in SCORE.items() if k != "reason"}),
    "number as text": ("set_lead_score", SCORE | {"score": "70"}),
    "number with a fraction": ("set_lead_score", SCORE | {"score": 70.0}),
    "boolean for a number": ("set_lead_score", SCORE | {"score": True}),
    "out of range": ("set_lead_score", SCORE | {"score": 101}),
    "text as number": ("set_lead_score", SCORE | {"reason": 5}),
    "unknown tier": ("set_lead_score", SCORE | {"tier": CANARY}),
    "no uuid": ("set_lead_score", SCORE | {"lead_id": CANARY}),
    "too long": ("set_lead_score", SCORE | {"intent": CANARY * 30}),
    "nothing": ("set_lead_score", {}),
    "object for text": ("set_lead_score", SCORE | {"reason": {"$ne": CANARY}}),
    "NUL in text": ("set_lead_score", SCORE | {"reason": f"{CANARY}\x00"}),
    "a number for a time": ("create_task", TASK | {"due_at": 1_800_000_000}),
    "a number in text for a time": ("create_task", TASK | {"due_at": "1800000000"}),
    "a time without zone": ("create_task", TASK | {"due_at": "2026-11-20T10:00:00"}),
}


@pytest.mark.parametrize("name", WRONG)
async def test_arguments_must_fit_exactly(home: House, name: str) -> None:
    tool, args = WRONG[name]
    result = await denied(home, Call(tool, args, operator(), "k1"), "invalid_arguments")
    assert result.denial is not None
    assert result.denial.reason.startswith("/")


async def test_arguments_that_fit_are_taken(home: House) -> None:
    for key, (tool, args) in enumerate([("set_lead_score", SCORE), ("create_task", TASK)]):
        result = await once(home, Call(tool, args, operator(), f"k{key}"))
        assert result.status is CallStatus.CONFIRMED, result


async def test_a_role_may_use_only_its_tools(home: House) -> None:
    points = {"score": 99, "tier": "hot", "intent": "high", "profile": "p", "reason": CANARY}
    await denied(home, Call("set_lead_score", {"lead_id": str(uuid4()), **points}, agent(), "k0"), "role")
    await denied(home, Call("post_message", message(uuid4(), agent()).args, operator(), "k1"), "role")


async def test_arguments_are_checked_before_the_role(home: House) -> None:
    await denied(home, Call("assign_owner", {"x": CANARY}, agent(), "k1"), "invalid_arguments")


@pytest.mark.parametrize("key", [None, ""])
async def test_whoever_is_not_the_pipeline_must_give_a_key(home: House, key: str | None) -> None:
    await denied(home, owner(uuid4(), operator(), key), "idempotency_key_missing")


async def rejected_claim(home: House, name: str) -> tuple[UUID, dict[str, UUID]]:
    """A lead, and claims that must not carry its headcount of 240."""
    lead = await home.deliver()
    lease = await home.leased(lead)
    other = await home.leased(await home.deliver(email="other@larkvale-systems.example"))
    columns: dict[str, dict[str, Any]] = {
        "another lead's": {"lead_id": other.lead_id},
        "contradicted": {"verdict": "contradicted"},
        "unsupported": {"verdict": "unsupported"},
        "ambiguous": {"verdict": "ambiguous"},
        "not checkable": {"verdict": "not_checkable"},
        "of another field": {"field": "revenue"},
        "of another value": {"value": "24"},
    }
    if name == "none":
        return lead, {}
    if name == "unheard of":
        return lead, {"/headcount": uuid4()}
    if name == "under another pointer":
        return lead, {"/industry": add_claim(home, lease)}
    return lead, {"/headcount": add_claim(home, lease, **columns[name])}


UNGROUNDED = [
    "none", "unheard of", "under another pointer", "another lead's", "contradicted", "unsupported", "ambiguous",
    "not checkable", "of another field", "of another value",
]  # fmt: skip


@pytest.mark.parametrize("name", UNGROUNDED)
async def test_a_grounded_field_needs_its_claim(home: House, tmp_path: Path, name: str) -> None:
    with_policy(home, tmp_path)
    lead, claims = await rejected_claim(home, name)
    await denied(home, upsert(lead, agent(), headcount=240, claims=claims), "ungrounded")


async def test_the_pipeline_needs_claims_too(home: House) -> None:
    lead = await home.deliver()
    lease = await home.leased(lead)
    await denied(home, upsert(lead, pipeline(lease), industry="software"), "ungrounded")


@pytest.mark.parametrize("value", [240, "240"])
async def test_a_supported_claim_carries_its_field(home: House, tmp_path: Path, value: object) -> None:
    with_policy(home, tmp_path)
    lead = await home.deliver()
    claims = {"/headcount": add_claim(home, await home.leased(lead))}
    result = await once(home, upsert(lead, agent(), headcount=value, claims=claims))
    assert result.status is CallStatus.CONFIRMED
    (record,) = await home.sandbox.records()
    assert record["fields"]["headcount"] == value


async def test_a_person_may_write_what_no_claim_says(home: House) -> None:
    result = await once(home, upsert(uuid4(), operator(), headcount=7))
    assert result.status is CallStatus.CONFIRMED


async def test_every_write_is_audited_without_what_is_written(home: House) -> None:
    lead = await home.deliver(email=CANARY)
    fields = {"email": CANARY, "name": "Cana Ry", "phone": "+1 999 555 0199"}
    await once(home, upsert(lead, operator(), **fields))
    told = [(event["action"], event["outcome"]) for event in events(home)]
    assert told == [("crm.upsert_lead", "planned"), ("crm.upsert_lead", "confirmed")]
    (action,) = home.rows("SELECT * FROM actions")
    assert {event["action_key"] for event in events(home)} == {action["action_key"]}
    for secret in fields.values():
        assert secret not in str(events(home))
