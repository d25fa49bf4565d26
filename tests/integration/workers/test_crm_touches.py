"""Touches that reps record in the CRM and nowhere else: seen before a timer acts, and now and then."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import redis.asyncio as redis
from prometheus_client import REGISTRY

from revenueflow import defaults
from revenueflow.db.timers import about
from revenueflow.devserver.cluster import DatabaseUrls
from revenueflow.domain.action import CallStatus, record_key
from revenueflow.mcp.call import Call, Caller
from revenueflow.pipeline.context import Services
from revenueflow.pipeline.crm_touches import CrmTouches, Look
from revenueflow.settings import CrmSettings
from revenueflow.workers import first_touch
from tests.support.house import House, eventually, house, salesforce
from tests.support.sandbox_http import Sandbox

COME = {"remind": "remind_at = now(), next_at = now()", "due": "due_at = now(), next_at = now()"}
OBJECTS = "/crm/objects/2026-09/contacts"


async def hot(home: House) -> UUID:
    lead_id = await home.deliver()
    assert (await home.run(lead_id))["state"] == "done"
    return lead_id


def timers(home: House, lead_id: UUID) -> list[dict[str, Any]]:
    return home.rows("SELECT * FROM sla_timers WHERE lead_id = $1 ORDER BY number", lead_id)


def come(home: House, lead_id: UUID, what: str) -> None:
    home.rows(f"UPDATE sla_timers SET {COME[what]} WHERE lead_id = $1 AND ended_at IS NULL", lead_id)


def waited(home: House, minutes: int) -> None:
    """As if all running timers had begun so long ago, and no look were made yet."""
    home.rows("UPDATE sla_timers SET look_at = NULL, started_at = now() - make_interval(mins => $1)", minutes)


async def until_idle(services: Services) -> None:
    while await first_touch.look(services):
        pass


def outcomes(home: House, lead_id: UUID) -> list[tuple[str, str]]:
    found = home.rows("SELECT kind, recorded_by FROM outcomes WHERE lead_id = $1", lead_id)
    return [(one["kind"], one["recorded_by"]) for one in found]


def shown_by(home: House, lead_id: UUID) -> tuple[str, str]:
    query = "SELECT detail ->> 'shown_by' AS field, detail ->> 'time' AS time FROM audit_events"
    (one,) = home.rows(query + " WHERE lead_id = $1 AND action = 'lead.outcome' AND actor = 'crm'", lead_id)
    return one["field"], one["time"]


async def put(sandbox: Sandbox, lead_id: UUID, **fields: Any) -> None:
    """A rep, or somebody's own CRM, writes to the record."""
    path = f"/records/lead/{record_key(lead_id, 'lead')}"
    answer = await sandbox.ask("crm", "PUT", path, json={"fields": fields}, headers={"authorization": "Bearer rep"})
    answer.raise_for_status()


def rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


@pytest.mark.parametrize("what", ["remind", "due"])
async def test_a_touch_in_the_crm_ends_the_timer(home: House, what: str) -> None:
    lead_id, before = await hot(home), await home.calls("slack")
    at = home.lead(lead_id)["received_at"] + timedelta(seconds=1)
    await put(home.sandbox, lead_id, touched_at=at.isoformat())
    come(home, lead_id, what)
    count = REGISTRY.get_sample_value("revenueflow_first_touch_seconds_count", {"tier": "hot"}) or 0
    async with home.services() as services:
        await until_idle(services)
    (one,) = timers(home, lead_id)
    assert (one["state"], one["next_at"], one["reminded_at"], one["breached_at"]) == ("touched", None, None, None)
    assert home.lead(lead_id)["first_touch_at"] == at, "the CRM's own time"
    assert outcomes(home, lead_id) == [("touched", "crm")]
    assert shown_by(home, lead_id) == ("touched_at", "told")
    assert await home.calls("slack") == before
    assert ("crm.get_lead", "read") in home.audit(lead_id)
    assert REGISTRY.get_sample_value("revenueflow_first_touch_seconds_count", {"tier": "hot"}) == count + 1


async def test_a_status_says_no_time_so_ours_counts(home: House) -> None:
    lead_id = await hot(home)
    await put(home.sandbox, lead_id, status="working")
    come(home, lead_id, "due")
    async with home.services() as services:
        await until_idle(services)
    assert shown_by(home, lead_id) == ("status_working", "seen")
    lead = home.lead(lead_id)
    assert lead["first_touch_at"] > lead["received_at"]


@pytest.mark.parametrize("fields", [{"touched_at": "2020-01-01T00:00:00Z"}, {"status": "new"}, {"touched_at": 7}, {}])
async def test_without_a_touch_the_timer_does_what_it_did(home: House, fields: dict[str, Any]) -> None:
    lead_id = await hot(home)
    await put(home.sandbox, lead_id, **fields)
    come(home, lead_id, "due")
    async with home.services() as services:
        await until_idle(services)
    assert [one["state"] for one in timers(home, lead_id)] == ["passed", "open"]
    assert timers(home, lead_id)[0]["crm_status"] == "none"
    assert outcomes(home, lead_id) == []


async def test_the_time_is_measured_when_nobody_is_late(home: House) -> None:
    lead_id = await hot(home)
    await put(home.sandbox, lead_id, touched_at=rfc3339(datetime.now(UTC)))
    async with home.services() as services:
        assert await first_touch.look_into_crm(services) == 0, "it was not asked 15 minutes ago"
        waited(home, 16)
        assert await first_touch.look_into_crm(services) == 1
        assert await first_touch.look_into_crm(services) == 0
    assert outcomes(home, lead_id) == [("touched", "crm")]


async def test_looking_is_bounded_and_begins_with_whom_it_forgot_longest(home: House) -> None:
    ids = [await home.deliver(email=f"p{n}@larkvale-systems.example") for n in range(3)]
    for number, lead_id in enumerate(ids):
        await home.run(lead_id)
        home.rows(
            "UPDATE sla_timers SET started_at = now() - make_interval(mins => $2) WHERE lead_id = $1",
            lead_id, 20 + number,
        )  # fmt: skip
    await home.sandbox.break_("crm", error_rate=1, status=503)
    async with home.services() as services:
        assert await first_touch.look_into_crm(services) == 1, "it does not answer: the others are not asked"
        assert timers(home, ids[2])[0]["unanswered_since"] is not None
        await home.sandbox.break_("crm")
        asked = [await first_touch.look_into_crm(services) for _ in range(2)]
    assert asked == [2, 0]
    assert timers(home, ids[2])[0]["unanswered_since"] is not None, "its turn comes in another 15 minutes"


async def test_an_overdue_lead_is_asked_about_for_some_days(home: House) -> None:
    lead_id = await hot(home)
    home.rows("UPDATE sla_timers SET state = 'overdue', breached_at = now(), next_at = NULL, due_at = now()")
    await put(home.sandbox, lead_id, status="qualified")
    async with home.services() as services:
        waited(home, 16)
        home.rows("UPDATE sla_timers SET due_at = now() - interval '15 days'")
        assert await first_touch.look_into_crm(services) == 0
        home.rows("UPDATE sla_timers SET due_at = now() - interval '13 days'")
        assert await first_touch.look_into_crm(services) == 1
    assert timers(home, lead_id)[0]["state"] == "touched"


async def test_the_longer_a_lead_waits_the_rarer_it_is_asked_about(home: House) -> None:
    lead_id = await hot(home)
    between = "SELECT extract(epoch FROM look_at - now())::float / 60 AS minutes FROM sla_timers WHERE lead_id = $1"
    async with home.services() as services:
        for waits, expected in ((16, 15), (60, 15), (1440, 144)):
            waited(home, waits)
            assert await first_touch.look_into_crm(services) == 1
            assert abs(home.value(between, lead_id) - expected) < 2


CALL = {"kind": "call", "subject": "Called", "body": "Talked about seats."}


@pytest.mark.parametrize(
    ("tool", "args"), [("update_lead_status", {"status": "working"}), ("log_activity", CALL)], ids=["status", "call"]
)
async def test_who_works_a_lead_with_our_tools_has_touched_it(home: House, tool: str, args: dict[str, Any]) -> None:
    lead_id = await hot(home)
    now = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=1)
    given = {"lead_id": lead_id, **args} | ({"happened_at": now} if tool == "log_activity" else {})
    async with home.services() as services:
        told = await services.registry.call(Call(tool, given, Caller("ann", "operator"), "key"))
        assert told.status is CallStatus.CONFIRMED
        come(home, lead_id, "due")
        await home.sandbox.break_("crm", error_rate=1, status=503)
        await until_idle(services)
    assert outcomes(home, lead_id) == [("touched", "guard")], "for that nobody needs the CRM"
    if tool == "log_activity":
        assert home.lead(lead_id)["first_touch_at"] == now


async def test_a_note_and_a_status_that_is_new_are_no_touch(home: House) -> None:
    lead_id = await hot(home)
    note = {"kind": "note", "subject": "Read", "body": "Will call.", "happened_at": datetime.now(UTC)}
    calls = (("log_activity", note), ("update_lead_status", {"status": "new"}))
    async with home.services() as services:
        for number, (tool, args) in enumerate(calls):
            call = Call(tool, {"lead_id": lead_id, **args}, Caller("ann", "operator"), f"key-{number}")
            assert (await services.registry.call(call)).status is CallStatus.CONFIRMED
        come(home, lead_id, "due")
        await until_idle(services)
    assert outcomes(home, lead_id) == []


async def test_pausing_holds_the_looks(home: House) -> None:
    await hot(home)
    waited(home, 16)
    home.rows("INSERT INTO controls (name, value, set_by) VALUES ('paused', 'true', 'test')")
    async with home.services() as services:
        assert await first_touch.look_into_crm(services) == 0
        home.rows("DELETE FROM controls")
        assert await first_touch.look_into_crm(services) == 1


async def test_a_policy_that_does_not_let_us_ask_is_obeyed(home: House) -> None:
    lead_id = await hot(home)
    await put(home.sandbox, lead_id, status="working")
    folder = Path(str(home.settings.config_dir))
    text = (folder / "policy.toml").read_text()
    assert '"get_lead", "set_lead_score", "assign_owner"' in text
    without = text.replace('"get_lead", "set_lead_score", "assign_owner"', '"set_lead_score", "assign_owner"')
    (folder / "policy.toml").write_text(without)
    defaults.text.cache_clear()
    come(home, lead_id, "due")
    waited(home, 16)
    async with home.services() as services:
        assert await first_touch.look_into_crm(services) == 0
        await until_idle(services)
    assert [one["state"] for one in timers(home, lead_id)] == ["passed", "open"]
    assert not [one for one in home.audit(lead_id) if one[0] == "crm.get_lead"]


async def test_a_crm_that_is_away_holds_no_reminder(home: House) -> None:
    lead_id, before = await hot(home), await home.calls("slack")
    come(home, lead_id, "remind")
    await home.sandbox.break_("crm", error_rate=1, status=503)
    async with home.services() as services:
        await until_idle(services)
    assert timers(home, lead_id)[0]["reminder"] == "confirmed"
    assert await home.calls("slack") == before + 1


async def test_a_crm_that_takes_long_holds_up_nobody(home: House) -> None:
    ids = [await home.deliver(email=f"p{n}@larkvale-systems.example") for n in range(2)]
    for lead_id in ids:
        await home.run(lead_id)
    asked = await home.calls("crm")
    await home.sandbox.break_("crm", latency_ms=700)
    async with home.services() as services:
        touches = CrmTouches(services, "t", longest=0.1)
        for lead_id, expected in zip(ids, (Look.UNANSWERED, Look.NOT_ASKED), strict=True):
            async with home.database.transaction() as session:
                lead = await about(session, lead_id)
            assert lead is not None
            assert await touches.look(timers(home, lead_id)[0], lead) is expected

        async def in_the_trail() -> bool:
            return ("crm.get_lead", "read") in home.audit(ids[0])

        await eventually(in_the_trail)
    assert await home.calls("crm") == asked + 1, "for the second it was not asked"


async def test_a_touch_is_seen_once_the_crm_is_back(home: House) -> None:
    lead_id = await hot(home)
    await put(home.sandbox, lead_id, status="working")
    come(home, lead_id, "due")
    await home.sandbox.break_("crm", error_rate=1, status=503)
    async with home.services() as services:
        await until_idle(services)
        (one,) = timers(home, lead_id)
        assert (one["state"], one["unanswered_since"] is None) == ("open", False)
        await home.sandbox.break_("crm")

        async def touched() -> bool:  # once the breaker lets the CRM be tried again
            come(home, lead_id, "due")
            await until_idle(services)
            return [one["state"] for one in timers(home, lead_id)] == ["touched"]

        await eventually(touched)


async def test_an_answer_ends_the_time_without_one(home: House) -> None:
    lead_id = await hot(home)
    home.rows("UPDATE sla_timers SET unanswered_since = now() - interval '1 hour'")
    waited(home, 16)
    async with home.services() as services:
        assert await first_touch.look_into_crm(services) == 1
    assert timers(home, lead_id)[0]["unanswered_since"] is None


async def full(home: House) -> None:
    """From here on one place in a minute is left for each kind of our own work."""
    file = Path(str(home.settings.config_dir)) / "policy.toml"
    text = file.read_text()
    for old, new in (("per_caller = 100\n", "per_caller = 1\n"), ("per_crm = 1000\n", "per_crm = 4\n")):
        assert old in text
        text = text.replace(old, new)
    file.write_text(text)
    defaults.text.cache_clear()
    await no_place_taken(home)


async def no_place_taken(home: House) -> None:
    async with redis.Redis.from_url(home.settings.redis.url) as client:
        await client.flushdb()


def silent_since(home: House, minutes: int) -> None:
    """As if the first question without an answer had been so many minutes earlier; the last was just now."""
    home.rows("UPDATE sla_timers SET unanswered_since = unanswered_since - make_interval(mins => $1)", minutes)
    home.rows("UPDATE crm_silence SET since = since - make_interval(mins => $1)", minutes)


def all_come(home: House) -> None:
    home.rows("UPDATE sla_timers SET due_at = now(), next_at = now() WHERE ended_at IS NULL")


async def several(home: House, count: int) -> list[UUID]:
    ids = [await home.deliver(email=f"p{n}@larkvale-systems.example") for n in range(count)]
    for lead_id in ids:
        await home.run(lead_id)
    return ids


def states(home: House, ids: list[UUID]) -> list[list[str]]:
    return [[one["state"] for one in timers(home, lead_id)] for lead_id in ids]


async def test_a_limit_of_ours_is_no_silence_of_the_crm(home: House) -> None:
    ids = await several(home, 3)
    for lead_id in ids:
        await put(home.sandbox, lead_id, status="working")
    await full(home)
    all_come(home)
    async with home.services() as services:
        await until_idle(services)
        assert sorted(states(home, ids)) == [["open"], ["open"], ["touched"]]
        assert home.value("SELECT count(*) FROM sla_timers WHERE unanswered_since IS NOT NULL") == 0
        silent_since(home, 11)
        all_come(home)
        await until_idle(services)
        assert sorted(states(home, ids)) == [["open"], ["open"], ["touched"]], "they wait for their turn"
        for _ in range(2):
            await no_place_taken(home)
            all_come(home)
            await until_idle(services)
    assert states(home, ids) == [["touched"]] * 3


async def test_a_reminder_waits_for_its_turn_as_long_as_there_is_time(home: House) -> None:
    ids = await several(home, 3)
    await full(home)
    async with home.services() as services:
        home.rows("UPDATE sla_timers SET remind_at = now(), next_at = now()")
        await until_idle(services)
        assert home.value("SELECT count(*) FROM sla_timers WHERE reminder = 'confirmed'") == 1
        home.rows("UPDATE sla_timers SET next_at = now(), due_at = now() + interval '1 minute' WHERE reminder IS NULL")
        await until_idle(services)
    assert [timers(home, lead_id)[0]["reminder"] for lead_id in ids] == ["confirmed"] * 3


async def test_a_look_that_found_no_place_has_its_turn_again(home: House) -> None:
    ids = await several(home, 2)
    await full(home)
    waited(home, 16)
    async with home.services() as services:
        assert await first_touch.look_into_crm(services) == 1
    soon = "SELECT count(*) FROM sla_timers WHERE look_at BETWEEN now() AND now() + interval '1 minute'"
    assert home.value(soon) == len(ids) - 1


async def test_an_old_hiccup_is_no_silence(home: House) -> None:
    lead_id = await hot(home)
    waited(home, 60)
    async with home.services() as services:
        await home.sandbox.break_("crm", error_rate=1, status=503)
        assert await first_touch.look_into_crm(services) == 1
        silent_since(home, 40)
        home.rows("UPDATE sla_timers SET unanswered_at = unanswered_at - interval '40 minutes'")
        home.rows("UPDATE crm_silence SET last_at = last_at - interval '40 minutes'")
        come(home, lead_id, "due")
        await until_idle(services)
        assert states(home, [lead_id]) == [["open"]], "of the time between nobody knows anything"
        silent_since(home, 9)
        come(home, lead_id, "due")
        await until_idle(services)
        assert states(home, [lead_id]) == [["open"]]
        silent_since(home, 2)
        come(home, lead_id, "due")
        await until_idle(services)
    assert states(home, [lead_id]) == [["passed", "open"]]


async def test_a_silence_is_one_for_all_and_an_answer_to_anybody_ends_it(home: House) -> None:
    ids = await several(home, 2)
    await home.sandbox.break_("crm", error_rate=1, status=503)
    async with home.services() as services:
        all_come(home)
        await until_idle(services)
        assert home.value("SELECT count(*) FROM sla_timers WHERE unanswered_since IS NOT NULL") == 1
        silent_since(home, 11)
        home.rows("UPDATE sla_timers SET unanswered_since = NULL")
        waited(home, 16)
        await home.sandbox.break_("crm")

        async def answers() -> bool:  # once the breaker lets the CRM be tried again
            home.rows("UPDATE sla_timers SET look_at = now()")
            return await first_touch.look_into_crm(services) == 2

        await eventually(answers)
        await home.sandbox.break_("crm", error_rate=1, status=503)
        all_come(home)
        await until_idle(services)
        assert states(home, ids) == [["open"]] * 2
        silent_since(home, 11)
        home.rows("UPDATE sla_timers SET unanswered_since = NULL")
        all_come(home)
        await until_idle(services)
    assert states(home, ids) == [["passed", "open"]] * 2, "also the one about which nobody asked"


@pytest.fixture
async def org(database: DatabaseUrls, redis_url: str, tmp_path: Path) -> AsyncIterator[House]:
    """A house whose CRM is Salesforce."""
    async with house(database, redis_url, tmp_path) as one:
        given = {"crm": CrmSettings(provider="salesforce", timeout=2), "salesforce": salesforce(one.sandbox.urls)}
        one.settings = one.settings.model_copy(update=given)
        yield one


@pytest.fixture
async def portal(database: DatabaseUrls, redis_url: str, tmp_path: Path) -> AsyncIterator[House]:
    """A house whose CRM is HubSpot."""
    async with house(database, redis_url, tmp_path) as one:
        one.settings = one.settings.model_copy(update={"crm": CrmSettings(provider="hubspot", timeout=2)})
        yield one


async def of_org(home: House, kind: str) -> dict[str, Any]:
    (found,) = [one for one in await home.sandbox.records("salesforce") if one["type"] == kind]
    return found


async def patch_org(home: House, kind: str, **fields: Any) -> None:
    path = f"/services/data/v68.0/sobjects/{kind}/{(await of_org(home, kind))['id']}"
    headers = {"authorization": "Bearer sandbox-token"}
    (await home.sandbox.ask("salesforce", "PATCH", path, json=fields, headers=headers)).raise_for_status()


async def test_salesforce_our_own_open_task_is_no_touch(org: House) -> None:
    lead_id = await hot(org)
    assert (await of_org(org, "Task"))["fields"]["ActivityDate"]
    come(org, lead_id, "due")
    async with org.services() as services:
        await until_idle(services)
    assert [one["state"] for one in timers(org, lead_id)] == ["passed", "open"]
    task = (await of_org(org, "Task"))["fields"]
    assert task["RevenueFlow_Owner__c"] == timers(org, lead_id)[1]["owner_id"], "it went with the lead"


async def test_salesforce_a_task_that_a_rep_closes_is_one(org: House) -> None:
    lead_id = await hot(org)
    await patch_org(org, "Task", Status="Completed")
    come(org, lead_id, "due")
    async with org.services() as services:
        await until_idle(services)
    assert outcomes(org, lead_id) == [("touched", "crm")]
    assert shown_by(org, lead_id) == ("activity_on", "seen")


async def test_salesforce_a_status_that_a_rep_sets_is_one(org: House) -> None:
    lead_id = await hot(org)
    await patch_org(org, "Lead", Status="Contacted")
    come(org, lead_id, "remind")
    async with org.services() as services:
        await until_idle(services)
    assert shown_by(org, lead_id) == ("status_working", "seen")


async def contact(home: House, **properties: str) -> None:
    (found,) = [one for one in await home.sandbox.records("hubspot") if one["type"] == "contacts"]
    path, headers = f"{OBJECTS}/{found['record_key']}", {"authorization": "Bearer rep"}
    answer = await home.sandbox.ask("hubspot", "PATCH", path, json={"properties": properties}, headers=headers)
    answer.raise_for_status()


@pytest.mark.parametrize("name", ["hs_first_outreach_date", "notes_last_contacted"])
async def test_hubspot_a_call_or_an_email_is_a_touch(portal: House, name: str) -> None:
    lead_id = await hot(portal)
    at = portal.lead(lead_id)["received_at"].replace(microsecond=0) + timedelta(seconds=1)
    milliseconds = str(int(at.timestamp() * 1000))
    await contact(portal, **{name: milliseconds if name.startswith("notes") else rfc3339(at)})
    come(portal, lead_id, "due")
    async with portal.services() as services:
        await until_idle(services)
    assert portal.lead(lead_id)["first_touch_at"] == at


async def test_hubspot_what_a_contact_had_before_is_no_touch_what_changes_is(portal: House) -> None:
    lead_id = await hot(portal)
    await contact(
        portal, createdate="2025-01-01T10:00:00.000Z", hs_first_outreach_date="2025-01-02T10:00:00.000Z",
        hs_lead_status="IN_PROGRESS", hs_sa_first_engagement_date=rfc3339(datetime.now(UTC)),
    )  # fmt: skip
    async with portal.services() as services:
        waited(portal, 16)
        assert await first_touch.look_into_crm(services) == 1
        (one,) = timers(portal, lead_id)
        assert (one["state"], one["crm_status"]) == ("open", "working")
        come(portal, lead_id, "due")
        await until_idle(services)
        assert [one["crm_status"] for one in timers(portal, lead_id)] == ["working", "working"]
        (task,) = [one for one in await portal.sandbox.records("hubspot") if one["type"] == "tasks"]
        assert task["fields"]["revenueflow_owner"] == timers(portal, lead_id)[1]["owner_id"], "it went with the lead"
        await contact(portal, hs_lead_status="OPEN_DEAL")
        come(portal, lead_id, "due")
        await until_idle(services)
    assert shown_by(portal, lead_id) == ("status_qualified", "seen")
