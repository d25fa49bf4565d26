"""Breaker and limits, with several processes that make calls (rows 13 and 14 of the fault list). Times are short."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import replace
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import redis.asyncio as redis

from revenueflow.domain.action import CallStatus
from revenueflow.mcp.call import Call, Caller
from revenueflow.resilience.breaker import CLOSED, OPEN
from revenueflow.settings import CrmSettings
from revenueflow.telemetry import metrics
from tests.support.calls import agent, calling, events, message, operator, owner, states, with_policy
from tests.support.guard_process import processes
from tests.support.house import House, eventually
from tests.support.policy import by_rules_alone

LEAD = uuid4()
PAUSE = 1.0
WINDOW = 1.5
GAUGE = {CLOSED: 0, OPEN: 2}


def limited(home: House, folder: Path, **limits: float) -> None:
    """A house with other limits."""
    usual = {"per_lead": 10, "per_caller": 100, "per_crm": 1000, "window_seconds": 60}
    with_policy(home, folder, *((f"{name} = {usual[name]}", f"{name} = {value}") for name, value in limits.items()))


def most_in(times: list[datetime], seconds: float) -> int:
    """The most of these times that lie in any window of so many seconds."""
    times = sorted(times)
    return max(sum(0 <= (other - one).total_seconds() < seconds for other in times) for one in times)


def gauge() -> float:
    return metrics.breaker_state.labels("http")._value.get()  # type: ignore[no-any-return]


async def fail(call: Any, times: int = 5) -> None:
    """So many failures in a row, each of its own lead."""
    for n in range(times):
        assert (await call(owner(uuid4(), operator(), f"fail{n}"))).status is CallStatus.UNKNOWN


@pytest.fixture
def patient(home: House, tmp_path: Path) -> House:
    """A house whose breaker is tried again after PAUSE."""
    with_policy(home, tmp_path, ("pause_seconds = 0.4", f"pause_seconds = {PAUSE}"))
    return home


async def test_after_five_failures_one_of_all_processes_tries_at_each_pause(patient: House) -> None:
    home = patient
    await home.sandbox.break_("crm", error_rate=1, status=503)
    async with calling(home) as call:
        await fail(call)
        assert gauge() == GAUGE[OPEN]
    plans = [
        {"caller": f"key:{n}", "prefix": f"p{n}-", "calls": 10_000, "seconds": 60, "patience": 0.02} for n in range(3)
    ]
    async with processes(home, plans) as several:
        await asyncio.gather(*(one.begin() for one in several))
        await home.until_called("crm", 9, seconds=40)
    arrived = [datetime.fromisoformat(one["at"]) for one in await home.sandbox.requests("crm")]
    gaps = [(later - one).total_seconds() for one, later in pairwise(arrived[4:])]
    assert min(gaps) > PAUSE * 0.9, gaps
    delayed = [event for event in events(home) if event["outcome"] == "delayed"]
    assert len(delayed) > len(arrived)
    # What was not let through left nothing behind: no action, and so no try.
    assert len(states(home)) <= len(arrived)
    assert home.value("SELECT sum(tries) FROM actions") <= len(arrived)


async def test_the_try_that_succeeds_closes_it_for_all(patient: House) -> None:
    home = patient
    await home.sandbox.break_("crm", error_rate=1, status=503)
    async with calling(home) as call:
        await fail(call)
        await home.sandbox.break_("crm")
        plans = [{"caller": f"key:{n}", "prefix": f"p{n}-", "calls": 16} for n in range(2)]
        async with processes(home, plans) as several:
            await asyncio.gather(*(one.begin() for one in several))
            for one in several:
                assert (await one.result())["confirmed"] == 16

        async def goes_through() -> bool:
            return (await call(owner(LEAD, operator(), "last"))).status is CallStatus.CONFIRMED

        await eventually(goes_through)
        assert gauge() == GAUGE[CLOSED]


async def test_while_it_is_open_no_attempt_and_no_place_in_a_window_is_spent(patient: House) -> None:
    home = patient
    with_policy(home, home.settings.config_dir, ("pause_seconds = 0.4", "pause_seconds = 600"))  # type: ignore[arg-type]
    by_rules_alone(Path(str(home.settings.config_dir)))
    await home.sandbox.break_("crm", error_rate=1, status=503)
    async with calling(home) as call, redis.Redis.from_url(home.settings.redis.url) as client:
        await fail(call)
        keys = {key: await client.zcard(key) for key in await client.keys("revenueflow:quota:*[^e]")}
        requests = await home.calls("crm")
        delayed = await call(owner(uuid4(), operator(), "k"))
        assert (delayed.status, delayed.result) == (CallStatus.DELAYED, {"reason": "breaker_open", "tries": 0})
        assert 0 < delayed.retry_after <= 600
        lead = await home.deliver()
        for _ in range(3):
            home.rows("UPDATE jobs SET run_at = now()")
            job = await home.run(lead)
            assert (job["state"], job["attempt"], job["error_class"]) == ("ready", 0, "crm_unavailable")
        assert {key: await client.zcard(key) for key in keys} == keys
        assert len(await client.keys("revenueflow:quota:*[^e]")) == len(keys)
        assert await home.calls("crm") == requests
    assert {event["outcome"] for event in events(home) if event["lead_id"] == lead} >= {"delayed"}


async def test_no_limit_of_a_lead_is_exceeded_though_redis_is_emptied(home: House, tmp_path: Path) -> None:
    limited(home, tmp_path, per_lead=4, per_caller=1000, per_crm=1000, window_seconds=WINDOW)
    leads = [str(uuid4()) for _ in range(3)]
    plans = [{"caller": f"key:{n}", "prefix": f"p{n}-", "calls": 12, "leads": leads} for n in range(3)]
    async with processes(home, plans) as several, redis.Redis.from_url(home.settings.redis.url) as client:
        await asyncio.gather(*(one.begin() for one in several))
        results = asyncio.gather(*(one.result() for one in several))
        while not results.done():
            await client.flushdb()
            await asyncio.sleep(WINDOW / 7)
        told = await results
    assert [one["confirmed"] for one in told] == [12] * 3, told  # delayed, and not dropped
    assert sum(one.get("told to wait", 0) for one in told) > 0
    sent = defaultdict(list)
    for row in home.rows("SELECT lead_id, sent_at, tries FROM actions"):
        assert row["tries"] == 1
        sent[row["lead_id"]].append(row["sent_at"])
    assert {lead: len(times) for lead, times in sent.items()} == dict.fromkeys(sent, 12)
    assert max(most_in(times, WINDOW) for times in sent.values()) == 4


async def test_the_crm_and_each_caller_have_limits_that_all_processes_share(home: House, tmp_path: Path) -> None:
    limited(home, tmp_path, per_lead=1000, per_caller=8, per_crm=12, window_seconds=WINDOW)
    plans = [{"caller": f"key:{n % 2}", "prefix": f"p{n}-", "calls": 12} for n in range(3)]
    async with processes(home, plans) as several:
        await asyncio.gather(*(one.begin() for one in several))
        told = [await one.result() for one in several]
    assert [one["confirmed"] for one in told] == [12] * 3, told
    rows = home.rows("SELECT caller, sent_at FROM actions")
    # A place is taken some milliseconds before the write is marked as sent: hence a slightly shorter window.
    assert 9 <= most_in([row["sent_at"] for row in rows], WINDOW * 0.9) <= 12
    for caller in ("key:0", "key:1"):
        assert most_in([row["sent_at"] for row in rows if row["caller"] == caller], WINDOW * 0.9) <= 8


async def test_a_full_limit_tells_when_to_come_back_and_counts_in_no_other(home: House, tmp_path: Path) -> None:
    limited(home, tmp_path, per_lead=2, per_caller=3, per_crm=1000, window_seconds=60)
    lead = uuid4()
    async with calling(home) as call:
        for n in range(2):
            assert (await call(owner(lead, agent(), f"k{n}"))).status is CallStatus.CONFIRMED
        for _ in range(4):  # none of these takes one of the agent's places
            full = await call(owner(lead, agent(), "k2"))
            assert (full.status, full.result) == (CallStatus.DELAYED, {"reason": "rate_limited", "tries": 0})
            assert 50 < full.retry_after <= 60
        assert (await call(owner(uuid4(), agent(), "k3"))).status is CallStatus.CONFIRMED
        assert (await call(owner(uuid4(), agent(), "k4"))).status is CallStatus.DELAYED
        assert (await call(owner(uuid4(), agent("agent:a2"), "k5"))).status is CallStatus.NEEDS_APPROVAL
        assert (await call(owner(uuid4(), operator(), "k6"))).status is CallStatus.CONFIRMED
        known = await call(owner(lead, agent(), "k0"))
        assert (known.status, known.replayed) == (CallStatus.CONFIRMED, True)  # a known key needs no place
    assert [event["outcome"] for event in events(home)].count("delayed") == 5


async def test_the_pipeline_outside_of_runs_has_a_share_of_the_crms_limit_and_no_callers(
    home: House, tmp_path: Path
) -> None:
    limited(home, tmp_path, per_caller=2, per_crm=16)
    by_rules_alone(tmp_path)
    timer = Caller("sla", "pipeline", trace_id="trace-1")
    async with calling(home) as call:
        for n in range(4):
            assert (await call(owner(uuid4(), timer, f"k{n}"))).status is CallStatus.CONFIRMED
        full = await call(owner(uuid4(), timer, "k4"))
        assert (full.status, full.result) == (CallStatus.DELAYED, {"reason": "own_limit", "tries": 0})
        assert 50 < full.retry_after <= 60
        read = Call("get_lead", {"lead_id": uuid4()}, Caller("sla-look", "pipeline"))
        assert (await call(read)).status is CallStatus.CONFIRMED, "each kind of work has its own"
        for n in range(5):
            posted = await call(replace(message(uuid4(), timer), idempotency_key=f"m{n}"))
            assert posted.status is CallStatus.CONFIRMED
        lead = await home.deliver()
        assert (await home.run(lead))["state"] == "done", "a run has the rest"


async def test_without_redis_the_limit_of_a_lead_holds(home: House, tmp_path: Path) -> None:
    limited(home, tmp_path, per_lead=3, window_seconds=60)
    home.settings = home.settings.model_copy(
        update={"redis": home.settings.redis.model_copy(update={"url": "redis://127.0.0.1:1/0"})}
    )
    lead = uuid4()
    async with calling(home) as call:
        told = await asyncio.gather(*(call(owner(lead, operator(), f"k{n}")) for n in range(8)))
    assert sorted(one.status for one in told) == [CallStatus.CONFIRMED] * 3 + [CallStatus.DELAYED] * 5


async def test_when_redis_has_forgotten_everything_postgres_counts(home: House, tmp_path: Path) -> None:
    limited(home, tmp_path, per_lead=3, window_seconds=60)
    lead = uuid4()
    async with calling(home) as call, redis.Redis.from_url(home.settings.redis.url) as client:
        for n in range(3):
            assert (await call(owner(lead, operator(), f"k{n}"))).status is CallStatus.CONFIRMED
        await client.flushdb()
        told = await asyncio.gather(*(call(owner(lead, operator(), f"m{n}")) for n in range(3)))
        assert {one.status for one in told} == {CallStatus.DELAYED}
        assert all(50 < one.retry_after <= 60 for one in told)
        home.rows("UPDATE actions SET sent_at = sent_at - interval '1 minute'")
        await client.flushdb()
        for n in range(3):
            assert (await call(owner(lead, operator(), f"m{n}"))).status is CallStatus.CONFIRMED


async def test_a_mock_crm_has_no_limit_of_its_own(home: House, tmp_path: Path) -> None:
    limited(home, tmp_path, per_crm=1)
    async with calling(home) as call:
        assert (await call(owner(uuid4(), operator(), "k1"))).status is CallStatus.CONFIRMED
        assert (await call(owner(uuid4(), operator(), "k2"))).status is CallStatus.DELAYED
    home.settings = home.settings.model_copy(update={"crm": CrmSettings(provider="mock")})
    async with calling(home) as call:
        for n in range(3, 6):
            assert (await call(owner(uuid4(), operator(), f"k{n}"))).status is CallStatus.CONFIRMED


async def test_a_run_that_is_delayed_again_and_again_is_written_down_once(home: House, tmp_path: Path) -> None:
    limited(home, tmp_path, per_crm=1)
    by_rules_alone(tmp_path)
    async with home.runner() as runner:
        lead = await home.deliver()
        for _ in range(4):
            home.rows("UPDATE jobs SET run_at = now()")
            await home.run_job(runner, home.job(lead)["id"])
            assert home.job(lead)["error_class"] == "crm_unavailable"
    assert [one for one in home.audit(lead) if one[1] == "delayed"] == [("crm.set_lead_score", "delayed")]
