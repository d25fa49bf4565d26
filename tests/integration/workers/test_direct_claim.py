"""The bell is silent, whatever the reason: what has waited in vain is claimed from Postgres all the same."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
import redis

from revenueflow.db import controls
from revenueflow.devserver.server import free_port
from revenueflow.devserver.valkey import Valkey
from revenueflow.queue.doorbell import Doorbell
from revenueflow.settings import RedisSettings
from revenueflow.workers.worker import OVERDUE_SECONDS
from tests.support.house import House, eventually

CLAIMED = "claimed_directly"
"""What a worker says when it has."""
LATE = "UPDATE jobs SET run_at = now() - interval '2 seconds' WHERE state = 'ready'"
RAN_OUT = "UPDATE jobs SET lease_until = now() - interval '2 seconds' WHERE state = 'leased'"


@pytest.fixture
def own_valkey(home: House, server_home: Path) -> Iterator[Valkey]:
    """A server that may be stopped; the house uses it."""
    valkey = Valkey(server_home, port=free_port(), durable=False)
    valkey.start()
    home.settings = home.settings.model_copy(update={"redis": RedisSettings(url=valkey.url)})
    yield valkey
    valkey.stop()


async def leads(home: House, count: int) -> list[UUID]:
    return list(await asyncio.gather(*(home.deliver(email=f"n{n}@larkvale-systems.example") for n in range(count))))


def waits(home: House) -> list[float]:
    """Seconds from the acceptance of each lead to its first step."""
    found = home.rows("""SELECT extract(epoch FROM min(s.started_at) - j.created_at)::float8 AS waited
        FROM jobs j JOIN steps s ON s.job_id = j.id GROUP BY j.id""")
    return [row["waited"] for row in found]


async def test_without_redis_leads_are_finished(
    home: House, own_valkey: Valkey, capsys: pytest.CaptureFixture[str]
) -> None:
    await asyncio.to_thread(own_valkey.stop)
    async with home.relay(), home.worker(direct_claim=0.3) as worker:
        await leads(home, 5)
        await home.until_done(5)
        assert not worker.done()
    assert CLAIMED in capsys.readouterr().out
    assert {row["lease_token"] for row in home.rows("SELECT lease_token FROM jobs")} == {1}


async def test_when_redis_is_lost_and_comes_back_the_bell_takes_over_again(
    home: House, own_valkey: Valkey, capsys: pytest.CaptureFixture[str]
) -> None:
    async with home.relay(), home.worker(direct_claim=0.3):
        await home.until_state(await home.deliver(), "done")
        assert CLAIMED not in capsys.readouterr().out
        await asyncio.to_thread(own_valkey.stop)
        await home.until_state(await home.deliver(email="b@larkvale-systems.example"), "done")
        assert CLAIMED in capsys.readouterr().out
        await asyncio.to_thread(own_valkey.start)
        # Rings are heard again once both have reconnected, within seconds; then nothing has to wait any more.
        for n in range(20):
            capsys.readouterr()
            await home.until_state(await home.deliver(email=f"c{n}@larkvale-systems.example"), "done")
            if CLAIMED not in capsys.readouterr().out:
                return
    pytest.fail("every lead was claimed directly")


async def test_a_dead_relay_is_made_up_for(home: House) -> None:
    async with home.worker(direct_claim=0.3):
        await leads(home, 5)
        await home.until_done(5)
    assert home.value("SELECT count(*) FROM jobs WHERE rung_at IS NOT NULL") == 0
    assert min(waits(home)) >= OVERDUE_SECONDS


async def test_a_worker_that_may_not_yet_claim_directly_waits_for_the_bell(home: House, own_valkey: Valkey) -> None:
    lead = await home.deliver()
    home.rows(LATE)
    doorbell = Doorbell(home.settings.redis.url)
    async with home.worker(direct_claim=600):
        with redis.Redis.from_url(own_valkey.url) as client:

            async def has_looked() -> bool:
                calls: int = client.info("commandstats").get("cmdstat_eval", {"calls": 0})["calls"]
                return calls >= 6  # more than a second: four times in each

            await eventually(has_looked)
        assert home.job(lead)["state"] == "ready"
        await doorbell.ring([home.job(lead)["id"]])
        await home.until_state(lead, "done")
    await doorbell.aclose()


async def test_a_lease_that_ran_out_is_claimed_directly_too(home: House) -> None:
    lead = await home.deliver()
    died = await home.leased(lead)
    home.rows(RAN_OUT)
    async with home.worker(direct_claim=0.3):
        job = await home.until_state(lead, "done")
    assert (job["lease_token"], job["rung_at"]) == (died.token + 1, None)


async def test_while_the_bell_rings_nothing_is_claimed_directly(
    home: House, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not even by a worker that has been without work for long."""
    async with home.relay(), home.worker(direct_claim=0.05):
        for n in range(4):
            await home.until_state(await home.deliver(email=f"n{n}@larkvale-systems.example"), "done")
    # On a busy machine a ring may come late; nothing else is an excuse.
    assert CLAIMED not in capsys.readouterr().out or max(waits(home)) >= OVERDUE_SECONDS


async def test_what_was_due_only_now_is_left_to_the_bell(home: House) -> None:
    first, second = await leads(home, 2)
    await home.leased(second)
    home.rows("UPDATE jobs SET lease_until = now() - interval '10 ms' WHERE state = 'leased'")
    async with home.runner() as runner:
        assert await runner.accept_overdue(OVERDUE_SECONDS) == 0
        home.rows(LATE)
        home.rows(RAN_OUT)
        assert await runner.accept_overdue(OVERDUE_SECONDS) == 2
        await home.until_done(2)
    assert {home.job(first)["attempt"], home.job(second)["attempt"]} == {0}


async def test_a_worker_claims_no_more_than_it_has_room_for(home: House) -> None:
    await home.sandbox.break_("gemini", latency_ms=300)
    await leads(home, 8)
    home.rows(LATE)
    async with home.runner(concurrency=3) as runner:
        assert await runner.accept_overdue(OVERDUE_SECONDS) == 3
        assert await runner.accept_overdue(OVERDUE_SECONDS) == 0
        await runner.drain()
        assert await runner.accept_overdue(OVERDUE_SECONDS) == 0
    assert home.value("SELECT count(*) FROM jobs WHERE state = 'done'") == 3


async def test_of_many_workers_each_job_is_claimed_by_one(home: House) -> None:
    await leads(home, 30)
    home.rows(LATE)
    async with home.runner() as one, home.runner() as other:
        workers = (one.commits, other.commits) * 4
        claims = await asyncio.gather(*(each.claim_overdue(10, overdue=OVERDUE_SECONDS) for each in workers))
        claims += [await one.commits.claim_overdue(30, overdue=OVERDUE_SECONDS)]
    claimed = [lease.job_id for leases in claims for lease in leases]
    assert (len(claimed), len(set(claimed))) == (30, 30)
    assert home.value("SELECT max(lease_token) FROM jobs") == 1


async def test_what_is_paused_or_has_killed_its_workers_is_left_alone(home: House) -> None:
    _, poison = await leads(home, 2)
    home.rows(LATE)
    home.rows("UPDATE jobs SET attempt = $1 WHERE lead_id = $2", home.settings.worker.max_claims, poison)
    async with home.runner() as runner:
        async with home.database.transaction() as session:
            await controls.turn_on(session, controls.PAUSED, by="test")
        assert await runner.commits.claim_overdue(10, overdue=OVERDUE_SECONDS) == []
        async with home.database.transaction() as session:
            await controls.turn_off(session, controls.PAUSED)
        claimed = await runner.commits.claim_overdue(10, overdue=OVERDUE_SECONDS)
    assert len(claimed) == 1
    assert claimed[0].lead_id != poison


async def test_rings_that_a_full_worker_cannot_take_are_rung_back(home: House) -> None:
    """Two workers with room for one lead each, thirty leads, and nobody who rings a second time."""
    await home.sandbox.break_("gemini", latency_ms=60)
    began = time.monotonic()
    await leads(home, 30)
    small = {"concurrency": 1, "direct_claim": 600}
    async with home.relay(ring_again=600), home.worker(**small), home.worker(**small):
        await home.until_done(30)
    assert time.monotonic() - began < 30
    assert {row["lease_token"] for row in home.rows("SELECT lease_token FROM jobs")} == {1}
