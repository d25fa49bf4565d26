"""Dead letters: what they have in common, and setting them going again without doing anything twice."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from revenueflow import defaults
from revenueflow.db import dead_letters, jobs_view
from revenueflow.db.dead_letters import STOPPED, Chosen
from revenueflow.pipeline import restart
from revenueflow.pipeline.restart import NAMES, Replayed
from revenueflow.settings import General
from tests.support.house import House, eventually, house
from tests.support.policy import by_rules_alone

DEAD = Chosen(("dead",))
INSERT = """
    INSERT INTO jobs (id, lead_id, run_version, wanted_version, state, step, error_class, finished_at, created_at,
                      trace_id)
    VALUES ($1, $2, $3, $3, $4, $5, $6, now() - make_interval(hours => $7), now() - make_interval(hours => $7), '')
"""


@pytest.fixture
async def home(database: Any, redis_url: str, tmp_path: Path) -> Any:
    """Fresh database, empty Redis, a sandbox of its own."""
    async with house(database, redis_url, tmp_path) as one:
        yield one


def stop(
    home: House, *, lead: UUID | None = None, version: int = 1, state: str = "dead", step: str = "record",
    error: str | None = "UpstreamError", hours: int = 1,
) -> UUID:  # fmt: skip
    """A job that stands still."""
    job = uuid4()
    home.rows(INSERT, job, lead or uuid4(), version, state, step, error, hours)
    return job


async def replay(home: House, chosen: Chosen, **terms: Any) -> Replayed:
    return await restart.replay(home.database, chosen, actor="cli:tester", **terms)


def named(*jobs: UUID) -> Chosen:
    return Chosen(STOPPED, ids=jobs)


def kill(home: House, lead: UUID, *, error: str = "Boom") -> UUID:
    """The newest job of a lead dies where it stands."""
    job: UUID = home.job(lead)["id"]
    home.rows("UPDATE jobs SET state = 'dead', finished_at = now(), lease_until = NULL WHERE id = $1", job)
    home.rows("UPDATE jobs SET error_class = $2, last_error = $2 WHERE id = $1", job, error)
    return job


async def dead_at(home: House, step: str, **fields: str | None) -> UUID:
    """A lead whose run ended before `step` was finished; what it wrote before stands."""
    lead = await home.deliver(**fields)
    await home.run(lead)
    job = kill(home, lead)
    later = list(NAMES[NAMES.index(step) :])
    home.rows("DELETE FROM steps WHERE job_id = $1 AND name = ANY($2)", job, later)
    home.rows("UPDATE jobs SET step = $2 WHERE id = $1", job, step)
    return lead


def other_rules(home: House, folder: Path) -> None:
    """From now on another rep gets the lead."""
    text = defaults.text("routing.toml", None)
    owner = str(home.rows("SELECT owner_id FROM leads")[0]["owner_id"])
    name = str(home.rows("SELECT owner_name FROM leads")[0]["owner_name"])
    assert name in text
    (folder / "routing.toml").write_text(text.replace(name, f"{name} the Second"))
    assert owner in text
    home.settings = home.settings.model_copy(update={"general": General(config_dir=folder)})


async def test_jobs_with_the_same_error_are_one_group(home: House) -> None:
    stop(home, hours=9)
    last = stop(home, hours=1)
    stop(home, step="analyse")
    stop(home, error="lease_expired", hours=2)
    stop(home, state="parked", error="guard_claim_missing")
    stop(home, state="done", error=None)
    async with home.database.transaction() as session:
        groups = await dead_letters.groups(session, DEAD)
        both = await dead_letters.groups(session, Chosen(STOPPED))
        recent = await dead_letters.groups(session, Chosen(("dead",), since=datetime.now(UTC) - timedelta(hours=8)))
    seen = {(group["step"], group["error_class"], group["count"], group["poison"]) for group in groups}
    assert seen == {
        ("record", "UpstreamError", 2, False),
        ("analyse", "UpstreamError", 1, False),
        ("record", "lease_expired", 1, True),
    }
    assert len({group["fingerprint"] for group in groups}) == 3
    assert groups[0]["count"] == 2
    assert round((groups[0]["newest"] - groups[0]["oldest"]) / timedelta(hours=1)) == 8
    assert groups[0]["example"] == last
    assert len(both) == 4
    assert max(group["count"] for group in recent) == 1


async def test_a_fingerprint_is_the_same_tomorrow(home: House) -> None:
    """It stands in tickets and scripts: a change of it is a breaking change."""
    job = stop(home, step="record", error="crm_unavailable")
    async with home.database.transaction() as session:
        found = await jobs_view.one(session, job)
        listed = await jobs_view.listed(session, Chosen(STOPPED, fingerprint="34270dfdbbcb"), limit=9)
    assert found is not None
    assert (found["fingerprint"], [one["id"] for one in listed]) == ("34270dfdbbcb", [job])


async def test_a_job_that_lives_has_no_fingerprint(home: House) -> None:
    lead = await home.deliver()
    async with home.database.transaction() as session:
        (found,) = await jobs_view.listed(session, Chosen(), limit=9)
    assert (found["lead_id"], found["fingerprint"], found["poison"], found["stopped_at"]) == (lead, None, False, None)


async def test_a_replay_goes_on_where_the_job_stopped(home: House) -> None:
    lead = await dead_at(home, "score")
    before = home.steps(lead)
    told = await replay(home, DEAD)
    assert (told.jobs, told.left) == ([home.job(lead)["id"]], {})
    job = home.job(lead)
    assert (job["state"], job["step"], job["attempt"], job["error_class"]) == ("ready", "score", 0, None)
    assert (job["finished_at"], job["last_error"], home.lead(lead)["status"]) == (None, None, "processing")
    assert (await home.run(lead))["state"] == "done"
    after = home.steps(lead)
    assert all(after[name]["finished_at"] == before[name]["finished_at"] for name in before)
    assert home.job(lead)["run_version"] == 1, "what it writes is the same, and so are the keys"


async def test_a_replay_is_in_the_trail(home: House) -> None:
    lead = await dead_at(home, "notify")
    await replay(home, named(home.job(lead)["id"]), from_step="score")
    query = "SELECT actor, outcome, lead_id, detail FROM audit_events WHERE action = 'job.replayed'"
    (event,) = home.rows(query)
    assert (event["actor"], event["outcome"], event["lead_id"]) == ("cli:tester", "done", lead)
    assert '"from_step": "score"' in event["detail"]
    assert '"stopped_at": "notify"' in event["detail"]


async def test_a_run_that_wrote_and_goes_back_behind_its_writes_writes_again_under_a_new_version(
    home: House, tmp_path: Path
) -> None:
    lead = await dead_at(home, "notify")
    before, calls = home.steps(lead), await home.calls("gemini")
    owner = home.lead(lead)["owner_name"]
    other_rules(home, tmp_path)
    assert len((await replay(home, DEAD, from_step="score")).jobs) == 1
    assert set(home.steps(lead)) == {"capture", "enrich", "analyse", "ground"}
    job = await home.run(lead)
    assert (job["state"], job["run_version"], job["wanted_version"]) == ("done", 2, 2)
    after = home.steps(lead)
    assert [name for name in NAMES if name in before and after[name]["finished_at"] == before[name]["finished_at"]] == [
        "capture", "enrich", "analyse", "ground",
    ]  # fmt: skip
    assert await home.calls("gemini") == calls, "what was paid for is not paid for again"
    record, task = await home.sandbox.records()
    assert (record["type"], task["type"]) == ("lead", "task")
    assert (record["fields"]["owner_name"], home.lead(lead)["owner_name"]) == (f"{owner} the Second",) * 2
    versions = home.rows("SELECT run_version, state FROM actions WHERE tool = 'assign_owner' ORDER BY 1")
    assert [(row["run_version"], row["state"]) for row in versions] == [(1, "confirmed"), (2, "confirmed")]


async def test_a_run_that_wrote_keeps_its_keys_where_nothing_can_have_changed(home: House) -> None:
    lead = await dead_at(home, "follow_up")
    messages = await home.calls("slack")
    await replay(home, DEAD)
    job = await home.run(lead)
    assert (job["state"], job["run_version"]) == ("done", 1)
    assert await home.calls("slack") == messages == 1
    record, _ = await home.sandbox.records()
    assert len(record["writes"]) == 3


async def test_a_write_that_never_left_us_is_planned_anew_under_its_key(home: House, tmp_path: Path) -> None:
    by_rules_alone(Path(str(home.settings.config_dir)))
    await home.sandbox.break_("crm", error_rate=1, status=429)
    lead = await home.deliver()
    await home.run(lead)
    await home.sandbox.break_("crm")
    other_rules(home, tmp_path)
    kill(home, lead)
    await replay(home, DEAD, from_step="route")
    job = await home.run(lead)
    assert (job["state"], job["run_version"]) == ("done", 1)


async def test_a_write_that_the_crm_refused_is_tried_again_under_its_key(home: House) -> None:
    await home.sandbox.break_("crm", error_rate=1, status=422)
    lead = await home.deliver()
    assert (await home.run(lead))["error_class"] == "crm_invalid"
    await home.sandbox.break_("crm")
    await replay(home, Chosen(STOPPED))
    job = await home.run(lead)
    assert (job["state"], job["run_version"]) == ("done", 1)


async def test_from_an_earlier_step_what_it_left_is_dropped_and_made_again(home: House) -> None:
    lead = await dead_at(home, "route")
    kept = home.rows("SELECT id FROM evidence ORDER BY id")
    home.rows("UPDATE claims SET statement = 'of the first try'")
    calls = await home.calls("gemini")
    await replay(home, DEAD, from_step="analyse")
    assert home.value("SELECT count(*) FROM claims") == 0
    assert home.rows("SELECT id FROM evidence ORDER BY id") == kept
    assert set(home.steps(lead)) == {"capture", "enrich"}
    assert (await home.run(lead))["state"] == "done"
    assert await home.calls("gemini") == calls  # the answer is known: it is not paid twice
    assert home.value("SELECT count(*) FROM claims WHERE statement <> 'of the first try'") > 0


async def test_from_enrich_the_evidence_is_fetched_again(home: House) -> None:
    lead = await dead_at(home, "route")
    await replay(home, DEAD, from_step="enrich")
    assert home.value("SELECT count(*) FROM evidence") == 0
    assert set(home.steps(lead)) == {"capture"}
    assert (await home.run(lead))["state"] == "done"
    assert home.value("SELECT count(*) FROM evidence") > 0


async def test_a_checkpoint_that_did_not_fit_is_not_made_to_fit(home: House) -> None:
    lead = await dead_at(home, "notify")
    home.rows("UPDATE steps SET input_sha256 = 'another' WHERE name = 'analyse'")
    calls, before = await home.calls("gemini"), home.steps(lead)["analyse"]["started_at"]
    await replay(home, DEAD, from_step="score")
    assert (await home.run(lead))["state"] == "done"
    assert home.steps(lead)["analyse"]["started_at"] > before
    assert await home.calls("gemini") == calls  # the answer is known


async def test_writes_that_no_longer_fit_get_a_version_of_their_own_and_nothing_is_paid_twice(home: House) -> None:
    lead = await dead_at(home, "follow_up")
    home.rows("UPDATE actions SET args_hmac = 'another' WHERE tool = 'create_task'")
    await replay(home, DEAD)
    job = await home.run(lead)
    assert (job["state"], job["error_class"]) == ("parked", "guard_idempotency_conflict")
    calls = await home.calls("gemini")
    await replay(home, named(job["id"]))
    job = await home.run(lead)
    assert (job["state"], job["run_version"], await home.calls("gemini")) == ("done", 2, calls)
    assert [record["type"] for record in await home.sandbox.records()] == ["lead", "task"]


async def test_what_arrived_while_it_was_parked_is_processed_after_a_replay_with_a_version_of_its_own(
    home: House,
) -> None:
    lead = await dead_at(home, "notify")
    home.rows("UPDATE jobs SET state = 'parked'")
    await home.deliver(jobTitle="Chief Operating Officer")
    first = home.job(lead)["id"]
    await replay(home, named(first), from_step="score")
    await home.run(lead)
    second = home.job(lead)
    assert (second["id"] != first, second["state"], second["run_version"]) == (True, "ready", 4)
    assert (await home.run(lead))["state"] == "done"
    assert home.lead(lead)["title"] == "Chief Operating Officer"
    record, _ = await home.sandbox.records()
    assert record["fields"]["title"] == "Chief Operating Officer"


async def test_poison_is_in_quarantine_until_it_is_asked_for(home: House) -> None:
    poison, other = stop(home, error="lease_expired"), stop(home)
    told = await replay(home, DEAD)
    assert (told.jobs, told.left) == ([other], {"poison": 1})
    fingerprint = await fingerprint_of(home, poison)
    assert (await replay(home, Chosen(("dead",), fingerprint=fingerprint))).left == {"poison": 1}
    assert (await replay(home, Chosen(("dead",), fingerprint=fingerprint), poison=True)).jobs == [poison]
    home.rows("UPDATE jobs SET state = 'dead', error_class = 'lease_expired' WHERE id = $1", poison)
    assert (await replay(home, named(poison))).jobs == [poison]


async def fingerprint_of(home: House, job: UUID) -> str:
    async with home.database.transaction() as session:
        found = await jobs_view.one(session, job)
    assert found is not None
    return str(found["fingerprint"])


async def test_a_job_that_kills_its_worker_after_a_replay_is_poison_whatever_it_died_of_before(home: House) -> None:
    lead = await home.deliver()
    job = kill(home, lead, error="ValidationError")
    await replay(home, named(job))
    for _ in range(home.settings.worker.max_claims):
        assert await home.claim(lead)
        home.rows("UPDATE jobs SET lease_until = now() - interval '1 second'")
    async with home.sweeper() as relay:
        await relay.sweep()
    assert home.job(lead)["error_class"] == "lease_expired"
    assert (await replay(home, DEAD)).left == {"poison": 1}


async def test_those_left_alone_are_told_with_the_reason(home: House) -> None:
    live, later, early, erased, parked = uuid4(), uuid4(), uuid4(), uuid4(), uuid4()
    named_jobs = [
        stop(home, lead=live), stop(home, lead=later), stop(home, lead=early, step="enrich"), stop(home, lead=erased),
        stop(home, lead=parked, state="parked"), stop(home, state="done"), uuid4(),
    ]  # fmt: skip
    stop(home, lead=live, version=2, state="ready")
    stop(home, lead=later, version=2, state="done")
    home.rows(
        """INSERT INTO leads (id, campaign_id, identity_key, version, status, received_at, erased_at)
           VALUES ($1, '', '', 1, 'erased', now(), now())""",
        erased,
    )
    told = await replay(home, Chosen(("dead",), ids=named_jobs), from_step="record")
    assert told == Replayed(
        [],
        {"another_run": 1, "later_version": 1, "not_reached": 1, "erased": 1, "not_stopped": 2, "unknown": 1},
    )
    assert home.value("SELECT count(*) FROM jobs WHERE state = 'dead'") == 4
    assert home.value("SELECT count(*) FROM audit_events") == 0


async def test_a_dry_run_tells_the_same_and_does_nothing(home: House) -> None:
    jobs = [stop(home, hours=hours) for hours in (3, 2, 1)]
    stop(home, error="lease_expired")
    dry = await replay(home, DEAD, limit=2, dry_run=True)
    assert dry == Replayed(jobs[:2], {"poison": 1, "over_limit": 1})
    assert home.value("SELECT count(*) FROM jobs WHERE state = 'dead'") == 4
    assert await replay(home, DEAD, limit=2) == dry


async def test_since_is_when_a_job_died(home: House) -> None:
    stop(home, hours=5)
    late = stop(home, hours=1)
    since = datetime.now(UTC) - timedelta(hours=2)
    assert (await replay(home, Chosen(("dead",), since=since))).jobs == [late]


async def test_many_are_replayed_and_two_operators_do_not_replay_one_twice(home: House) -> None:
    home.rows("""INSERT INTO jobs (lead_id, run_version, wanted_version, state, finished_at, trace_id)
                 SELECT uuidv7(), 1, 1, 'dead', now(), '' FROM generate_series(1, 250)""")
    one, other = await asyncio.gather(replay(home, DEAD), replay(home, DEAD))
    assert len(one.jobs) + len(other.jobs) == 250
    assert not set(one.jobs) & set(other.jobs)
    assert home.value("SELECT count(*) FROM audit_events WHERE action = 'job.replayed'") == 250


def waiting(home: House) -> Callable[[], Awaitable[bool]]:
    """Whether somebody waits for a lock."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"

    async def waits() -> bool:
        return bool(await asyncio.to_thread(home.value, query))

    return waits


async def test_one_whose_lead_gets_a_new_delivery_at_that_moment_does_not_hold_up_the_others(home: House) -> None:
    """The delivery's transaction holds the lead's place among the live jobs; then it commits."""
    lead, jobs = uuid4(), []
    jobs.append(stop(home, lead=lead))
    jobs.append(stop(home))
    async with home.direct.connection() as connection:
        delivery = connection.transaction()
        await delivery.start()
        await connection.execute(
            "INSERT INTO jobs (lead_id, run_version, wanted_version, trace_id) VALUES ($1, 2, 2, '')", lead
        )
        replaying = asyncio.create_task(replay(home, DEAD))
        await eventually(waiting(home))
        await delivery.commit()
    told = await replaying
    assert told == Replayed([jobs[1]], {"another_run": 1})
