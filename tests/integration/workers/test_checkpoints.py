"""Checkpoints: a finished step is not run again, whatever dies; a changed one is."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from revenueflow.devserver import environment
from revenueflow.devserver.secrets import Secrets
from revenueflow.telemetry import metrics
from tests.support import forks
from tests.support.api import IDENTITY
from tests.support.forks import Forked
from tests.support.house import STEPS, House, eventually
from tests.support.policy import by_rules_alone
from tests.support.processes import gone, until


@pytest.fixture(autouse=True)
def _crm_comes_last(home: House) -> None:
    """The CRM is written to, and not asked before."""
    by_rules_alone(Path(str(home.settings.config_dir)))


@asynccontextmanager
async def worker_process(home: House, folder: Path, **env: str) -> AsyncIterator[Forked]:
    """`revenueflow serve worker`, as production starts it."""
    (folder / "identity.key").write_text(IDENTITY.hex())
    secrets = Secrets({}, dict.fromkeys(("marketo", "hubspot", "lead"), "secret"), IDENTITY.hex())
    backends = {"DATABASE_URL": home.urls.app_url, "REDIS_URL": home.settings.redis.url}
    given = environment.of_process(folder, secrets, backends, "http://127.0.0.1:1") | {
        **environment.of_sandbox(home.sandbox.urls), "REVENUEFLOW_LEASE_SECONDS": "1.5",
        "REVENUEFLOW_HEARTBEAT_SECONDS": "0.3", "CRM_TIMEOUT_SECONDS": "1",
        "REVENUEFLOW_CONFIG_DIR": str(home.settings.config_dir), **env,
    }  # fmt: skip
    child = forks.revenueflow("serve", "worker", env=given, out=folder / "worker.log", cwd=folder)
    try:
        yield child
    finally:
        if child.poll() is None:
            os.kill(child.pid, signal.SIGKILL)
        child.wait(10)


@pytest.mark.parametrize("place", ["gemini", "crm", "slack"])
async def test_what_was_finished_when_a_worker_was_killed_is_not_run_again(
    home: House, tmp_path: Path, place: str
) -> None:
    await home.sandbox.break_(place, latency_ms=800)
    lead = await home.deliver()
    async with home.relay():
        async with worker_process(home, tmp_path) as doomed:
            await home.until_called(place)
            os.kill(doomed.pid, signal.SIGKILL)
            until(lambda: gone(doomed.pid))
        finished = {name: step["finished_at"] for name, step in home.steps(lead).items()}
        assert len(finished) == {"gemini": 2, "crm": 6, "slack": 7}[place]
        await home.sandbox.break_(place)
        async with home.worker():
            await home.until_state(lead, "done")
    after = {name: step["finished_at"] for name, step in home.steps(lead).items()}
    assert {name: after[name] for name in finished} == finished
    assert set(after) == set(STEPS)
    assert (await home.calls("clearbit"), await home.calls("hunter")) == (2, 2)  # the company, and the person
    assert await home.calls("gemini") == (2 if place == "gemini" else 1)
    assert await home.calls("slack") == 1  # a message is never repeated
    assert [record["type"] for record in await home.sandbox.records()] == ["lead", "task"]


async def test_a_worker_that_was_frozen_and_comes_back_writes_nothing(home: House, tmp_path: Path) -> None:
    await home.sandbox.break_("gemini", latency_ms=600)
    lead = await home.deliver()
    async with home.relay(), worker_process(home, tmp_path, REVENUEFLOW_METRICS_PORT="0") as frozen:
        await home.until_called("gemini")
        os.kill(frozen.pid, signal.SIGSTOP)
        try:
            await home.sandbox.break_("gemini")
            async with home.worker():
                await home.until_state(lead, "done")
            steps, history, calls = home.steps(lead), home.audit(lead), await home.calls("crm")
        finally:
            os.kill(frozen.pid, signal.SIGCONT)
        again = await home.deliver(email="after@larkvale-systems.example")
        await home.until_state(again, "done")  # by the one that was frozen: it is back, and well
    assert (home.steps(lead), home.audit(lead)) == (steps, history)
    assert await home.calls("crm") == 2 * calls
    assert len(await home.sandbox.records()) == 4


async def stopped_at_record(home: House) -> tuple[object, dict[str, dict[str, object]]]:
    """A lead whose CRM does not take anything yet."""
    await home.sandbox.break_("crm", error_rate=1, status=429)
    lead = await home.deliver()
    job = await home.run(lead)
    assert (job["state"], job["step"]) == ("ready", "record")
    await home.sandbox.break_("crm")
    home.rows("UPDATE jobs SET run_at = now()")
    return lead, home.steps(lead)


async def test_an_unchanged_step_is_not_run_again(home: House) -> None:
    lead, before = await stopped_at_record(home)
    assert (await home.run(lead))["state"] == "done"  # type: ignore[arg-type]
    after = home.steps(lead)  # type: ignore[arg-type]
    assert {name: after[name] for name in before} == before
    assert (await home.calls("gemini"), await home.calls("clearbit")) == (1, 2)


async def test_a_step_of_another_version_is_run_again_with_all_that_follow(home: House) -> None:
    lead, before = await stopped_at_record(home)
    home.rows("UPDATE steps SET step_version = 0 WHERE name = 'analyse'")
    assert (await home.run(lead))["state"] == "done"  # type: ignore[arg-type]
    after = home.steps(lead)  # type: ignore[arg-type]
    again = {name for name in before if after[name]["started_at"] != before[name]["started_at"]}
    assert again >= {"analyse"}
    assert not again & {"capture", "enrich"}
    assert after["analyse"]["step_version"] == 1
    assert (await home.calls("gemini"), await home.calls("clearbit")) == (1, 2)  # what the model said is known


async def test_a_step_is_run_again_if_what_came_before_it_was_another(home: House) -> None:
    lead, before = await stopped_at_record(home)
    home.rows("""UPDATE steps SET output = output || '{"no_domain": "other"}' WHERE name = 'capture'""")
    assert (await home.run(lead))["state"] == "done"  # type: ignore[arg-type]
    after = home.steps(lead)  # type: ignore[arg-type]
    assert after["enrich"]["finished_at"] > before["enrich"]["finished_at"]  # type: ignore[operator]
    assert after["capture"]["finished_at"] == before["capture"]["finished_at"]
    assert await home.calls("clearbit") == 2, "what was paid for is not paid for again"


async def test_evidence_and_claims_of_a_step_that_ran_again_are_those_of_the_last_time(home: House) -> None:
    """Otherwise the guard holds writes against claims of a former life, and the timeline shows them."""
    lead, _ = await stopped_at_record(home)
    home.rows("UPDATE steps SET step_version = 0 WHERE name = 'enrich'")
    home.rows("DELETE FROM lookups")
    for vendor in ("clearbit", "hunter"):
        await home.sandbox.break_(vendor, error_rate=1, status=404)
    job = await home.run(lead)  # type: ignore[arg-type]
    assert (job["state"], job["error_class"]) == ("done", None)
    evidence = home.rows("SELECT id, provider FROM evidence")
    output = home.steps(lead)["enrich"]["output"]  # type: ignore[arg-type]
    assert {str(row["id"]) for row in evidence} == {one["id"] for one in _json(output)["evidence"]}
    assert {row["provider"] for row in evidence} == {"form"}
    judged = _json(home.steps(lead)["ground"]["output"])["judgement"]["claims"]  # type: ignore[arg-type]
    stored = home.rows("SELECT ref, statement, verdict FROM claims ORDER BY substr(ref, 2)::int")
    assert stored == [
        {"ref": one["claim"]["id"], "statement": one["claim"]["statement"], "verdict": one["verdict"]["verdict"]}
        for one in judged
    ]


def _json(value: object) -> dict[str, list[dict[str, dict[str, str]]]]:
    import orjson

    return orjson.loads(value) if isinstance(value, str | bytes) else value  # type: ignore[return-value]


async def test_a_checkpoint_that_cannot_be_read_stops_that_lead_only(home: House) -> None:
    lead, _ = await stopped_at_record(home)
    home.rows("""UPDATE steps SET output = '{"unheard": "of"}' WHERE name = 'capture'""")
    before = metrics.leases_lost._value.get()
    async with home.staffed():
        other = await home.deliver(email="other@larkvale-systems.example")
        await home.until_state(other, "done")

        async def tried() -> bool:
            return home.job(lead)["lease_token"] >= 2  # type: ignore[arg-type]

        await eventually(tried)
    assert metrics.leases_lost._value.get() == before
