"""The relay: everything due is rung for, once, and again if nobody came."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from uuid import UUID

import pytest
import redis
from arq.constants import job_key_prefix
from arq.jobs import deserialize_job_raw

from revenueflow.db import controls
from revenueflow.devserver.server import free_port
from revenueflow.devserver.valkey import Valkey
from revenueflow.queue.doorbell import QUEUE, Doorbell, deserialize
from revenueflow.settings import RedisSettings
from tests.support.house import House, eventually


def rings(home: House) -> Counter[UUID]:
    """How often each job was rung for and not answered yet."""
    with redis.Redis.from_url(home.settings.redis.url) as client:
        messages = [client.get(job_key_prefix + ring.decode()) for ring in client.zrange(QUEUE, 0, -1)]
    named = [deserialize_job_raw(message, deserializer=deserialize)[1][0] for message in messages]
    return Counter(UUID(job) for jobs in named for job in jobs)


async def leads(home: House, count: int) -> list[UUID]:
    return list(await asyncio.gather(*(home.deliver(email=f"n{n}@larkvale-systems.example") for n in range(count))))


async def test_three_relays_ring_for_each_job_once(home: House) -> None:
    await leads(home, 40)
    async with home.sweeper(ring_again=30) as a, home.sweeper(ring_again=30) as b, home.sweeper(ring_again=30) as c:
        swept = await asyncio.gather(*(relay.sweep() for relay in (a, b, c) * 4))
    assert sum(swept) == 40
    assert Counter(rings(home).values()) == {1: 40}
    assert set(rings(home)) == {row["id"] for row in home.rows("SELECT id FROM jobs")}


async def test_a_ring_that_nobody_answered_is_repeated_after_its_time_and_not_before(home: House) -> None:
    (lead,) = await leads(home, 1)
    async with home.sweeper(ring_again=30) as relay:
        assert [await relay.sweep(), await relay.sweep()] == [1, 0]
        home.rows("UPDATE jobs SET rung_at = now() - interval '31 seconds'")
        assert await relay.sweep() == 1
    assert rings(home)[home.job(lead)["id"]] == 2


async def test_a_redis_that_lost_everything_is_healed(home: House) -> None:
    lead = (await leads(home, 1))[0]
    async with home.relay(ring_again=0.3):
        await eventually(lambda: _rung(home))
        with redis.Redis.from_url(home.settings.redis.url) as client:
            client.flushdb()
        await eventually(lambda: _rung(home))
        async with home.worker():
            await home.until_state(lead, "done")


async def _rung(home: House) -> bool:
    return bool(rings(home))


async def test_a_backlog_waits_in_postgres(home: House) -> None:
    await leads(home, 12)
    async with home.sweeper(rings_open=5, ring_again=30) as relay:
        assert [await relay.sweep(), await relay.sweep()] == [5, 0]
        rung = list(rings(home))
        for job in rung[:2]:
            home.rows("UPDATE jobs SET state = 'done' WHERE id = $1", job)
        assert [await relay.sweep(), await relay.sweep()] == [2, 0]


async def test_the_oldest_is_rung_for_first(home: House) -> None:
    everyone = await leads(home, 4)
    home.rows("UPDATE jobs SET run_at = now() - interval '1 hour' WHERE lead_id = $1", everyone[2])
    async with home.sweeper(rings_open=1) as relay:
        await relay.sweep()
    assert set(rings(home)) == {home.job(everyone[2])["id"]}


@pytest.mark.parametrize("state", ["parked", "done", "dead", "leased", "later"])
async def test_what_is_not_due_is_not_rung_for(home: House, state: str) -> None:
    lead = await home.deliver()
    if state == "leased":
        await home.leased(lead)
    elif state == "later":
        home.rows("UPDATE jobs SET run_at = now() + interval '1 minute'")
    else:
        home.rows("UPDATE jobs SET state = $1", state)
    async with home.sweeper() as relay:
        assert await relay.sweep() == 0


async def test_a_lease_that_ran_out_is_rung_for(home: House) -> None:
    lead = await home.deliver()
    await home.leased(lead)
    home.rows("UPDATE jobs SET lease_until = now() - interval '1 second'")
    async with home.sweeper() as relay:
        assert await relay.sweep() == 1


async def test_a_poke_is_answered_at_once(home: House) -> None:
    doorbell = Doorbell(home.settings.redis.url)
    async with home.relay(sweep=600), home.worker():
        with redis.Redis.from_url(home.settings.redis.url) as client:

            async def listens() -> bool:
                return client.pubsub_numsub("revenueflow:poke")[0][1] == 1

            await eventually(listens)
        lead = await home.deliver()
        await doorbell.poke()
        await home.until_state(lead, "done")
    await doorbell.aclose()


async def test_pausing_stops_rings_and_claims_and_resuming_takes_them_up(home: House) -> None:
    async with home.database.transaction() as session:
        await controls.turn_on(session, controls.PAUSED, by="test")
    lead = await home.deliver()  # the ingress goes on
    async with home.sweeper() as relay:
        assert await relay.sweep() == 0
        assert await home.claim(lead) is None
        async with home.database.transaction() as session:
            assert await controls.turn_off(session, controls.PAUSED)
        assert await relay.sweep() == 1
    assert (await home.run(lead))["state"] == "done"


async def test_what_runs_when_it_is_paused_finishes(home: House) -> None:
    await home.sandbox.break_("gemini", latency_ms=300)
    lead = await home.deliver()
    async with home.staffed():
        await home.until_called("gemini")
        async with home.database.transaction() as session:
            await controls.turn_on(session, controls.PAUSED, by="test")
        await home.until_state(lead, "done")


@pytest.fixture
def own_valkey(home: House, server_home: Path) -> Valkey:
    """A server that may be stopped; the house uses it."""
    valkey = Valkey(server_home, port=free_port(), durable=False)
    valkey.start()
    home.settings = home.settings.model_copy(update={"redis": RedisSettings(url=valkey.url)})
    return valkey


async def test_work_goes_on_when_redis_was_stopped_and_comes_back(home: House, own_valkey: Valkey) -> None:
    try:
        async with home.relay() as relay, home.worker() as worker:
            first = await home.deliver()
            await home.until_state(first, "done")
            await asyncio.to_thread(own_valkey.stop)
            second = await home.deliver(email="second@larkvale-systems.example")  # the ingress needs no Redis
            assert home.job(second)["state"] == "ready"
            await asyncio.to_thread(own_valkey.start)
            await home.until_state(second, "done")
            assert not relay.done()
            assert not worker.done()
    finally:
        await asyncio.to_thread(own_valkey.stop)
