"""Attempts: what spends one, what gives it back, and the end after five claims."""

from __future__ import annotations

import pytest

from revenueflow.db import jobs, steps
from revenueflow.db.steps import Ended
from tests.support.house import House


async def test_a_finished_step_resets_the_count_and_a_snooze_gives_the_attempt_back(home: House) -> None:
    await home.sandbox.break_("hunter", error_rate=1, status=202)
    lead = await home.deliver()
    home.rows("UPDATE jobs SET attempt = 4")
    job = await home.run(lead)
    assert (job["state"], job["step"], job["error_class"]) == ("ready", "enrich", "vendor_pending")
    assert job["attempt"] == 0
    assert job["run_at"] > job["created_at"]
    assert job["lease_until"] is None


async def test_a_park_gives_the_attempt_back(home: House) -> None:
    lead = await home.deliver(email=None, phone=None, leadId="4711")
    job = await home.run(lead)
    assert (job["state"], job["attempt"], job["error_class"]) == ("parked", 0, "no_contact_point")


async def test_work_that_is_handed_back_at_shutdown_costs_no_attempt(home: House) -> None:
    await home.sandbox.break_("gemini", latency_ms=20_000)
    lead = await home.deliver()
    async with home.worker(drain=0.1), home.relay():
        await home.until_called("gemini")
    job = home.job(lead)
    assert (job["state"], job["attempt"], job["error_class"]) == ("ready", 0, "shutdown")
    assert job["rung_at"] is None  # the next sweep rings at once
    await home.sandbox.break_("gemini", latency_ms=0)
    assert (await home.run(lead))["state"] == "done"


async def test_work_that_ends_in_time_is_finished_at_shutdown(home: House) -> None:
    await home.sandbox.break_("gemini", latency_ms=500)
    lead = await home.deliver()
    async with home.relay(), home.worker(drain=10):
        await home.until_called("gemini")
    assert home.job(lead)["state"] == "done"


async def test_the_fifth_try_that_fails_is_the_last(home: House) -> None:
    """A delivery that no version of ours can read: the step fails in a way that nobody foresaw."""
    lead = await home.deliver()
    home.rows("""UPDATE deliveries SET parsed = '{"form": 5}'""")
    for attempt in range(1, 5):
        job = await home.run(lead)
        assert (job["state"], job["attempt"], job["error_class"]) == ("ready", attempt, "ValidationError")
        assert job["run_at"] > job["created_at"]
        home.rows("UPDATE jobs SET run_at = now()")
    job = await home.run(lead)
    assert (job["state"], job["attempt"]) == ("dead", 5)
    assert job["finished_at"] is not None
    assert home.audit(lead) == [("lead.dead", "dead")]
    home.rows("UPDATE jobs SET run_at = now()")
    assert (await home.run(lead))["lease_token"] == 5  # nobody claims it any more


@pytest.mark.parametrize("killed", [4, 5])
async def test_the_fifth_claim_that_runs_out_is_the_last(home: House, killed: int) -> None:
    lead = await home.deliver()
    for _ in range(killed):
        assert await home.claim(lead)
        home.rows("UPDATE jobs SET lease_until = now() - interval '1 second'")
    async with home.sweeper() as relay:
        assert await relay.sweep() == (1 if killed == 4 else 0)
    job = home.job(lead)
    if killed == 4:
        assert (job["state"], job["attempt"]) == ("leased", 4)
        return
    assert (job["state"], job["error_class"]) == ("dead", "lease_expired")
    assert home.audit(lead) == [("lead.dead", "dead")]
    assert await home.claim(lead) is None


async def test_a_claim_that_still_runs_is_not_buried(home: House) -> None:
    lead = await home.deliver()
    home.rows("UPDATE jobs SET attempt = 4")
    assert await home.claim(lead)
    async with home.sweeper() as relay:
        await relay.sweep()
    assert home.job(lead)["state"] == "leased"


async def test_a_worker_that_was_buried_can_write_nothing(home: House) -> None:
    lead = await home.deliver()
    home.rows("UPDATE jobs SET attempt = 4")
    lease = await home.leased(lead)
    home.rows("UPDATE jobs SET lease_until = now() - interval '1 second'")
    async with home.sweeper() as relay:
        await relay.sweep()
    async with home.direct.transaction() as connection:
        assert await steps.end(connection, [Ended(lease, None, ())]) == set()
        assert await jobs.heartbeat(connection, [(lease.job_id, lease.token)], lease=9) == set()
    assert home.job(lead)["state"] == "dead"


async def test_one_poison_lead_does_not_hold_the_others_up(home: House) -> None:
    poison = await home.deliver(email="poison@quillmere.example")
    home.rows("""UPDATE deliveries SET parsed = '{"form": 5}'""")
    for n in range(5):
        await home.deliver(email=f"n{n}@larkvale-systems.example")
    async with home.staffed():
        await home.until_done(5)
    assert home.job(poison)["state"] in ("ready", "dead")


async def test_a_dead_lead_starts_again_where_it_stopped(home: House) -> None:
    await home.sandbox.break_("hunter", error_rate=1, status=202)
    lead = await home.deliver()
    await home.run(lead)
    home.rows("UPDATE jobs SET state = 'dead', attempt = 5")
    await home.sandbox.break_("hunter")
    home.rows("UPDATE lookups SET ask_again_at = now() WHERE state = 'pending'")
    async with home.database.transaction() as session:
        (reopened,) = await jobs.reopen(session, [home.job(lead)["id"]])
    assert reopened["lead_id"] == lead
    captured_at = home.steps(lead)["capture"]["finished_at"]
    job = await home.run(lead)
    assert job["state"] == "done"
    assert home.steps(lead)["capture"]["finished_at"] == captured_at


async def test_a_dead_run_does_not_come_back_beside_a_live_one(home: House) -> None:
    lead = await home.deliver()
    dead = home.job(lead)["id"]
    home.rows("UPDATE jobs SET state = 'dead'")
    await home.deliver(message="Once more, please.")
    async with home.database.transaction() as session:
        assert await jobs.reopen(session, [dead]) == []
    assert home.value("SELECT count(*) FROM jobs WHERE state = 'ready'") == 1
