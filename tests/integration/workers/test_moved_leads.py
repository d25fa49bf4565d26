"""Leads that go to somebody else: who is told in Slack, and what becomes of owner and task in the CRM."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson

from revenueflow import defaults
from revenueflow.db import owner_moves
from revenueflow.domain.lead import Tier
from revenueflow.pipeline import rep_changes
from revenueflow.pipeline.context import Services
from revenueflow.pipeline.owner_told import NewOwner, OwnerTold
from revenueflow.routing.due import due_at
from revenueflow.routing.rules import RoutingRules
from revenueflow.workers import first_touch
from tests.support.house import House, eventually
from tests.support.policy import by_rules_alone

RULES = defaults.load(RoutingRules, "routing.toml")
MARCUS, DANA = RULES.rep("marcus-bell"), RULES.rep("dana-whitfield")
COME = {"remind": "remind_at = now(), next_at = now()", "due": "due_at = now(), next_at = now()"}


async def hot(home: House, **fields: str) -> UUID:
    lead_id = await home.deliver(**fields)
    assert (await home.run(lead_id))["state"] == "done"
    return lead_id


def come(home: House, lead_id: UUID, what: str) -> None:
    home.rows(f"UPDATE sla_timers SET {COME[what]} WHERE lead_id = $1 AND ended_at IS NULL", lead_id)


def timers(home: House, lead_id: UUID) -> list[dict[str, Any]]:
    return home.rows("SELECT * FROM sla_timers WHERE lead_id = $1 ORDER BY number", lead_id)


async def until_idle(services: Services) -> None:
    while await first_touch.look(services) + await first_touch.tell_moves(services):
        pass


async def said(home: House) -> list[tuple[str, str]]:
    """Where messages of timers went, and how they begin."""
    posted = [orjson.loads(one["body"]) for one in await home.sandbox.requests("slack")]
    return [(one["channel"], one["text"].split(":")[0]) for one in posted if not one["text"].startswith("Hot lead:")]


async def record(home: House, kind: str, **having: str) -> dict[str, Any]:
    (found,) = [
        one for one in await home.sandbox.records()
        if one["type"] == kind and having.items() <= one["fields"].items()
    ]  # fmt: skip
    return found


async def remove(home: House, rep: str = "marcus-bell", to: str = "dana-whitfield") -> dict[str, int]:
    moved: dict[str, int] = (await rep_changes.remove(home.database, RULES, rep, to, actor="test"))["moved"]
    return moved


def now_due(home: House) -> None:
    home.rows("UPDATE owner_moves SET next_at = now()")


async def test_a_reminder_goes_to_the_rep(home: House) -> None:
    lead_id = await hot(home)
    come(home, lead_id, "remind")
    async with home.services() as services:
        await until_idle(services)
    assert await said(home) == [(MARCUS.slack_id, "Hot lead waits for a first touch")]


async def test_to_the_channel_if_the_rep_has_no_slack_id(home: House) -> None:
    lead_id = await hot(home)
    come(home, lead_id, "remind")
    async with home.services() as services:
        others = tuple(one.model_copy(update={"slack_id": None}) for one in RULES.reps)
        await rep_changes.put(home.database, RULES, others, {}, actor="test", replace=False)
        await until_idle(services)
    assert await said(home) == [("#hot-leads", "Hot lead waits for a first touch")]


async def test_to_the_channel_if_slack_refuses_the_rep(home: House) -> None:
    lead_id = await hot(home)
    come(home, lead_id, "remind")
    gone = MARCUS.model_copy(update={"slack_id": "U0LEFTUS"})
    await rep_changes.put(home.database, RULES, (gone,), {}, actor="test", replace=False)
    async with home.services() as services:
        await until_idle(services)
    waits = "Hot lead waits for a first touch"
    assert await said(home) == [("U0LEFTUS", waits), ("#hot-leads", waits)]
    assert timers(home, lead_id)[0]["reminder"] == "confirmed"


async def test_passing_on_tells_the_channel_both_reps_and_moves_the_task(home: House) -> None:
    lead_id = await hot(home)
    before = await record(home, "task")
    come(home, lead_id, "due")
    async with home.services() as services:
        await until_idle(services)
        home.rows("UPDATE sla_timers SET written = NULL, next_at = now() WHERE given = 'passed_on'")
        await until_idle(services)  # as after a crash between the last write and the commit
    following = timers(home, lead_id)[1]
    new = RULES.rep(following["owner_id"])
    assert await said(home) == [
        ("#hot-leads", "Hot lead passed on"), (new.slack_id, "Hot lead is yours now"),
        (MARCUS.slack_id, "Hot lead is not yours any more"),
    ]  # fmt: skip
    task = await record(home, "task")
    assert task["record_key"] == before["record_key"], "one task, which moves"
    assert [one["fields"].get("owner_id") for one in task["writes"]] == ["marcus-bell", new.id], "and is moved once"
    assert task["fields"]["subject"] == before["fields"]["subject"]
    due = due_at(RULES.follow_up, Tier.HOT, following["started_at"], new)
    assert datetime.fromisoformat(task["fields"]["due_at"]) == due.replace(microsecond=0)
    told = home.value("SELECT detail ->> 'task' FROM audit_events WHERE action = 'sla.reassigned' LIMIT 1")
    assert told == "confirmed"


async def test_a_removed_reps_leads_have_their_owner_in_the_crm_at_once(home: House) -> None:
    lead_id, other = await hot(home), await hot(home, email="p@larkvale-systems.example")
    home.rows("DELETE FROM sla_timers WHERE lead_id = $1", other)  # such as one from before there were timers
    assert await remove(home) == {"marcus-bell": 2}
    async with home.services() as services:
        await until_idle(services)
        await until_idle(services)
    for one in (lead_id, other):
        lead = await record(home, "lead", lead_id=str(one))
        assert lead["fields"]["owner_id"] == "dana-whitfield"
        assert lead["fields"]["owner_reason"] == "moved: marcus-bell was removed"
        task = await record(home, "task", lead_id=str(one))
        assert [write["fields"]["owner_id"] for write in task["writes"]] == ["marcus-bell", "dana-whitfield"]
        assert ("lead.reassigned", "confirmed") in home.audit(one)
    assert home.rows("SELECT * FROM owner_moves") == []
    found = timers(home, lead_id)
    assert [(one["state"], one["owner_id"]) for one in found] == [
        ("replaced", "marcus-bell"), ("open", "dana-whitfield"),
    ]  # fmt: skip
    assert home.value("SELECT count(*) FROM actions WHERE caller = 'sla' AND tool = 'assign_owner'") == 2


async def test_an_overdue_lead_that_is_moved_has_a_time_again(home: House) -> None:
    lead_id = await hot(home)
    home.rows("UPDATE sla_timers SET state = 'overdue', breached_at = now(), next_at = NULL")
    await remove(home)
    async with home.services() as services:
        await until_idle(services)
    assert [one["state"] for one in timers(home, lead_id)] == ["replaced", "open"]


async def test_a_crm_that_is_away_is_told_of_the_move_later_and_once(home: House) -> None:
    lead_id = await hot(home)
    await remove(home)
    await home.sandbox.break_("crm", error_rate=1, status=503)
    async with home.services() as services:
        await until_idle(services)
    (owed,) = home.rows("SELECT next_at > now() AS later FROM owner_moves")
    assert owed["later"]
    await home.sandbox.break_("crm")
    async with home.services() as services, home.services() as another:  # as after a restart

        async def told() -> bool:
            now_due(home)
            await asyncio.gather(until_idle(services), until_idle(another))
            return not home.rows("SELECT FROM owner_moves")

        await eventually(told)
    lead = await record(home, "lead", lead_id=str(lead_id))
    assert len([one for one in lead["writes"] if one["fields"].get("owner_id") == "dana-whitfield"]) == 1


async def test_of_two_moves_the_last_counts(home: House) -> None:
    lead_id = await hot(home)
    await remove(home)
    await remove(home, "dana-whitfield", "carmen-ortega")
    assert len(home.rows("SELECT FROM owner_moves")) == 1
    async with home.services() as services:
        await until_idle(services)
    lead = await record(home, "lead", lead_id=str(lead_id))
    owners = [one["fields"]["owner_id"] for one in lead["writes"] if "owner_id" in one["fields"]]
    assert owners == ["marcus-bell", "carmen-ortega"]


async def test_a_move_after_one_that_was_told_and_not_settled_is_told_too(home: House) -> None:
    lead_id = await hot(home)
    await remove(home)
    async with home.services() as services:
        async with home.database.transaction() as session:
            one = await owner_moves.claim(session, hold=60)
        assert one is not None
        since = (one["owner_id"], one["owner_name"], one["reason"], Tier.HOT, one["made_at"])
        told = await OwnerTold(services, "t").tell(NewOwner(one["id"], lead_id, *since))  # and the worker dies
        assert (told.owner, told.task, told.pause) == ("confirmed", "confirmed", None)
        await remove(home, "dana-whitfield", "carmen-ortega")
        await until_idle(services)
        assert (await record(home, "lead", lead_id=str(lead_id)))["fields"]["owner_id"] == "dana-whitfield"
        now_due(home)
        await until_idle(services)
    assert (await record(home, "lead", lead_id=str(lead_id)))["fields"]["owner_id"] == "carmen-ortega"
    assert (await record(home, "task"))["fields"]["owner_id"] == "carmen-ortega"


async def test_a_lead_that_is_being_processed_is_told_afterwards(home: House) -> None:
    lead_id = await hot(home)
    await home.deliver(message="Please call me back about pricing for 60 seats.")
    assert home.job(lead_id)["state"] == "ready"
    await remove(home)
    async with home.services() as services:
        await until_idle(services)
        assert home.value("SELECT count(*) FROM owner_moves WHERE next_at > now()") == 1
        await home.run(lead_id)
        now_due(home)
        await until_idle(services)
    assert home.rows("SELECT FROM owner_moves") == []
    assert (await record(home, "lead", lead_id=str(lead_id)))["fields"]["owner_id"] == "dana-whitfield"
    assert timers(home, lead_id)[-1]["owner_id"] == "dana-whitfield"


async def test_a_run_that_writes_the_old_owner_afterwards_is_put_right(home: House) -> None:
    by_rules_alone(Path(str(home.settings.config_dir)))
    lead_id = await home.deliver()
    await home.sandbox.break_("crm", error_rate=1, status=503)
    await home.run(lead_id)
    assert (home.lead(lead_id)["owner_id"], home.lead(lead_id)["crm_id"]) == ("marcus-bell", None)
    assert await remove(home) == {"marcus-bell": 1}
    await home.sandbox.break_("crm")
    async with home.services() as services:
        await until_idle(services)
        assert home.value("SELECT count(*) FROM owner_moves") == 1, "the run goes on"

        async def done() -> bool:
            home.rows("UPDATE jobs SET run_at = now()")
            return (await home.run(lead_id))["state"] == "done"

        await eventually(done)
        now_due(home)
        await until_idle(services)
    lead = await record(home, "lead", lead_id=str(lead_id))
    assert lead["fields"]["owner_id"] == home.lead(lead_id)["owner_id"] == "dana-whitfield"
    assert (await record(home, "task"))["fields"]["owner_id"] == "dana-whitfield"
    assert timers(home, lead_id)[-1]["owner_id"] == "dana-whitfield"


async def stopped_run(home: House) -> UUID:
    """A lead whose run has given it to Marcus, and waits for the CRM."""
    by_rules_alone(Path(str(home.settings.config_dir)))
    lead_id = await home.deliver()
    await home.sandbox.break_("crm", error_rate=1, status=503)
    await home.run(lead_id)
    assert home.lead(lead_id)["owner_id"] == "marcus-bell"
    return lead_id


async def until_done(home: House, lead_id: UUID) -> None:
    await home.sandbox.break_("crm")

    async def done() -> bool:
        home.rows("UPDATE jobs SET run_at = now()")
        return (await home.run(lead_id))["state"] == "done"

    await eventually(done)


async def soon_due(home: House, lead_id: UUID, services: Services) -> None:
    """Looks at the timers, but tells of no moves, once a timer's time has come that is due within seconds."""
    soon = "UPDATE sla_timers SET next_at = now() WHERE lead_id = $1 AND next_at < now() + interval '11 seconds'"
    home.rows(soon, lead_id)
    while await first_touch.look(services):
        pass


async def test_the_time_of_a_run_that_knew_the_old_owner_is_the_new_owners_at_once(home: House) -> None:
    lead_id = await stopped_run(home)
    assert await remove(home) == {"marcus-bell": 1}
    await until_done(home, lead_id)
    async with home.services() as services:
        await soon_due(home, lead_id, services)
    assert len(home.rows("SELECT FROM owner_moves")) == 1, "what the CRM is owed has not had its turn"
    assert [(one["state"], one["owner_id"]) for one in timers(home, lead_id)] == [
        ("replaced", RULES.default_owner), ("open", "dana-whitfield"),
    ]  # fmt: skip


async def test_a_lead_that_a_run_gave_to_a_rep_who_was_being_removed_is_the_queues(home: House) -> None:
    lead_id = await stopped_run(home)
    await remove(home)  # and the run's commit came a moment after
    home.rows("UPDATE leads SET owner_id = 'marcus-bell', owner_name = 'Marcus Bell', routing_rule = 'territory'")
    home.rows("DELETE FROM owner_moves")
    await until_done(home, lead_id)
    async with home.services() as services:
        await soon_due(home, lead_id, services)
        assert home.lead(lead_id)["owner_id"] == RULES.default_owner
        assert [(one["state"], one["owner_id"]) for one in timers(home, lead_id)] == [
            ("replaced", RULES.default_owner), ("open", RULES.default_owner),
        ]  # fmt: skip
        assert ("lead.moved", "done") in home.audit(lead_id)
        await until_idle(services)
    assert (await record(home, "lead", lead_id=str(lead_id)))["fields"]["owner_id"] == RULES.default_owner


async def test_a_run_that_knew_the_old_owner_leaves_the_time_of_the_new_one_alone(home: House) -> None:
    lead_id = await hot(home)
    await home.deliver(message="Please call me back about pricing for 60 seats.")
    await home.sandbox.break_("crm", error_rate=1, status=503)
    await home.run(lead_id)
    await remove(home)
    come(home, lead_id, "due")
    async with home.services() as services:
        await first_touch.look(services)
    await until_done(home, lead_id)
    assert [(one["state"], one["owner_id"]) for one in timers(home, lead_id)] == [
        ("replaced", "marcus-bell"), ("open", "dana-whitfield"),
    ]  # fmt: skip


async def test_reminders_do_not_wait_for_moves(home: House) -> None:
    moved = await hot(home)
    home.rows("UPDATE leads SET owner_id = 'dana-whitfield' WHERE id = $1", moved)
    home.rows("INSERT INTO owner_moves (lead_id, owner_id, owner_name, reason) VALUES ($1, $2, $3, $4)",
              moved, DANA.id, DANA.name, "test")  # fmt: skip
    for n in range(first_touch.AT_ONCE + 1):
        come(home, await hot(home, email=f"p{n}@larkvale-systems.example"), "remind")
    async with home.services() as services:
        working = asyncio.create_task(first_touch.run(services, pause=0.05))

        async def told() -> bool:
            return not await asyncio.to_thread(home.rows, "SELECT FROM owner_moves")

        await eventually(told)
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
    events = home.rows("SELECT action FROM audit_events WHERE actor = 'sla' ORDER BY ts, id")
    order = [one["action"] for one in events]
    assert order == ["sla.reminded"] * (first_touch.AT_ONCE + 1) + ["lead.reassigned"]


async def test_nothing_is_told_of_a_lead_that_was_erased_touched_by_another_owner_or_never_written(home: House) -> None:
    ids = [await hot(home, email=f"p{n}@larkvale-systems.example") for n in range(3)]
    await remove(home)
    home.rows("UPDATE leads SET erased_at = now(), status = 'erased' WHERE id = $1", ids[0])
    home.rows("UPDATE leads SET owner_id = 'carmen-ortega' WHERE id = $1", ids[1])
    home.rows("UPDATE leads SET crm_id = NULL WHERE id = $1", ids[2])
    async with home.services() as services:
        await until_idle(services)
    assert home.rows("SELECT FROM owner_moves") == []
    assert home.value("SELECT count(*) FROM actions WHERE caller = 'sla'") == 0


async def test_without_slack_nobody_is_told_and_the_task_moves_all_the_same(home: House) -> None:
    lead_id = await hot(home)
    come(home, lead_id, "due")
    async with home.services() as services:
        await until_idle(replace(services, slack_channel=None))
    assert await said(home) == []
    assert (await record(home, "task"))["fields"]["owner_id"] == timers(home, lead_id)[1]["owner_id"]


async def test_a_worker_tells_by_itself(home: House) -> None:
    lead_id = await hot(home)
    await remove(home)
    async with home.worker():

        async def told() -> bool:
            return (await record(home, "lead", lead_id=str(lead_id)))["fields"]["owner_id"] == "dana-whitfield"

        await eventually(told)
