"""What becomes of a write whose answer did not come: read back, confirmed or repeated, never doubled."""

from __future__ import annotations

import asyncio
from uuid import UUID, uuid4

import pytest

from revenueflow.db.jobs import Lease
from revenueflow.domain.action import CallStatus
from revenueflow.settings import CrmSettings, WorkerSettings
from tests.support.calls import events, message, once, operator, owner, pipeline, settle, states
from tests.support.house import SHORT, House, eventually


def outcomes(home: House) -> list[str]:
    return [event["outcome"] for event in events(home)]


def methods(requests: list[dict[str, str]]) -> list[str]:
    return [request["method"] for request in requests]


def settle_after(home: House, seconds: float) -> None:
    worker = WorkerSettings.model_validate({**SHORT, "settle": seconds})
    home.settings = home.settings.model_copy(update={"worker": worker})


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param({"lose_answer_rate": 1}, id="the answer is lost"),
        pytest.param({"lose_answer_rate": 1, "status": 503}, id="503 after the commit"),
        pytest.param({"latency_ms": 2500}, id="the answer comes too late"),
    ],
)
async def test_a_write_that_was_made_is_found_and_not_repeated(home: House, fault: dict[str, float]) -> None:
    await home.sandbox.break_("crm", **fault)
    call = owner(uuid4(), operator())
    first = await once(home, call)
    assert (first.status, states(home)) == (CallStatus.UNKNOWN, ["unknown"])
    await home.sandbox.break_("crm")
    await eventually(lambda: _written(home))
    again = await once(home, call)
    assert again.status is CallStatus.CONFIRMED
    assert again.crm_id is not None
    assert states(home) == ["confirmed"]
    (record,) = await home.sandbox.records()
    assert (len(record["writes"]), record["id"]) == (1, again.crm_id)
    assert methods(await home.sandbox.requests("crm")) == ["PUT", "GET"]
    assert outcomes(home) == ["planned", "unknown", "confirmed"]


async def _puts(home: House, count: int) -> bool:
    return methods(await home.sandbox.requests("crm")).count("PUT") == count


async def _written(home: House) -> bool:
    return len(await home.sandbox.records()) == 1


async def test_503_before_the_commit_is_sent_again_under_the_same_key_once_it_is_absent_twice(home: House) -> None:
    settle_after(home, 0.4)
    await home.sandbox.break_("crm", error_rate=1, status=503)
    call = owner(uuid4(), operator())
    assert (await once(home, call)).status is CallStatus.UNKNOWN
    await home.sandbox.break_("crm")
    assert (await once(home, call)).status is CallStatus.UNKNOWN  # absent once
    assert (await once(home, call)).status is CallStatus.UNKNOWN  # absent, but the index may lag
    assert methods(await home.sandbox.requests("crm")) == ["PUT", "GET", "GET"]

    async def confirmed() -> bool:
        return (await once(home, call)).status is CallStatus.CONFIRMED

    await eventually(confirmed)
    requests = await home.sandbox.requests("crm")
    assert methods(requests).count("PUT") == 2
    assert len({request["path"] for request in requests}) == 1
    (record,) = await home.sandbox.records()
    assert len(record["writes"]) == 1


async def test_each_time_that_it_is_sent_the_index_gets_its_time_again(home: House) -> None:
    """After the second sending was lost too, one absence right after it proves nothing."""
    settle_after(home, 0.3)
    await home.sandbox.break_("crm", error_rate=1, status=503)
    call = owner(uuid4(), operator())
    await once(home, call)
    await home.sandbox.break_("crm")
    await once(home, call)
    home.rows("UPDATE actions SET absent_at = absent_at - interval '1 minute'")
    await home.sandbox.break_("crm", lag_ms=60_000, latency_ms=200)
    dying = asyncio.create_task(once(home, call))  # reads: absent; sends again; dies before the answer
    await eventually(lambda: _puts(home, 2))
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)
    assert (await once(home, call)).status is CallStatus.UNKNOWN
    assert await _puts(home, 2)


async def test_an_index_that_lags_does_not_make_two_records(home: House) -> None:
    await home.sandbox.break_("crm", lag_ms=900, lose_answer_rate=1)
    call = owner(uuid4(), operator())
    await once(home, call)
    await home.sandbox.break_("crm")

    async def confirmed() -> bool:
        return (await once(home, call)).status is CallStatus.CONFIRMED

    await eventually(confirmed)
    assert len(await home.sandbox.records()) == 1


async def test_what_was_clearly_not_executed_is_tried_again(home: House) -> None:
    await home.sandbox.break_("crm", error_rate=1, status=429)
    call = owner(uuid4(), operator())
    first = await once(home, call)
    assert (first.status, states(home)) == (CallStatus.DELAYED, ["planned"])
    assert first.retry_after is not None
    await home.sandbox.break_("crm")
    assert (await once(home, call)).status is CallStatus.CONFIRMED
    assert outcomes(home) == ["planned", "not_executed", "confirmed"]
    assert methods(await home.sandbox.requests("crm")) == ["PUT", "PUT"]  # nothing to read back


async def versions(home: House) -> tuple[UUID, Lease, Lease]:
    """Two versions of one lead, each with its lease: the older run was left over."""
    lead = await home.deliver()
    old = await home.leased(lead)
    home.rows("UPDATE jobs SET state = 'dead', lease_until = NULL")
    await home.deliver(message="A second one.")
    new = await home.leased(lead)
    assert new.run_version > old.run_version
    return lead, old, new


async def test_a_newer_version_ends_an_older_one_that_was_not_sent(home: House) -> None:
    lead = await home.deliver()
    old = await home.leased(lead)
    await home.sandbox.break_("crm", error_rate=1, status=429)
    await once(home, owner(lead, pipeline(old), None))
    await home.sandbox.break_("crm")
    home.rows("UPDATE jobs SET state = 'done', lease_until = NULL")
    await home.deliver(message="A second one.")
    new = await home.leased(lead)
    await once(home, owner(lead, pipeline(new), None, to="marcus-bell"))
    assert states(home) == ["superseded", "confirmed"]
    assert outcomes(home)[-3:] == ["planned", "superseded", "confirmed"]
    assert (await home.sandbox.records())[0]["fields"]["owner_id"] == "marcus-bell"


async def test_an_older_version_that_comes_late_writes_nothing_over_a_newer_one(home: House) -> None:
    """A dead run that an operator sets going again after a newer run has written."""
    lead, old, new = await versions(home)
    await once(home, owner(lead, pipeline(new), None, to="marcus-bell"))
    home.rows("UPDATE jobs SET state = 'done', lease_until = NULL WHERE id = $1", new.job_id)
    home.rows("UPDATE jobs SET state = 'leased', lease_until = now() + interval '1 minute' WHERE id = $1", old.job_id)
    late = await once(home, owner(lead, pipeline(old), None))
    assert late.status is CallStatus.SUPERSEDED
    (record,) = await home.sandbox.records()
    assert record["fields"]["owner_id"] == "marcus-bell"
    assert sorted(states(home)) == ["confirmed", "superseded"]


async def test_an_unknown_write_that_a_newer_version_wrote_over_is_not_repeated(home: House) -> None:
    lead = await home.deliver()
    old = await home.leased(lead)
    await home.sandbox.break_("crm", error_rate=1, status=503)
    assert (await once(home, owner(lead, pipeline(old), None))).status is CallStatus.UNKNOWN
    await home.sandbox.break_("crm")
    home.rows("UPDATE jobs SET state = 'done', lease_until = NULL")
    await home.deliver(message="A second one.")
    await once(home, owner(lead, pipeline(await home.leased(lead)), None, to="marcus-bell"))
    async with home.registry() as registry:
        home.rows("UPDATE jobs SET state = 'done', lease_until = NULL")
        assert await settle(home, registry) == 1
    assert states(home) == ["superseded", "confirmed"]
    (record,) = await home.sandbox.records()
    assert [write["fields"]["owner_id"] for write in record["writes"]] == ["marcus-bell"]


async def test_what_a_person_wrote_later_is_not_overwritten_by_a_repetition(home: House) -> None:
    lead = await home.deliver()
    lease = await home.leased(lead)
    await home.sandbox.break_("crm", error_rate=1, status=503)
    assert (await once(home, owner(lead, pipeline(lease), None))).status is CallStatus.UNKNOWN
    await home.sandbox.break_("crm")
    assert (await once(home, owner(lead, operator(), to="marcus-bell"))).status is CallStatus.CONFIRMED
    home.rows("UPDATE jobs SET state = 'done', lease_until = NULL")
    async with home.registry() as registry:
        await settle(home, registry)
    assert (await home.sandbox.records())[0]["fields"]["owner_id"] == "marcus-bell"
    assert states(home) == ["superseded", "confirmed"]


async def test_a_persons_lost_write_is_made_though_the_pipeline_wrote_before(home: House) -> None:
    lead = await home.deliver()
    await once(home, owner(lead, pipeline(await home.leased(lead)), None))
    await home.sandbox.break_("crm", error_rate=1, status=503)
    call = owner(lead, operator(), to="marcus-bell")
    assert (await once(home, call)).status is CallStatus.UNKNOWN
    await home.sandbox.break_("crm")
    assert (await once(home, call)).status is CallStatus.CONFIRMED
    assert (await home.sandbox.records())[0]["fields"]["owner_id"] == "marcus-bell"


async def test_a_set_that_is_found_different_is_sent_again(home: House) -> None:
    lead = uuid4()
    await once(home, owner(lead, operator(), "k0", to="marcus-bell"))
    await home.sandbox.break_("crm", error_rate=1, status=503)
    call = owner(lead, operator(), "k1")
    assert (await once(home, call)).status is CallStatus.UNKNOWN
    await home.sandbox.break_("crm")
    assert (await once(home, call)).status is CallStatus.CONFIRMED
    (record,) = await home.sandbox.records()
    assert [write["fields"]["owner_id"] for write in record["writes"]] == ["marcus-bell", "dana-whitfield"]


@pytest.mark.parametrize(
    "fault", [{"lose_answer_rate": 1}, {"error_rate": 1, "status": 500}], ids=["lost", "server error"]
)
async def test_a_message_is_never_repeated_and_shows_as_unknown(home: House, fault: dict[str, float]) -> None:
    await home.sandbox.break_("slack", **fault)
    lead = await home.deliver()
    caller = pipeline(await home.leased(lead))
    assert (await once(home, message(lead, caller))).status is CallStatus.UNKNOWN
    await home.sandbox.break_("slack")
    home.rows("UPDATE actions SET sent_at = sent_at - interval '1 hour'")
    assert (await once(home, message(lead, caller))).status is CallStatus.UNKNOWN
    home.rows("UPDATE jobs SET state = 'done', lease_until = NULL")
    async with home.registry() as registry:
        assert await settle(home, registry) == 0
    assert await home.calls("slack") == 1
    assert states(home) == ["unknown"]


async def test_a_message_whose_sender_died_is_not_repeated(home: House) -> None:
    await home.sandbox.break_("slack", latency_ms=3000)
    lead = await home.deliver()
    caller = pipeline(await home.leased(lead))
    dying = asyncio.create_task(once(home, message(lead, caller)))
    await home.until_called("slack")
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)
    assert states(home) == ["sent"]
    await home.sandbox.break_("slack")
    assert (await once(home, message(lead, caller))).status is CallStatus.UNKNOWN
    assert await home.calls("slack") == 1


async def test_the_reconciler_settles_what_nobody_works_on_any_more(home: House) -> None:
    await home.sandbox.break_("crm", lose_answer_rate=1)
    lead = await home.deliver()
    lease = await home.leased(lead)
    assert (await once(home, owner(lead, pipeline(lease), None))).status is CallStatus.UNKNOWN
    await home.sandbox.break_("crm")
    async with home.registry() as registry:
        assert await settle(home, registry) == 0  # its job is being worked on
        home.rows("UPDATE jobs SET state = 'dead', lease_until = NULL")
        assert await settle(home, registry, quiet=60) == 0  # it was sent a moment ago
        assert await settle(home, registry) == 1
        assert await settle(home, registry) == 0
    assert states(home) == ["confirmed"]
    assert outcomes(home) == ["planned", "unknown", "confirmed"]
    assert len((await home.sandbox.records())[0]["writes"]) == 1


async def test_two_reconcilers_at_once_do_no_harm(home: House) -> None:
    settle_after(home, 0)
    await home.sandbox.break_("crm", error_rate=1, status=503)
    for n in range(4):
        await once(home, owner(uuid4(), operator(), f"k{n}"))
    await home.sandbox.break_("crm", latency_ms=20)
    async with home.registry() as one, home.registry() as other:

        async def settled() -> bool:
            await asyncio.gather(settle(home, one), settle(home, other))
            return set(states(home)) == {"confirmed"}

        await eventually(settled)
    assert len(await home.sandbox.records()) == 4


async def test_a_crm_that_cannot_be_read_leaves_it_unknown(home: House) -> None:
    await home.sandbox.break_("crm", error_rate=1, status=503)
    call = owner(uuid4(), operator())
    await once(home, call)
    assert (await once(home, call)).status is CallStatus.UNKNOWN
    assert states(home) == ["unknown"]


async def test_the_mock_crm_keeps_the_same_promises(home: House) -> None:
    home.settings = home.settings.model_copy(update={"crm": CrmSettings(provider="mock")})
    call = owner(uuid4(), operator())
    first, again = await once(home, call), await once(home, call)
    assert (first.status, again.crm_id, again.replayed) == (CallStatus.CONFIRMED, first.crm_id, True)
    assert home.value("SELECT count(*) FROM mock_crm_records") == 1
