"""Every tool through the guard, to the http CRM and to the mock."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

import pytest

from revenueflow.domain.action import CallStatus, ToolResult
from revenueflow.mcp.call import Call
from revenueflow.mcp.tools import TOOLS
from revenueflow.settings import CrmSettings
from tests.support.calls import CANARY, add_claim, add_lead, admin, agent, events, once, operator, states, with_policy
from tests.support.house import KNOWN, House, salesforce
from tests.support.policy import agent_tools
from tests.support.tool_calls import ORDER, SAMPLES, sample

Provider = Literal["http", "mock", "salesforce", "hubspot"]


def with_crm(home: House, provider: Provider) -> None:
    """Lets the house write to another CRM; the sandbox has them all, and `http` is the usual one."""
    if provider != "http":
        given = {"crm": CrmSettings(provider=provider, timeout=2), "salesforce": salesforce(home.sandbox.urls)}
        home.settings = home.settings.model_copy(update=given)


UPSTREAM = {"salesforce": ("salesforce", "Lead"), "hubspot": ("hubspot", "contacts")}


@pytest.mark.parametrize("provider", ["salesforce", "hubspot"])
@pytest.mark.parametrize("fault", [{"lose_answer_rate": 1}, {"lose_answer_rate": 1, "status": 503}])
async def test_a_write_whose_answer_was_lost_is_read_back_and_not_repeated(
    home: House, provider: Provider, fault: dict[str, int]
) -> None:
    with_crm(home, provider)
    upstream, kind = UPSTREAM[provider]
    score = sample("set_lead_score", uuid4(), operator())
    lead = sample("upsert_lead", score.args["lead_id"], operator(), company="Larkvale", headcount=240)
    async with home.registry() as registry:
        assert (await registry.call(lead)).status is CallStatus.CONFIRMED
        await home.sandbox.break_(upstream, **fault)
        assert (await registry.call(score)).status is CallStatus.UNKNOWN
        await home.sandbox.break_(upstream)
        assert (await registry.call(score)).status is CallStatus.CONFIRMED
    (record,) = (one for one in await home.sandbox.records(upstream) if one["type"] == kind)
    assert len(record["writes"]) == 2
    assert "read_back" in events(home)[-1]["detail"]


@pytest.mark.parametrize(("provider", "at_least"), [("salesforce", 900), ("hubspot", 1)])
async def test_a_quota_that_is_used_up_delays_and_drops_nothing(home: House, provider: Provider, at_least: int) -> None:
    with_crm(home, provider)
    upstream, _ = UPSTREAM[provider]
    lead = sample("upsert_lead", uuid4(), operator())
    async with home.registry() as registry:
        await registry.call(sample("get_lead", uuid4(), operator()))
        await home.sandbox.break_(upstream, quota=0)
        late = await registry.call(lead)
        assert (late.status, states(home)) == (CallStatus.DELAYED, ["planned"])
        assert (late.retry_after or 0) >= at_least
        await home.sandbox.break_(upstream)
        assert (await registry.call(lead)).status is CallStatus.CONFIRMED


@pytest.mark.parametrize("provider", ["salesforce", "hubspot"])
async def test_the_pipeline_writes_to_it(home: House, provider: Provider) -> None:
    with_crm(home, provider)
    lead = await home.deliver()
    assert (await home.run(lead))["state"] == "done"
    crm_id = home.lead(lead)["crm_id"]
    upstream, kind = UPSTREAM[provider]
    records = {record["type"]: record for record in await home.sandbox.records(upstream)}
    assert set(records) == {kind, "Task" if provider == "salesforce" else "tasks"}
    assert crm_id in (records[kind]["id"], records[kind]["record_key"])
    assert set(states(home)) == {"confirmed"}


async def done(home: House, call: Call) -> ToolResult:
    result = await once(home, call)
    assert result.status is CallStatus.CONFIRMED, (call.tool, result)
    TOOLS[call.tool].result.model_validate(result.model_dump(mode="json"))
    return result


async def refused(home: House, call: Call) -> str:
    result = await once(home, call)
    assert result.status is CallStatus.DENIED, result
    assert result.denial is not None
    assert events(home)[-1]["outcome"] == "denied"
    return result.denial.code


@pytest.mark.parametrize("provider", ["http", "mock", "salesforce", "hubspot"])
async def test_one_after_the_other(home: House, provider: Provider) -> None:
    with_crm(home, provider)
    lead = add_lead(home)
    for tool in ORDER:
        result = await done(home, sample(tool, lead, operator()))
        assert (result.crm_id is None) == (tool == "match_account"), tool
    await done(home, sample("update_lead_status", lead, operator(), "k-q", status="qualified"))
    assert (await once(home, sample("convert_lead", lead, operator()))).status is CallStatus.NEEDS_APPROVAL
    await done(home, sample("convert_lead", lead, admin()))
    record = (await done(home, sample("get_lead", lead, operator()))).result
    assert record is not None
    shown = record["record"]
    assert isinstance(shown, dict)
    assert (shown["status"], shown["score"], shown["converted"]) == ("qualified", 70, True)
    assert len(states(home)) == len(ORDER)  # two of them only read, and two more were made


async def test_records_are_of_their_types_and_keyed(home: House) -> None:
    lead = uuid4()
    for tool in ORDER:
        await done(home, sample(tool, lead, operator()))
    records = await home.sandbox.records()
    assert {record["type"] for record in records} == {sample.object_type for sample in SAMPLES.values()}
    assert len({record["record_key"] for record in records}) == len(records) == 7
    for tool in set(ORDER) - {"create_opportunity"}:
        (record,) = (one for one in records if one["type"] == SAMPLES[tool].object_type)
        assert SAMPLES[tool].written.items() <= record["fields"].items(), tool


@pytest.mark.parametrize("tool", ["get_lead", "match_account"])
async def test_a_read_is_audited_and_leaves_no_action(home: House, tmp_path: Path, tool: str) -> None:
    """And no value of the record reaches the trail; switches that stop writes leave it alone."""
    lead = uuid4()
    await done(home, sample("upsert_lead", lead, operator(), email=CANARY))
    with_policy(home, tmp_path, ("read_only = false", "read_only = true"))
    before = len(events(home))
    result = await done(home, Call(tool, {"lead_id": str(lead), **SAMPLES[tool].args}, operator()))
    (event,) = events(home)[before:]
    assert (event["action"], event["outcome"], event["lead_id"]) == (f"crm.{tool}", "read", lead)
    assert CANARY not in str(events(home))
    assert len(states(home)) == 1
    assert result.result == (
        {"found": True, "record": {"campaign_id": "default", "email": CANARY, "name": "Dana Reyes"}}
        if tool == "get_lead"
        else {"found": False, "record": None, "accounts": 0, "owner_ids": [], "opportunity_owner_ids": []}
    )


async def test_fields_of_the_crm_that_no_tool_knows_are_not_shown(home: House) -> None:
    lead = uuid4()
    await done(home, sample("upsert_lead", lead, operator()))
    (record,) = await home.sandbox.records()
    path = f"/records/lead/{record['record_key']}"
    fields = {"salary": CANARY, "score": CANARY, "title": "CEO"}
    await home.sandbox.ask("crm", "PUT", path, json={"fields": fields}, headers={"authorization": "Bearer x"})
    result = await done(home, sample("get_lead", lead, operator()))
    assert CANARY not in result.model_dump_json()
    assert result.result is not None
    assert result.result["record"] == {"campaign_id": "default", "name": "Dana Reyes", "title": "CEO"}


async def test_a_read_while_the_crm_is_away_says_when_to_come_again(home: House) -> None:
    await home.sandbox.break_("crm", error_rate=1, status=429)
    result = await once(home, sample("get_lead", uuid4(), operator()))
    assert (result.status, result.result) == (CallStatus.DELAYED, {"reason": "rate_limited"})
    assert result.retry_after
    assert [event["outcome"] for event in events(home)] == ["delayed"]


async def test_a_transition_that_can_not_be_checked_is_not_made(home: House) -> None:
    lead = uuid4()
    await done(home, sample("upsert_lead", lead, operator()))
    await home.sandbox.break_("crm", error_rate=1, status=503)
    result = await once(home, sample("update_lead_status", lead, operator()))
    assert result.status is CallStatus.DELAYED
    assert states(home) == ["confirmed"]


async def test_a_transition_is_held_against_what_the_crm_says_now(home: House) -> None:
    lead = uuid4()
    await done(home, sample("upsert_lead", lead, operator()))
    moved = sample("update_lead_status", lead, operator(), "k1")
    assert await refused(home, sample("update_lead_status", uuid4(), operator())) == "record_missing"
    await done(home, moved)
    skip = await once(home, sample("update_lead_status", lead, operator(), "k2", status="new"))
    assert skip.denial is not None
    assert (skip.denial.code, skip.denial.needs) == ("transition", "one of: nurturing, qualified, unqualified")
    assert await refused(home, sample("convert_lead", lead, operator())) == "transition"
    await done(home, sample("update_lead_status", lead, operator(), "k3", status="qualified"))
    again = await done(home, moved)  # its key is known: answered from memory, whatever the status is now
    assert again.replayed


async def test_a_create_changes_no_record_that_is_there(home: House) -> None:
    lead = uuid4()
    await done(home, sample("create_opportunity", lead, operator(), "k1"))
    assert await refused(home, sample("create_opportunity", lead, operator(), "k2")) == "record_exists"
    await done(home, sample("create_opportunity", lead, operator(), "k3", opportunity="renewal"))
    assert (await done(home, sample("create_opportunity", lead, operator(), "k1"))).replayed
    assert len(await home.sandbox.records()) == 2


async def test_two_tasks_of_two_calls_are_two(home: House) -> None:
    lead = uuid4()
    for key in ("k1", "k2", "k1"):
        await done(home, sample("create_task", lead, operator(), key))
        await done(home, sample("log_activity", lead, operator(), f"a-{key}"))
    assert sorted(record["type"] for record in await home.sandbox.records()) == ["activity", "activity", "task", "task"]


async def test_leads_of_one_company_share_its_account(home: House) -> None:
    first = await done(home, sample("sync_firmographics", uuid4(), operator(), "k1"))
    second = await done(home, sample("sync_firmographics", uuid4(), operator(), "k2", headcount=250))
    assert first.crm_id == second.crm_id
    found = await done(home, sample("match_account", uuid4(), operator()))
    assert found.crm_id == first.crm_id
    assert found.result == {
        "found": True,
        "record": {"domain": SAMPLES["match_account"].args["domain"], "headcount": 250},
        "accounts": 1,
        "owner_ids": [],
        "opportunity_owner_ids": [],
    }


def with_agents(home: House, folder: Path) -> None:
    """All that agents could be given."""
    with_policy(home, folder)
    path = folder / "policy.toml"
    tools = ("sync_firmographics", "match_account", "create_contact", "create_opportunity", "upsert_lead")
    path.write_text(agent_tools(path.read_text(), *tools))


@pytest.mark.parametrize("tool", ["sync_firmographics", "match_account", "create_contact", "create_opportunity"])
async def test_an_agent_writes_about_the_lead_s_own_company_only(home: House, tmp_path: Path, tool: str) -> None:
    with_agents(home, tmp_path)
    lead = await home.deliver()
    await home.run(lead)
    claims = {"/headcount": add_claim(home, _Of(lead, home.job(lead)["id"]))}
    own = {**sample(tool, lead, agent(), domain=KNOWN).args}
    foreign = {**own, "domain": "another-company.example"}
    assert await refused(home, Call(tool, foreign, agent(), "k1", claims)) == "foreign_account"
    if tool == "create_contact":  # a person must say whether that is somebody
        assert (await once(home, Call(tool, own, agent(), "k2", claims))).status is CallStatus.NEEDS_APPROVAL
    else:
        await done(home, Call(tool, own, agent(), "k2", claims))


class _Of:
    """What a claim hangs on."""

    def __init__(self, lead_id: Any, job_id: Any) -> None:
        self.lead_id, self.job_id = lead_id, job_id


async def test_firmographics_of_an_agent_need_claims(home: House, tmp_path: Path) -> None:
    with_agents(home, tmp_path)
    lead = await home.deliver()
    assert await refused(home, sample("sync_firmographics", lead, agent())) == "ungrounded"
