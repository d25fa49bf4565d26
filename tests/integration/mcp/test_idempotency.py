"""One effect per key."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest

from revenueflow.domain.action import CallStatus
from revenueflow.errors import LeaseLost
from tests.support.calls import calling, once, operator, owner, pipeline, settle, states, upsert
from tests.support.house import House


async def test_the_same_call_again_is_answered_from_memory(home: House) -> None:
    call = owner(uuid4(), operator())
    first, again = await once(home, call), await once(home, call)
    assert (first.status, first.replayed) == (CallStatus.CONFIRMED, False)
    assert again.model_copy(update={"replayed": False}) == first
    assert again.replayed
    assert await home.calls("crm") == 1
    assert states(home) == ["confirmed"]


async def test_a_key_is_not_to_be_used_for_something_else(home: House) -> None:
    lead = uuid4()
    await once(home, owner(lead, operator()))
    result = await once(home, owner(lead, operator(), to="marcus-bell"))
    assert result.denial is not None
    assert (result.status, result.denial.code) == (CallStatus.DENIED, "idempotency_conflict")
    assert "marcus" not in result.model_dump_json()
    (record,) = await home.sandbox.records()
    assert record["fields"]["owner_id"] == "dana-whitfield"


async def test_a_key_that_was_used_with_another_tool_is_a_conflict(home: House) -> None:
    lead = uuid4()
    await once(home, upsert(lead, operator(), company="Larkvale"))
    result = await once(home, owner(lead, operator()))
    assert result.denial is not None
    assert result.denial.code == "idempotency_conflict"
    assert await home.calls("crm") == 1


async def test_keys_belong_to_their_callers(home: House) -> None:
    lead = uuid4()
    one = await once(home, owner(lead, operator("key:1")))
    other = await once(home, owner(lead, operator("key:2"), to="marcus-bell"))
    assert (one.status, other.status, other.replayed) == (CallStatus.CONFIRMED, CallStatus.CONFIRMED, False)
    assert one.action_id != other.action_id


async def test_the_pipelines_key_follows_from_its_lease(home: House) -> None:
    lead = await home.deliver()
    lease = await home.leased(lead)
    first = await once(home, owner(lead, pipeline(lease), None))
    home.rows("UPDATE jobs SET lease_token = lease_token + 1")
    again = await once(home, owner(lead, pipeline(lease._replace(token=lease.token + 1)), "ignored"))
    assert (again.action_id, again.replayed) == (first.action_id, True)
    assert await home.calls("crm") == 1


async def test_the_same_call_many_times_at_once_is_one_effect(home: House) -> None:
    await home.sandbox.break_("crm", latency_ms=100)
    call = owner(uuid4(), operator())
    async with calling(home) as ask:
        answers = await asyncio.gather(*(ask(call) for _ in range(8)), return_exceptions=True)
    (record,) = await home.sandbox.records()
    assert states(home) == ["confirmed"]
    assert all(answer.status in (CallStatus.CONFIRMED, CallStatus.UNKNOWN) for answer in answers), answers
    assert len(record["writes"]) == 1
    assert record["fields"]["owner_id"] == "dana-whitfield"


async def test_what_the_crm_refuses_stays_refused(home: House) -> None:
    await home.sandbox.break_("crm", error_rate=1, status=422)
    call = owner(uuid4(), operator())
    first = await once(home, call)
    assert (first.status, first.result) == (CallStatus.FAILED, {"reason": "invalid"})
    await home.sandbox.break_("crm")
    again = await once(home, call)
    assert (again.status, again.replayed, again.result) == (CallStatus.FAILED, True, {"reason": "invalid"})
    assert await home.calls("crm") == 1


async def test_without_the_lease_nothing_is_sent(home: House) -> None:
    lead = await home.deliver()
    lease = await home.leased(lead)
    home.rows("UPDATE jobs SET lease_token = lease_token + 1")
    async with calling(home) as ask:
        with pytest.raises(LeaseLost):
            await ask(owner(lead, pipeline(lease), None))
    assert await home.calls("crm") == 0
    assert states(home) == ["planned"]


async def test_a_lease_that_is_lost_stops_a_repetition_too(home: House) -> None:
    await home.sandbox.break_("crm", error_rate=1, status=429)
    lead = await home.deliver()
    lease = await home.leased(lead)
    assert (await once(home, owner(lead, pipeline(lease), None))).status is CallStatus.DELAYED
    home.rows("UPDATE jobs SET state = 'ready', lease_until = NULL")
    await home.sandbox.break_("crm")
    async with calling(home) as ask:
        with pytest.raises(LeaseLost):
            await ask(owner(lead, pipeline(lease), None))
    assert await home.calls("crm") == 1


async def test_nothing_open_is_left_for_the_reconciler(home: House) -> None:
    await once(home, owner(uuid4(), operator()))
    async with home.registry() as registry:
        assert await settle(home, registry) == 0
