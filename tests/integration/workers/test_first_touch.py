"""Timers: a reminder, the next rep, and an end; by the database's clock, whoever looks, and after a restart."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from prometheus_client import REGISTRY

from revenueflow import defaults
from revenueflow.db import timeline, timers
from revenueflow.domain.sales import OutcomeKind, SalesOutcome
from revenueflow.pipeline.context import Services
from revenueflow.pipeline.outcomes import record
from revenueflow.workers import first_touch
from tests.support.cli import run
from tests.support.house import House, eventually

MOVED = {
    "remind": "remind_at = now(), next_at = now()",
    "due": "due_at = now(), next_at = now()",
    "now": "next_at = now()",
}


def count(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


async def hot(home: House) -> UUID:
    """A hot lead of the United States, processed."""
    lead_id = await home.deliver()
    assert (await home.run(lead_id))["state"] == "done"
    return lead_id


def taken(home: House, lead_id: UUID) -> list[dict[str, Any]]:
    return home.rows("SELECT * FROM sla_timers WHERE lead_id = $1 ORDER BY number", lead_id)


def come(home: House, lead_id: UUID, what: str) -> None:
    """That time has come, for the running timer."""
    statement = f"UPDATE sla_timers SET {MOVED[what]} WHERE lead_id = $1 AND ended_at IS NULL"
    home.rows(statement, lead_id)


async def until_idle(services: Services) -> None:
    while await first_touch.look(services):
        pass


async def touch(home: House, lead_id: UUID, kind: OutcomeKind = OutcomeKind.TOUCHED) -> None:
    said = SalesOutcome(outcome=kind, at=datetime.now(UTC))
    await record(home.database, lead_id, said, actor="test", trace_id=None)


def messages(home: House) -> list[str]:
    query = (
        "SELECT args ->> 'text' AS text FROM actions WHERE tool = 'post_message' AND caller = 'sla' ORDER BY planned_at"
    )
    return [one["text"] for one in home.rows(query)]


def trail(home: House, lead_id: UUID) -> list[tuple[str, str]]:
    return [one for one in home.audit(lead_id) if one[0].startswith("sla.")]


async def test_the_pipeline_starts_the_timer(home: House) -> None:
    lead_id = await hot(home)
    (one,) = taken(home, lead_id)
    assert (one["state"], one["tier"], one["given"], one["owner_id"]) == ("open", "hot", "routed", "marcus-bell")
    assert one["next_at"] == one["remind_at"]
    assert one["started_at"] < one["remind_at"] < one["due_at"]
    async with home.services() as services:
        assert await first_touch.look(services) == 0, "it is not due"


async def test_a_reminder_comes_once(home: House) -> None:
    lead_id = await hot(home)
    said, before = await home.calls("slack"), count("revenueflow_sla_total", tier="hot", event="reminded")
    come(home, lead_id, "remind")
    async with home.services() as services:
        await until_idle(services)
        (one,) = taken(home, lead_id)
        assert (one["state"], one["reminder"], one["next_at"]) == ("open", "confirmed", one["due_at"])
        come(home, lead_id, "now")  # as after a crash between the message and the commit
        home.rows("UPDATE sla_timers SET reminded_at = NULL, reminder = NULL WHERE lead_id = $1", lead_id)
        await until_idle(services)
    assert await home.calls("slack") == said + 1
    (told,) = messages(home)
    assert "waits for a first touch" in told
    assert "Marcus Bell" in told
    assert trail(home, lead_id) == [("sla.reminded", "confirmed"), ("sla.reminded", "confirmed")]
    assert count("revenueflow_sla_total", tier="hot", event="reminded") == before + 2


async def test_who_lets_it_lie_loses_it_until_nobody_is_left(home: House) -> None:
    lead_id = await hot(home)
    async with home.services() as services:
        for _ in range(3):
            come(home, lead_id, "due")
            await until_idle(services)
    found = taken(home, lead_id)
    assert [(one["state"], one["given"]) for one in found] == [
        ("passed", "routed"), ("passed", "passed_on"), ("overdue", "passed_on"),
    ]  # fmt: skip
    assert len({one["owner_id"] for one in found}) == 3
    assert all(one["written"] == "confirmed" for one in found[1:])
    last, lead = found[-1], home.lead(lead_id)
    assert (lead["owner_id"], lead["routing_rule"]) == (last["owner_id"], "moved:sla")
    assert "Marcus Bell within 60 working minutes" in found[1]["reason"]
    (record_,) = [one for one in await home.sandbox.records() if one["type"] == "lead"]
    assert record_["fields"]["owner_id"] == last["owner_id"]
    assert trail(home, lead_id) == [
        ("sla.breached", "passed_on"), ("sla.reassigned", "confirmed"),
        ("sla.breached", "passed_on"), ("sla.reassigned", "confirmed"), ("sla.breached", "overdue"),
    ]  # fmt: skip
    assert len([one for one in messages(home) if "passed on" in one]) == 2
    async with home.database.transaction() as session:
        assert await timers.waiting(session) == {"hot": 1}
    await touch(home, lead_id)
    assert taken(home, lead_id)[-1]["state"] == "touched"
    assert taken(home, lead_id)[-1]["breached_at"] is not None


POOL = """
[selection]
out_of_hours = "assign"

[[territories]]
name = "Pool"
countries = ["US"]
owners = ["dana-whitfield", "marcus-bell", "carmen-ortega"]
"""


async def test_the_next_rep_is_whom_the_rules_name(home: House, tmp_path: Path) -> None:
    head = defaults.text("routing.toml").partition("[[territories]]")[0]
    (Path(str(home.settings.config_dir)) / "routing.toml").write_text(head + POOL)
    lead_id = await hot(home)
    async with home.services() as services:
        for _ in range(2):
            come(home, lead_id, "due")
            await until_idle(services)
    found = taken(home, lead_id)
    assert {one["owner_id"] for one in found} == {"dana-whitfield", "marcus-bell", "carmen-ortega"}
    assert "next: territory:Pool, country US" in found[1]["reason"]
    shown = await asyncio.to_thread(run, tmp_path, "leads", "show", str(lead_id), DATABASE_URL=home.urls.app_url)
    assert "next: territory:Pool, country US" in shown.out
    assert "sla.reassigned" in shown.out
    async with home.database.transaction() as session:
        items = await timeline.page(session, lead_id, after=timeline.START, limit=1000)
    assert [item["data"]["state"] for item in items if item["type"] == "timer"] == ["passed", "passed", "open"]


async def test_without_checkpoints_the_country_decides(home: House) -> None:
    lead_id = await hot(home)
    home.rows("UPDATE steps SET output = '{}' WHERE name IN ('capture', 'score')")
    come(home, lead_id, "due")
    async with home.services() as services:
        await until_idle(services)
    assert "has a territory in US" in taken(home, lead_id)[1]["reason"]


async def test_a_touch_ends_it_and_is_measured(home: House) -> None:
    lead_id = await hot(home)
    before = count("revenueflow_first_touch_seconds_count", tier="hot")
    await touch(home, lead_id)
    async with home.services() as services:
        await until_idle(services)
        home.rows("UPDATE sla_timers SET remind_at = now(), due_at = now() WHERE lead_id = $1", lead_id)
        assert await first_touch.look(services) == 0
    (one,) = taken(home, lead_id)
    assert (one["state"], one["next_at"], trail(home, lead_id)) == ("touched", None, [])
    assert count("revenueflow_first_touch_seconds_count", tier="hot") == before + 1


async def test_a_touch_wins_over_a_timer_that_was_claimed(home: House) -> None:
    lead_id = await hot(home)
    come(home, lead_id, "due")
    async with home.services() as services:
        async with home.database.transaction() as session:
            (one,) = await timers.claim(session, limit=9, hold=60)
        await touch(home, lead_id)
        await first_touch.FirstTouch(services, "t").attend(one)
    (found,) = taken(home, lead_id)
    assert found["state"] == "touched"
    assert home.lead(lead_id)["owner_id"] == "marcus-bell"


async def test_what_is_erased_or_lost_stops(home: House) -> None:
    gone, lost = await hot(home), await home.deliver(email="other@larkvale-systems.example")
    await home.run(lost)
    await touch(home, lost, OutcomeKind.LOST)
    home.rows("UPDATE leads SET erased_at = now(), status = 'erased' WHERE id = $1", gone)
    come(home, gone, "due")
    said = await home.calls("slack")
    async with home.services() as services:
        await until_idle(services)
    for lead_id in (gone, lost):
        (one,) = taken(home, lead_id)
        assert (one["state"], one["next_at"]) == ("closed", None)
    assert await home.calls("slack") == said


async def test_any_number_may_look_at_once(home: House) -> None:
    ids = [await home.deliver(email=f"p{n}@larkvale-systems.example") for n in range(4)]
    for lead_id in ids:
        await home.run(lead_id)
        come(home, lead_id, "due")
    async with home.services() as one, home.services() as other:
        await asyncio.gather(*(until_idle(each) for each in (one, other, one, other)))
    for lead_id in ids:
        assert [timer["state"] for timer in taken(home, lead_id)] == ["passed", "open"]
        assert trail(home, lead_id) == [("sla.breached", "passed_on"), ("sla.reassigned", "confirmed")]
    assert home.value("SELECT count(*) FROM actions WHERE caller = 'sla' AND tool = 'assign_owner'") == 4


async def test_what_was_claimed_and_left_is_done_by_the_next(home: House) -> None:
    lead_id = await hot(home)
    come(home, lead_id, "due")
    async with home.database.transaction() as session:
        assert len(await timers.claim(session, limit=9, hold=0.2)) == 1
        assert await timers.claim(session, limit=9, hold=0.2) == []
    async with home.services() as services:

        async def passed_on() -> bool:
            await first_touch.look(services)
            return len(taken(home, lead_id)) == 2

        await eventually(passed_on)


async def test_pausing_holds_the_timers(home: House) -> None:
    lead_id = await hot(home)
    come(home, lead_id, "due")
    home.rows("INSERT INTO controls (name, value, set_by) VALUES ('paused', 'true', 'test')")
    async with home.services() as services:
        assert await first_touch.look(services) == 0
        home.rows("DELETE FROM controls")
        assert await first_touch.look(services) == 1


async def test_while_writes_are_stopped_the_crm_is_owed_its_owner(home: House) -> None:
    lead_id = await hot(home)
    come(home, lead_id, "due")
    policy = defaults.text("policy.toml")
    file = Path(str(home.settings.config_dir)) / "policy.toml"
    file.write_text(policy.replace("kill_switch = false", "kill_switch = true"))
    defaults.text.cache_clear()
    async with home.services() as services:
        await until_idle(services)
    assert taken(home, lead_id)[1]["written"] is None
    file.write_text(policy)
    defaults.text.cache_clear()
    home.rows("UPDATE sla_timers SET next_at = now() WHERE lead_id = $1 AND next_at IS NOT NULL", lead_id)
    async with home.services() as services:
        await until_idle(services)
    assert taken(home, lead_id)[1]["written"] == "confirmed"


async def test_without_a_messenger_the_timer_goes_on(home: House) -> None:
    lead_id = await hot(home)
    come(home, lead_id, "remind")
    async with home.services() as services:
        await until_idle(replace(services, slack_channel=None))
    assert taken(home, lead_id)[0]["reminder"] == "not_configured"


async def test_a_messenger_that_is_away_is_asked_again(home: House) -> None:
    lead_id = await hot(home)
    come(home, lead_id, "remind")
    await home.sandbox.break_("slack", error_rate=1, status=429)
    async with home.services() as services:
        await until_idle(services)
        (one,) = taken(home, lead_id)
        assert one["reminder"] is None
        assert one["next_at"] < one["due_at"]
        await home.sandbox.break_("slack")

        async def reminded() -> bool:
            come(home, lead_id, "now")
            await until_idle(services)
            return taken(home, lead_id)[0]["reminder"] == "confirmed"

        await eventually(reminded)


async def test_a_crm_that_is_away_is_told_later(home: House) -> None:
    lead_id = await hot(home)
    come(home, lead_id, "due")
    await home.sandbox.break_("crm", error_rate=1, status=503)
    async with home.services() as services:
        await until_idle(services)
        (one,) = taken(home, lead_id)
        assert one["unanswered_since"] is not None, "its rep may have touched it: nobody can tell yet"
        home.rows("UPDATE sla_timers SET next_at = now(), unanswered_since = now() - interval '11 minutes'")
        await until_idle(services)
        (_, following) = taken(home, lead_id)
        assert following["written"] is None
        assert following["next_at"] > following["started_at"]
        assert home.lead(lead_id)["owner_id"] == following["owner_id"], "the decision holds"
        await home.sandbox.break_("crm")
        await touch(home, lead_id)  # the CRM is owed its owner all the same
        home.rows("UPDATE sla_timers SET next_at = now() WHERE lead_id = $1 AND next_at IS NOT NULL", lead_id)

        async def told() -> bool:
            await until_idle(services)
            home.rows("UPDATE sla_timers SET next_at = now() WHERE lead_id = $1 AND next_at IS NOT NULL", lead_id)
            return taken(home, lead_id)[1]["written"] == "confirmed"

        await eventually(told)
        await until_idle(services)
    assert taken(home, lead_id)[1]["next_at"] is None


async def test_another_run_keeps_the_owner_that_the_timer_chose(home: House) -> None:
    lead_id = await hot(home)
    come(home, lead_id, "due")
    async with home.services() as services:
        await until_idle(services)
    chosen = home.lead(lead_id)["owner_id"]
    await home.deliver(message="Please call me back about pricing for 60 seats.")
    assert (await home.run(lead_id))["run_version"] == 2
    lead = home.lead(lead_id)
    assert (lead["owner_id"], lead["routing_rule"]) == (chosen, "existing:moved")
    assert len(taken(home, lead_id)) == 2, "its time goes on"


async def test_an_owner_whom_somebody_else_chose_has_its_own_time(home: House) -> None:
    lead_id = await hot(home)
    home.rows("UPDATE leads SET owner_id = 'dana-whitfield' WHERE id = $1", lead_id)
    come(home, lead_id, "due")
    async with home.services() as services:
        await until_idle(services)
        assert [(one["state"], one["owner_id"]) for one in taken(home, lead_id)] == [
            ("replaced", "marcus-bell"), ("open", "dana-whitfield"),
        ]  # fmt: skip
        assert home.lead(lead_id)["owner_id"] == "dana-whitfield"
        home.rows("UPDATE leads SET owner_id = 'nobody' WHERE id = $1", lead_id)
        come(home, lead_id, "due")
        await until_idle(services)
    assert taken(home, lead_id)[-1]["state"] == "closed"


async def test_another_tier_starts_the_time_anew(home: House) -> None:
    lead_id = await hot(home)
    home.rows("UPDATE sla_timers SET tier = 'cold' WHERE lead_id = $1", lead_id)
    await home.deliver(message="Please call me back about pricing for 60 seats.")
    await home.run(lead_id)
    assert [(one["state"], one["tier"]) for one in taken(home, lead_id)] == [("replaced", "cold"), ("open", "hot")]


async def test_a_lead_that_was_touched_gets_no_timer(home: House) -> None:
    lead_id = await hot(home)
    await touch(home, lead_id)
    await home.deliver(message="Please call me back about pricing for 60 seats.")
    await home.run(lead_id)
    assert [one["state"] for one in taken(home, lead_id)] == ["touched"]


async def test_a_worker_looks_by_itself(home: House) -> None:
    lead_id = await hot(home)
    come(home, lead_id, "due")
    async with home.worker():

        async def passed_on() -> bool:
            return len(await asyncio.to_thread(taken, home, lead_id)) == 2

        await eventually(passed_on)


async def test_while_the_crm_cannot_be_told_of_one_owner_it_is_not_asked_for_all(home: House) -> None:
    ids = [await home.deliver(email=f"p{n}@larkvale-systems.example") for n in range(3)]
    for lead_id in ids:
        await home.run(lead_id)
    home.rows("UPDATE sla_timers SET given = 'passed_on', next_at = now()")
    before = await home.calls("crm")
    await home.sandbox.break_("crm", error_rate=1, status=503)
    async with home.services() as services:
        await until_idle(services)
    assert await home.calls("crm") == before + 1
    found = [taken(home, lead_id)[0] for lead_id in ids]
    assert [one["written"] for one in found] == [None] * 3
    assert home.value("SELECT count(*) FROM sla_timers WHERE next_at > now()") == 3
