"""A person is erased, at any moment of a run, and nothing of it comes back."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest

from revenueflow.audit import proof
from revenueflow.audit.keys import public_file
from revenueflow.db import audit_log
from revenueflow.db.deliveries import NewDelivery
from revenueflow.db.jobs import Lease
from revenueflow.devserver.cluster import DatabaseUrls
from revenueflow.domain.lead import Lead
from revenueflow.domain.outcome import Outcome
from revenueflow.errors import LeaseLost, NotFound
from revenueflow.pipeline import subject_access
from revenueflow.pipeline.context import Context
from revenueflow.pipeline.erasure import Erased, erase, reopen
from revenueflow.pipeline.steps import STEPS, Step
from revenueflow.settings import CrmSettings
from revenueflow.sources import generic
from revenueflow.sources.arrival import Arrival
from revenueflow.sources.storing import store, store_spooled
from revenueflow.workers.commits import Commits
from revenueflow.workers.heartbeat import Heartbeat
from revenueflow.workers.runner import Runner
from tests.support import canary
from tests.support.api import identity
from tests.support.canary import EMAIL, LINKEDIN, MARKS, NAME, PERSON, PHONE, marked
from tests.support.house import House, eventually, house
from tests.support.trail import Trail

VERIFIER = str(Path(__file__).parents[3] / "docs" / "verify-audit.py")
REASON = f"asked for it: {NAME}, {EMAIL}"


async def forget(home: House, lead: UUID) -> Erased:
    return await erase(home.direct, identity(), lead, reason=REASON, actor="test")


@asynccontextmanager
async def runner(home: House, steps: Sequence[Step]) -> AsyncIterator[Runner]:
    """One whose heart does not beat: that its lease is gone it learns when it writes."""
    settings = home.settings.worker
    async with home.services() as services:
        beat = Heartbeat(home.settings.database, settings)
        yield Runner(Commits(home.direct, settings, owner="test"), services, settings, beat, steps=steps)


def erasing(home: House, name: str, moment: str, erasures: list[asyncio.Task[Erased]]) -> tuple[Step, ...]:
    """The steps, one of which is gone on with when its lead has been erased: before or after what it does."""
    (meant,) = [step for step in STEPS if step.name == name]

    async def somebody_erases(lead: Lead) -> None:
        erasures.append(asyncio.create_task(forget(home, lead.id)))
        await erasures[0]

    async def run(lead: Lead, context: Context) -> Outcome:
        if moment == "before":
            await somebody_erases(lead)
        outcome = await meant.run(lead, context)
        if moment == "after":
            await somebody_erases(lead)
        return outcome

    return tuple(replace(step, run=run) if step is meant else step for step in STEPS)


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("name", [step.name for step in STEPS])
async def test_in_the_middle_of_any_step(
    home: House, capsys: pytest.CaptureFixture[str], name: str, moment: str
) -> None:
    lead = await home.deliver(**PERSON)
    assert list(marked(home))
    capsys.readouterr()
    erasures: list[asyncio.Task[Erased]] = []
    async with runner(home, erasing(home, name, moment, erasures)) as one:
        for lease in await one.commits.claim([home.job(lead)["id"]]):
            with suppress(LeaseLost):
                await one.run(lease)
    assert not (await erasures[0]).unchanged
    assert list(marked(home)) == []
    assert not MARKS.search(canary.in_redis(home.settings.redis.url))
    assert not MARKS.search(capsys.readouterr().out)
    row = home.lead(lead)
    assert (row["status"], row["email"], row["erased_at"] is not None) == ("erased", None, True)
    assert home.rows("SELECT id FROM jobs WHERE state IN ('ready', 'leased', 'parked')") == []
    assert ("person.erased", "done") in home.audit(lead)


async def test_with_a_whole_worker_and_models_that_are_slow(home: House, capsys: pytest.CaptureFixture[str]) -> None:
    await home.sandbox.break_("gemini", latency_ms=1500)
    async with home.staffed():
        lead = await home.deliver(**PERSON)
        await home.until_called("gemini")
        told = await forget(home, lead)
        assert (told.unchanged, told.runs_ended) == (False, 1)
        other = await home.deliver()
        await home.until_state(other, "done")
    assert list(marked(home)) == []
    assert not MARKS.search(capsys.readouterr().out)
    assert home.lead(other)["email"] is not None


async def test_answers_that_come_after_it_are_paid_and_not_kept(home: House) -> None:
    await home.sandbox.break_("clearbit", latency_ms=1200)
    async with home.staffed():
        lead = await home.deliver(**PERSON)
        await home.until_called("clearbit")
        await forget(home, lead)
    kept = home.rows("SELECT lookup FROM lookups WHERE findings IS NOT NULL")
    assert all(row["lookup"] != "person" for row in kept)
    assert list(marked(home)) == []
    assert home.value("SELECT coalesce(sum(reserved_usd), 0) FROM spend") == 0


async def test_a_finished_lead_in_two_campaigns(home: House) -> None:
    first = await home.deliver(**PERSON, campaign="spring")
    second = await home.deliver(**PERSON, campaign="autumn")
    waiting = await home.deliver(**PERSON, campaign="winter")
    for lead in (first, second):
        await home.run(lead)
    told = await forget(home, first)
    assert set(told.leads) == {first, second, waiting}
    assert {copy.object_type for copy in told.copies} >= {"lead"}
    assert all(copy.crm_id for copy in told.copies if copy.object_type == "lead")
    assert {"deliveries", "leads", "evidence", "claims", "actions", "steps"} <= set(told.erased)
    assert list(marked(home)) == []
    assert {row["status"] for row in home.rows("SELECT status FROM leads")} == {"erased"}
    assert home.value("SELECT reason FROM erasures LIMIT 1") == "asked for it: [NAME], [EMAIL]"
    again = await forget(home, second)
    assert (again.unchanged, dict(again.erased), again.runs_ended) == (True, {}, 0)
    assert {copy.record_key for copy in again.copies} == {copy.record_key for copy in told.copies}
    assert home.audit(second)[-1] == ("person.erased", "unchanged")
    with pytest.raises(NotFound):
        await forget(home, uuid4())


async def test_the_same_address_under_another_identity(home: House) -> None:
    known_by_address = await home.deliver(**PERSON)
    by_own_id = Arrival(
        "hubspot-like", "k1", orjson.dumps(PERSON), "application/json",
        generic.read(orjson.dumps(PERSON), "application/json").understood, own_id="4711", own_id_first=True,
    )  # fmt: skip
    other = await home.accept(by_own_id)
    assert other != known_by_address
    await home.run(other)
    told = await forget(home, known_by_address)
    assert set(told.leads) == {known_by_address, other}
    assert list(marked(home)) == []


async def test_what_comes_later_waits_for_an_operator(home: House) -> None:
    lead = await home.deliver(**PERSON)
    await home.run(lead)
    await forget(home, lead)
    await home.deliver(**PERSON)
    assert home.value("SELECT count(*) FROM deliveries") == 1, "the same delivery is known still"
    assert list(marked(home)) == []
    later = await home.deliver(**PERSON, website="https://larkvale-systems.example")
    assert later == lead
    job = await home.run(lead)
    assert (job["state"], job["error_class"]) == ("parked", "person_erased")
    elsewhere = await home.deliver(**PERSON, campaign="another")
    assert (await home.run(elsewhere))["error_class"] == "person_erased"
    assert home.lead(lead)["email"] is None
    runs = await reopen(home.direct, home.database, identity(), lead, actor="test")
    assert set(runs) == {home.job(lead)["id"], home.job(elsewhere)["id"]}
    assert (await home.run(lead))["state"] == "done"
    assert (home.lead(lead)["status"], home.lead(lead)["email"], home.lead(lead)["erased_at"]) == (
        "processed", EMAIL, None,
    )  # fmt: skip
    late = await spooled_before(home, lead, message="sent long ago")
    assert await store_spooled(home.direct, identity(), [late])
    assert home.value("SELECT count(*) FROM deliveries WHERE id = $1", late.id) == 0
    told = await forget(home, lead)
    assert not told.unchanged
    assert list(marked(home)) == []


async def spooled_before(home: House, lead: UUID, **fields: str) -> NewDelivery:
    """A delivery of the person that waited in a spool since before the erasure."""
    erased_at = home.value("SELECT min(erased_at) FROM erasures")
    raw = orjson.dumps(PERSON | fields)
    parsed = generic.read(raw, "application/json").understood
    assert parsed is not None
    row = home.rows("SELECT * FROM deliveries WHERE lead_id = $1 LIMIT 1", lead)[0]
    return NewDelivery(
        uuid4(), "webhook", str(uuid4()), raw, b"x", "application/json", parsed.model_dump_json(exclude_none=True),
        lead, row["identity_key"], "spooled", None, "trace", erased_at - timedelta(seconds=30),
    )  # fmt: skip


async def test_the_spool_is_dropped_by_the_drainer_and_by_capture(home: House) -> None:
    lead = await home.deliver(**PERSON)
    await forget(home, lead)
    late = await spooled_before(home, lead)
    not_understood = late._replace(
        id=uuid4(), delivery_key="q", lead_id=None, identity_key=None, parsed=None, outcome="quarantined", reason="x"
    )
    answers = await store_spooled(home.direct, identity(), [late, not_understood])
    assert [getattr(one, "status", None) for one in answers] == ["dropped", "dropped"]
    assert home.value("SELECT count(*) FROM deliveries") == 1
    await store(home.direct, [late])  # it was read from the spool before the erasure, and stored after it
    assert list(marked(home))
    for lease in await claimed(home, lead):
        async with home.runner() as one:
            with suppress(LeaseLost):
                await one.run(lease)
    assert list(marked(home)) == []
    assert home.job(lead)["state"] == "done"


async def claimed(home: House, lead: UUID) -> list[Lease]:
    lease = await home.claim(lead)
    return [lease] if lease else []


async def test_it_waits_for_what_was_under_way(home: House) -> None:
    """A transaction that began before it, and writes after it, leaves nothing behind."""
    lead = await home.deliver(**PERSON)
    await home.run(lead)
    async with home.direct.transaction() as older:
        await older.execute("UPDATE controls SET value = value")
        erasing_it = asyncio.create_task(forget(home, lead))
        await eventually(lambda: asyncio.to_thread(home.value, "SELECT erased_at IS NOT NULL FROM leads"))
        await older.execute("UPDATE evidence SET value = to_jsonb($1::text)", NAME)
        assert not erasing_it.done()
    await erasing_it
    assert list(marked(home)) == []


async def test_quarantine_and_rejects_are_searched(home: House) -> None:
    lead = await home.deliver(**PERSON)
    forms = (
        EMAIL.upper(), EMAIL.replace("@", "%40"), EMAIL.replace("@", "\\u0040"), EMAIL.replace("@", "&#64;"),
        "tel 0049 (1512) 99 88 776", LINKEDIN + "?x=1", f"a=b&c={PHONE.replace('+', '%2B').replace(' ', '+')}",
    )  # fmt: skip
    for form in forms:
        await home.ingress.accept([Arrival("webhook", form, f"<{form}>".encode(), "text/plain", reason="no")], "t")
    await home.ingress.accept([Arrival("webhook", "utf16", EMAIL.encode("utf-16"), "text/plain", reason="no")], "t")
    await home.ingress.accept([Arrival("webhook", "else", b"somebody@else.example", "text/plain", reason="no")], "t")
    home.rows("INSERT INTO imports (id, state, finished_at) VALUES ($1, 'done', now())", (one := uuid4()))
    home.rows("INSERT INTO import_rejects VALUES ($1, 1, 'why', $2), ($1, 2, 'why', 'eve;Eve')", one, f"a;{EMAIL};b")
    told = await forget(home, lead)
    assert (told.erased["quarantine"], told.erased["import_rejects"]) == (len(forms) + 1, 1)
    assert list(marked(home)) == []
    assert home.value("SELECT count(*) FROM deliveries WHERE outcome = 'quarantined'") == 1
    assert [row["raw"] for row in home.rows("SELECT raw FROM import_rejects ORDER BY line")] == ["", "eve;Eve"]


async def test_everything_is_exported_and_nothing_of_others(home: House) -> None:
    await home.deliver()
    lead = await home.deliver(**PERSON)
    await home.run(lead)
    found = await subject_access.export(home.direct, identity(), lead, actor="test")
    text = orjson.dumps(found, default=str).decode()
    held = {line.split(":")[0] for line in marked(home)}
    assert held - {"import_rejects"} <= set(found["tables"])
    assert NAME in text
    assert "dana@" not in text
    assert {copy["type"] for copy in found["copies"]} >= {"lead"}
    assert home.audit(lead)[-1] == ("person.exported", "done")
    await forget(home, lead)
    after = await subject_access.export(home.direct, identity(), lead, actor="test")
    assert not MARKS.search(orjson.dumps(after, default=str).decode())


async def test_the_trail_and_its_proofs_stay_valid(home: House, tmp_path: Path) -> None:
    trail = Trail(home.urls, tmp_path)
    lead = await home.deliver(**PERSON)
    await home.run(lead)
    await trail.seal()
    event = home.value("SELECT id FROM audit_events WHERE lead_id = $1 ORDER BY ts LIMIT 1", lead)
    before = await proven(trail, event)
    await forget(home, lead)
    await trail.seal()
    report = await trail.verify()
    assert (report.intact, report.checkpoints) == (True, 2)
    after = await proven(trail, event)
    assert after["event"] == before["event"]
    for number, found in enumerate((before, after)):
        file = tmp_path / f"{number}.json"
        file.write_bytes(orjson.dumps(found))
        command = [sys.executable, VERIFIER, str(file), "--key", str(public_file(trail.key))]
        done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


async def proven(trail: Trail, event: UUID) -> dict[str, Any]:
    async with audit_log.snapshot(trail.urls.auditor_url, application="test") as connection:
        return await proof.proof(connection, event)


async def test_records_of_the_mock_crm_go_too(database: DatabaseUrls, redis_url: str, tmp_path: Path) -> None:
    async with house(database, redis_url, tmp_path, crm=CrmSettings(provider="mock", timeout=2)) as home:
        lead = await home.deliver(**PERSON)
        await home.run(lead)
        assert any(line.startswith("mock_crm_records") for line in marked(home))
        await forget(home, lead)
        assert list(marked(home)) == []
