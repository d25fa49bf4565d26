"""Leases: one worker owns a job, its token fences every write, and its heartbeat keeps it."""

from __future__ import annotations

import asyncio
import time

import pytest

from revenueflow.audit import trail
from revenueflow.clock import utcnow
from revenueflow.db import actions, jobs, steps
from revenueflow.db.actions import PlannedAction, Sending
from revenueflow.db.jobs import Lease, Release
from revenueflow.db.steps import Ended
from revenueflow.domain.lead import Lead
from revenueflow.domain.outcome import AuditEntry, Changes, Done
from revenueflow.errors import LeaseLost
from revenueflow.pipeline.capture import Captured
from revenueflow.pipeline.context import Context
from revenueflow.pipeline.steps import STEPS
from revenueflow.telemetry import metrics
from revenueflow.workers.commits import Commits
from revenueflow.workers.run import Run
from tests.support import sql
from tests.support.house import House, eventually
from tests.support.processes import until


def leases_lost() -> float:
    return metrics.leases_lost._value.get()


async def test_of_many_claims_one_succeeds(home: House) -> None:
    lead = await home.deliver()
    claims = await asyncio.gather(*(home.claim(lead, owner=f"worker {n}") for n in range(10)))
    (lease,) = [claim for claim in claims if claim]
    job = home.job(lead)
    assert (job["state"], job["attempt"], job["lease_token"]) == ("leased", 1, lease.token)


async def test_a_leased_job_can_be_claimed_only_when_its_lease_is_over(home: House) -> None:
    lead = await home.deliver()
    first = await home.claim(lead, lease=30)
    assert await home.claim(lead) is None
    home.rows("UPDATE jobs SET lease_until = now() - interval '1 millisecond'")
    second = await home.claim(lead)
    assert first and second
    assert second.token > first.token
    assert second.attempt == 2


async def test_a_job_that_is_not_due_or_not_live_is_not_claimed(home: House) -> None:
    lead = await home.deliver()
    home.rows("UPDATE jobs SET run_at = now() + interval '1 minute'")
    assert await home.claim(lead) is None
    for state in ("parked", "done", "dead"):
        home.rows("UPDATE jobs SET run_at = now(), state = $1", state)
        assert await home.claim(lead) is None


async def stolen(home: House) -> tuple[Lease, dict[str, object]]:
    """The lease of a worker whose job another one has taken, and the job as the other one has it."""
    lead = await home.deliver()
    old = await home.claim(lead, lease=0.001)
    assert old
    home.rows("UPDATE jobs SET lease_until = now() - interval '1 millisecond'")
    assert await home.claim(lead, owner="the other")
    return old, home.job(lead)


async def test_nothing_that_a_zombie_asks_of_a_job_changes_it(home: House) -> None:
    old, taken = await stolen(home)
    async with home.direct.transaction() as connection:
        assert await jobs.heartbeat(connection, [(old.job_id, old.token)], lease=999) == set()
        for step in ("enrich", None):
            assert await steps.end(connection, [Ended(old, step, ())]) == set()
        for state in ("ready", "parked", "dead"):
            assert await jobs.release(connection, [Release(old, state, 0, False, "of a zombie")]) == set()
    assert home.job(old.lead_id) == taken


async def test_a_zombie_marks_no_write_as_sent(home: House) -> None:
    old, _ = await stolen(home)
    action = PlannedAction(
        old.job_id, old.lead_id, "lead", "upsert_lead", 1, "pipeline", {}, b"", old.job_id, old.lead_id, old.token
    )  # fmt: skip
    event = trail.row(trail.Subject(old.lead_id), AuditEntry("crm.upsert_lead", "planned"))
    async with home.direct.transaction() as connection:
        assert await actions.plan(connection, [(action, event)]) == set()
        assert await actions.send(connection, [Sending(action.action_key, 0, old.job_id, old.token)]) == set()
    assert home.value("SELECT state FROM actions") == "planned"


async def test_a_zombies_checkpoint_is_discarded_with_all_its_rows(home: House) -> None:
    old, taken = await stolen(home)
    captured = Captured(lead=Lead(id=old.lead_id, received_at=utcnow()), deliveries=())
    changes = Changes(lead={"company": "of a zombie"}, audit=(AuditEntry("lead.captured", "done"),))
    async with home.services() as services:
        commits = Commits(home.direct, home.settings.worker, owner="zombie")
        run = Run(commits, Context(old, utcnow(), services), STEPS)
        with pytest.raises(LeaseLost):
            run.keep(STEPS[0], Done(captured, changes), utcnow())
            await run.checkpoint()
        with pytest.raises(LeaseLost):
            await run.release("dead", reason="of a zombie", changes=changes)
    assert home.job(old.lead_id) == taken
    for table in ("steps", "leads", "audit_events"):
        assert home.value(f"SELECT count(*) FROM {table}") == 0, table


async def test_what_a_zombie_brings_back_is_void(home: House) -> None:
    """A worker hangs in the model call without heartbeat; another one finishes; then the answer arrives."""
    await home.sandbox.break_("gemini", latency_ms=1200)
    lead, before = await home.deliver(), leases_lost()
    async with home.runner(heartbeat=False, lease=0.3) as slow, home.runner() as other:
        zombie = asyncio.create_task(home.run_job(slow, home.job(lead)["id"]))
        await home.until_called("gemini")
        await home.sandbox.break_("gemini", latency_ms=0)

        async def taken_over() -> bool:
            await home.run_job(other, home.job(lead)["id"])
            return home.job(lead)["state"] == "done"

        await eventually(taken_over)
        finished, history = home.steps(lead), home.audit(lead)
        with pytest.raises(LeaseLost):
            await zombie
    assert leases_lost() == before  # raised to us: counted at the edge only
    assert home.steps(lead) == finished
    assert home.audit(lead) == history
    assert await home.calls("crm") == 5  # asked for the account once, and four writes
    assert {record["type"] for record in await home.sandbox.records()} == {"lead", "task"}


async def test_the_heartbeat_keeps_a_lease_while_the_event_loop_is_blocked(home: House) -> None:
    lead = await home.deliver()
    await home.sandbox.break_("gemini", latency_ms=300)
    async with home.runner(lease=0.6, heartbeat=0.1) as runner:
        job_id = home.job(lead)["id"]
        running = asyncio.create_task(home.run_job(runner, job_id))
        await home.until_called("gemini")
        began = home.job(lead)["lease_until"]
        # Blocks the loop of the worker, as a long computation would, for three times its lease.
        until(lambda: (home.job(lead)["lease_until"] - began).total_seconds() > 1.8)
        assert await home.claim(lead) is None
        await running
    job = home.job(lead)
    assert (job["state"], job["lease_token"]) == ("done", 1)


async def test_a_lost_lease_cancels_the_work(home: House) -> None:
    await home.sandbox.break_("gemini", latency_ms=20_000)
    lead, before, began = await home.deliver(), leases_lost(), time.monotonic()
    async with home.runner(lease=1, heartbeat=0.1) as runner:
        await runner.accept([home.job(lead)["id"]])
        await home.until_called("gemini")
        home.rows("UPDATE jobs SET lease_token = lease_token + 1, lease_owner = 'the other'")
        await eventually(lambda: _has_lost(before + 1))
    assert time.monotonic() - began < 10
    job = home.job(lead)
    assert (job["state"], job["lease_owner"], job["step"]) == ("leased", "the other", "analyse")
    assert set(home.steps(lead)) == {"capture", "enrich"}


async def _has_lost(count: float) -> bool:
    return leases_lost() == count


async def test_a_lease_that_cannot_be_renewed_in_its_time_cancels_the_work(home: House) -> None:
    """Postgres is away for longer than the lease; when it is back, the lead is taken up again."""
    await home.sandbox.break_("gemini", latency_ms=20_000)
    lead, before = await home.deliver(), leases_lost()
    async with home.worker(lease=0.6, heartbeat=0.15) as worker, home.relay() as relay:
        await home.until_called("gemini")
        with sql.away(home.urls):
            await eventually(lambda: _has_lost(before + 1))
            assert not worker.done()
            assert not relay.done()
        await home.sandbox.break_("gemini", latency_ms=0)
        await home.until_state(lead, "done")
    assert await home.calls("clearbit") == 2  # the company, and the person
    assert [record["type"] for record in await home.sandbox.records()] == ["lead", "task"]
