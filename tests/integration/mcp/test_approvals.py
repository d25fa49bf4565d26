"""Approvals: a person's word on one exact call, once, for a time."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest

from revenueflow.domain.action import CallStatus, ToolResult
from revenueflow.errors import Conflict, NotAllowed, NotFound
from revenueflow.mcp.approvals import decide
from revenueflow.mcp.call import Call
from tests.support.calls import CANARY, add_lead, agent, calling, events, once, operator, owner, states, with_policy
from tests.support.house import House

OPERATORS = ('roles = ["agent"]\noutside_campaign = true', 'tools = ["assign_owner"]')
"""A rule for everybody's assign_owner."""


@pytest.fixture
def asking(home: House, tmp_path: Path) -> House:
    """A house in which a person must approve each assign_owner, whoever asks."""
    with_policy(home, tmp_path, OPERATORS)
    return home


def approval_of(result: ToolResult) -> UUID:
    assert result.status is CallStatus.NEEDS_APPROVAL, result
    assert result.denial is not None
    assert result.denial.code == "approval_required"
    assert result.result is not None
    return UUID(str(result.result["approval_id"]))


async def decided(
    home: House, approval: UUID, how: Any = "approved", by: str = "key:boss", role: str = "operator"
) -> Any:
    return await decide(home.database, approval, how, by=by, role=role)


def said(home: House) -> list[str]:
    return [f"{event['action']} {event['outcome']}" for event in events(home)]


def refused(result: ToolResult, code: str) -> None:
    assert result.status is CallStatus.DENIED, result
    assert result.denial is not None
    assert result.denial.code == code


async def test_an_approved_call_is_made_by_the_same_call_again(asking: House) -> None:
    call = owner(add_lead(asking), agent())
    approval = approval_of(await once(asking, call))
    assert approval_of(await once(asking, call)) == approval  # nothing new is asked
    assert states(asking) == []
    assert await asking.calls("crm") == 0
    await decided(asking, approval)
    assert (await once(asking, call)).status is CallStatus.CONFIRMED
    again = await once(asking, call)
    assert (again.status, again.replayed) == (CallStatus.CONFIRMED, True)
    assert asking.value("SELECT state FROM approvals") == "used"
    assert await asking.calls("crm") == 1
    assert said(asking) == [
        "approval.asked asked", "crm.assign_owner needs_approval", "crm.assign_owner needs_approval",
        "approval.approved approved", "approval.used used", "crm.assign_owner planned", "crm.assign_owner confirmed",
        "crm.assign_owner replayed",
    ]  # fmt: skip


async def test_a_retry_after_a_failed_try_needs_no_second_approval(asking: House) -> None:
    call = owner(add_lead(asking), agent())
    await decided(asking, approval_of(await once(asking, call)))
    await asking.sandbox.break_("crm", error_rate=1, status=429)
    assert (await once(asking, call)).status is CallStatus.DELAYED
    await asking.sandbox.break_("crm")
    assert (await once(asking, call)).status is CallStatus.CONFIRMED


async def test_an_approval_fits_no_other_argument_key_or_caller(asking: House) -> None:
    lead = add_lead(asking)
    call = owner(lead, agent())
    await decided(asking, approval_of(await once(asking, call)))
    refused(await once(asking, owner(lead, agent(), to="eve")), "idempotency_conflict")
    refused(await once(asking, owner(uuid4(), agent())), "idempotency_conflict")  # another lead
    approval_of(await once(asking, owner(lead, agent(), "k2")))  # replayed under another key
    approval_of(await once(asking, owner(lead, operator())))  # by another caller
    assert states(asking) == []
    assert (await once(asking, call)).status is CallStatus.CONFIRMED
    refused(await once(asking, owner(lead, agent(), to="eve")), "idempotency_conflict")
    assert await asking.calls("crm") == 1


async def test_a_refused_call_stays_refused(asking: House) -> None:
    call = owner(add_lead(asking), agent())
    await decided(asking, approval_of(await once(asking, call)), "denied")
    for _ in range(2):
        refused(await once(asking, call), "approval_denied")
    assert states(asking) == []


@pytest.mark.parametrize("approved", [False, True])
async def test_an_expired_approval_lets_nothing_through(asking: House, approved: bool) -> None:
    call = owner(add_lead(asking), agent())
    approval = approval_of(await once(asking, call))
    if approved:
        await decided(asking, approval)
    asking.rows("UPDATE approvals SET expires_at = now() - interval '1 second'")
    for _ in range(2):
        refused(await once(asking, call), "approval_expired")
    with pytest.raises(Conflict):
        await decided(asking, approval)
    assert states(asking) == []
    assert "approval.expired expired" in said(asking)


async def test_of_two_people_one_has_decided(asking: House) -> None:
    approval = approval_of(await once(asking, owner(add_lead(asking), agent())))
    people = [decided(asking, approval, how, by=f"key:{n}") for n, how in enumerate(["approved", "denied"] * 4)]
    told = await asyncio.gather(*people, return_exceptions=True)
    won = [one for one in told if not isinstance(one, BaseException)]
    assert len(won) == 1
    assert all(isinstance(one, Conflict) for one in told if isinstance(one, BaseException))
    (row,) = asking.rows("SELECT state, decided_by FROM approvals")
    assert (row["state"], row["decided_by"]) == (won[0]["state"], won[0]["decided_by"])
    assert len([line for line in said(asking) if line.startswith(("approval.approved", "approval.denied"))]) == 1


async def test_who_may_decide(asking: House, tmp_path: Path) -> None:
    approval = approval_of(await once(asking, owner(add_lead(asking), operator())))
    with pytest.raises(NotAllowed):
        await decided(asking, approval, role="agent")
    with pytest.raises(NotAllowed):
        await decided(asking, approval, by=operator().id)
    with pytest.raises(NotFound):
        await decided(asking, uuid4())
    asking.rows("UPDATE approvals SET approver = 'admin'")
    with pytest.raises(NotAllowed):
        await decided(asking, approval)
    await decided(asking, approval, role="admin")


async def test_several_processes_ask_once(asking: House) -> None:
    call = owner(add_lead(asking), agent())
    told = await asyncio.gather(*(once(asking, call) for _ in range(6)))
    assert len({approval_of(one) for one in told}) == 1
    assert asking.value("SELECT count(*) FROM approvals") == 1


async def test_an_agent_outside_its_campaign_asks(home: House, tmp_path: Path) -> None:
    with_policy(home, tmp_path, ('campaigns = ["*"]', 'campaigns = ["spring"]'))
    inside, outside = add_lead(home, "spring"), add_lead(home, "autumn")
    async with calling(home) as call:
        assert (await call(owner(inside, agent(), "k1"))).status is CallStatus.CONFIRMED
        approval_of(await call(owner(outside, agent(), "k2")))
        approval_of(await call(owner(uuid4(), agent(), "k3")))  # nobody knows this lead
        moved = Call("upsert_lead", {"lead_id": str(inside), "campaign_id": "autumn"}, agent(), "k4")
        approval_of(await call(moved))
        approval_of(await call(owner(inside, agent("agent:stranger"), "k5")))  # has no campaign
        assert (await call(owner(outside, operator(), "k6"))).status is CallStatus.CONFIRMED


async def test_the_trail_holds_nothing_of_what_is_asked(asking: House) -> None:
    await once(asking, owner(add_lead(asking), agent(), to=CANARY))
    assert CANARY not in str(events(asking))
    assert orjson.loads(asking.value("SELECT args::text FROM approvals"))["owner_id"] == CANARY


async def test_a_dry_run_of_what_a_person_must_approve_shows_nothing_of_the_record(asking: House) -> None:
    call = owner(add_lead(asking), agent())
    result = await once(asking, Call(call.tool, call.args, call.caller, "k", dry_run=True))
    assert result.status is CallStatus.DRY_RUN
    assert result.result is not None
    assert result.result["approval_rule"] == "outside_campaign"
    assert "difference" not in result.result
    assert await asking.calls("crm") == 0


PIPELINE = ('roles = ["agent"]\noutside_campaign = true', 'tools = ["assign_owner"]\nroles = ["pipeline"]')


async def test_a_run_waits_for_its_approval_without_spending_an_attempt(home: House, tmp_path: Path) -> None:
    with_policy(home, tmp_path, PIPELINE)
    lead = await home.deliver()
    job = await home.run(lead)
    assert (job["state"], job["step"], job["attempt"], job["error_class"]) == ("ready", "record", 0, "approval_needed")
    assert await home.run(lead) | {"rung_at": None} == job | {"rung_at": None}  # it is not due
    await decided(home, home.value("SELECT id FROM approvals"))
    job = await home.run(lead)
    assert job["state"] == "done"
    assert "approval.used" in [action for action, _ in home.audit(lead)]


async def test_a_run_whose_write_is_refused_is_parked(home: House, tmp_path: Path) -> None:
    with_policy(home, tmp_path, PIPELINE)
    lead = await home.deliver()
    await home.run(lead)
    await decided(home, home.value("SELECT id FROM approvals"), "denied")
    job = await home.run(lead)
    assert (job["state"], job["error_class"]) == ("parked", "guard_approval_denied")


async def test_a_run_whose_approval_expired_asks_again_when_a_person_retries(home: House, tmp_path: Path) -> None:
    with_policy(home, tmp_path, PIPELINE)
    lead = await home.deliver()
    await home.run(lead)
    home.rows("UPDATE approvals SET expires_at = now()")
    home.rows("UPDATE jobs SET run_at = now()")
    job = await home.run(lead)
    assert (job["state"], job["error_class"]) == ("parked", "guard_approval_expired")
    home.rows("UPDATE jobs SET state = 'ready', run_at = now()")
    job = await home.run(lead)
    assert (job["state"], job["error_class"]) == ("ready", "approval_needed")
    assert [row["state"] for row in home.rows("SELECT state FROM approvals ORDER BY id")] == ["expired", "pending"]
