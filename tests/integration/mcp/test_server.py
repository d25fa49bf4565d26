"""The tools over the Model Context Protocol, with the SDK's own client over real sockets."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import mcp_types as types
import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError

from revenueflow import defaults
from revenueflow.devserver.cluster import DatabaseUrls
from revenueflow.mcp.policy import load
from revenueflow.mcp.server import surface
from revenueflow.settings import General
from tests.support import sql
from tests.support.api import Api, add_keys, identity_file, served, settings_for
from tests.support.policy import agent_tools

ACCEPT = "application/json, text/event-stream"
MODES = ["2026-07-28", "legacy"]


@pytest.fixture
def api(database: DatabaseUrls, redis_url: str, tmp_path: Path) -> Iterator[Api]:
    """An API whose agents may write owners and leads."""
    text = agent_tools(defaults.text("policy.toml", None), "upsert_lead", "assign_owner")
    (tmp_path / "policy.toml").write_text(text + '\n[agents.agent]\ncampaigns = ["*"]\n')
    settings = settings_for(database.app_url, redis_url, tmp_path)
    with served(settings.model_copy(update={"general": General(config_dir=tmp_path)})) as client:
        yield Api(client, add_keys(database))


@asynccontextmanager
async def connected(api: Api, role: str = "agent", mode: Any = MODES[0]) -> AsyncIterator[Client]:
    async with httpx2.AsyncClient(headers=api.as_role(role), timeout=20) as http:
        transport = streamable_http_client(f"{str(api.client.base_url).rstrip('/')}/mcp", http_client=http)
        async with Client(transport, mode=mode) as client:
            yield client


def owner(lead_id: object, key: str = "k1", **more: object) -> dict[str, object]:
    given = {
        "lead_id": str(lead_id),
        "owner_id": "dana",
        "owner_name": "Dana",
        "reason": "asked",
        "idempotency_key": key,
    }
    return given | more


@pytest.mark.parametrize("mode", MODES)
async def test_a_client_finds_and_calls_a_tool(api: Api, database: DatabaseUrls, mode: str) -> None:
    lead_id = str(uuid4())
    async with connected(api, mode=mode) as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert set(tools) == {"assign_owner", "upsert_lead"}
        assert tools["assign_owner"].input_schema["additionalProperties"] is False
        assert "idempotency_key" in tools["assign_owner"].input_schema["required"]
        first = await client.call_tool("assign_owner", owner(lead_id))
        again = await client.call_tool("assign_owner", owner(lead_id))
    assert (first.is_error, first.structured_content["status"]) == (False, "confirmed")
    assert again.structured_content["replayed"] is True
    assert again.structured_content["action_id"] == first.structured_content["action_id"]
    caller = sql.value(database.superuser_url, "SELECT caller FROM actions")
    assert caller.startswith("key:")


@pytest.mark.parametrize("mode", MODES)
async def test_each_role_lists_its_own_tools_again_and_again(api: Api, tmp_path: Path, mode: str) -> None:
    """What is made once for each role and revision is what the tools are."""
    policy = load(tmp_path)
    for _ in range(2):
        for role in ("agent", "operator"):
            async with connected(api, role, mode) as client:
                listed = (await client.list_tools()).tools
            assert [one.model_dump(exclude_none=True) for one in listed] == [
                one.model_dump(exclude_none=True) for one in surface.offered(role, policy)
            ]
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"cursor": 7}}
    headers = api.as_role("agent") | {"Accept": ACCEPT, "MCP-Protocol-Version": "2025-11-25"}
    assert api.client.post("/mcp", json=body, headers=headers).json()["error"]["code"] == types.INVALID_PARAMS


async def test_a_dry_run_tells_the_difference_and_writes_nothing(api: Api, database: DatabaseUrls) -> None:
    async with connected(api) as client:
        told = (await client.call_tool("assign_owner", owner(uuid4(), dry_run=True))).structured_content
        wrong = (await client.call_tool("assign_owner", owner(uuid4(), dry_run="yes"))).structured_content
    assert told["status"] == "dry_run"
    assert told["result"]["difference"]["owner_id"] == {"from": None, "to": "dana"}
    assert wrong["denial"]["code"] == "invalid_arguments"
    assert sql.value(database.superuser_url, "SELECT count(*) FROM actions") == 0


async def test_an_agent_without_campaigns_waits_for_a_person(
    database: DatabaseUrls, redis_url: str, tmp_path: Path
) -> None:
    (tmp_path / "policy.toml").write_text(agent_tools(defaults.text("policy.toml"), "assign_owner"))
    settings = settings_for(database.app_url, redis_url, tmp_path)
    lead_id = uuid4()
    insert = """INSERT INTO leads (id, campaign_id, identity_key, version, status, received_at)
                VALUES ($1, 'autumn', 'one', 1, 'processed', now())"""
    sql.rows(database.superuser_url, insert, lead_id)
    with served(settings.model_copy(update={"general": General(config_dir=tmp_path)})) as http:
        api = Api(http, add_keys(database))
        async with connected(api) as client:
            asked = (await client.call_tool("assign_owner", owner(lead_id))).structured_content
            approval = asked["result"]["approval_id"]
            decision = {"json": {"decision": "approve"}, "headers": api.as_role("operator")}
            assert http.post(f"/v1/approvals/{approval}/decision", **decision).json()["state"] == "approved"
            other = (await client.call_tool("assign_owner", owner(lead_id, key="k2"))).structured_content
            made = (await client.call_tool("assign_owner", owner(lead_id))).structured_content
            again = (await client.call_tool("assign_owner", owner(lead_id))).structured_content
    assert (asked["status"], other["status"]) == ("needs_approval", "needs_approval")
    assert (made["status"], again["status"], again["replayed"]) == ("confirmed", "confirmed", True)


@pytest.mark.parametrize(
    ("tool", "change", "code"),
    [
        ("delete_lead", {}, "unknown_tool"),
        ("post_message", {}, "invalid_arguments"),
        ("set_lead_score", {}, "invalid_arguments"),
        ("assign_owner", {"is_admin": True}, "invalid_arguments"),
        ("assign_owner", {"owner_id": 7}, "invalid_arguments"),
        ("assign_owner", {"idempotency_key": None}, "invalid_arguments"),
        ("assign_owner", {"idempotency_key": "x" * 201}, "invalid_arguments"),
        ("assign_owner", {"claims": "all"}, "invalid_arguments"),
    ],
)
async def test_what_the_guard_refuses_is_a_result_that_repeats_nothing(
    api: Api, database: DatabaseUrls, tool: str, change: dict[str, object], code: str
) -> None:
    secret = "canary-4711"
    async with connected(api) as client:
        result = await client.call_tool(tool, owner(uuid4(), reason=secret) | change)
    assert result.is_error
    assert result.structured_content["status"] == "denied"
    assert result.structured_content["denial"]["code"] == code
    assert secret not in str(result)
    assert sql.value(database.superuser_url, "SELECT count(*) FROM actions") == 0
    outcome = "SELECT outcome FROM audit_events WHERE action LIKE 'crm.%'"
    assert [row["outcome"] for row in sql.rows(database.superuser_url, outcome)] == ["denied"]


async def test_a_grounded_field_needs_its_claim(api: Api, database: DatabaseUrls) -> None:
    args = {"lead_id": str(uuid4()), "campaign_id": "c", "industry": "software", "idempotency_key": "k"}
    async with connected(api) as client:
        bare = await client.call_tool("upsert_lead", args)
        strange = await client.call_tool("upsert_lead", args | {"claims": {"/industry": str(uuid4())}})
    assert [told.structured_content["denial"]["code"] for told in (bare, strange)] == ["ungrounded", "ungrounded"]


@pytest.mark.parametrize("role", ["reader", "ingest", "auditor"])
async def test_roles_without_tools_are_refused_at_the_door(api: Api, role: str) -> None:
    answer = api.client.post("/mcp", json={}, headers=api.as_role(role))
    assert answer.status_code == 403
    assert answer.json()["error"] == "not_allowed"


@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer rf_nobody"}, {"Authorization": "Basic eDp5"}])
def test_who_is_not_known_is_told_how_to_authenticate(api: Api, header: dict[str, str]) -> None:
    answer = api.client.post("/mcp", json={}, headers=header)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    ("header", "status"),
    [
        ({"Host": "evil.example"}, 421),
        ({"Origin": "https://evil.example"}, 403),
        ({"Host": "hooks.customer.example"}, 0),
    ],
)
def test_only_known_hosts_and_origins(api: Api, header: dict[str, str], status: int) -> None:
    body = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    answer = api.client.post("/mcp", json=body, headers=api.as_role("agent") | header)
    assert answer.status_code == status or (status == 0 and answer.status_code not in (403, 421))


HOSTILE = {
    "too large": (b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"' + b"x" * 20_000 + b'"}}', 413),
    "no JSON": (b"{", 400),
    "deep": (b'{"a":' * 600 + b"1" + b"}" * 600, 400),
    "a batch": (b"[]", 400),
    "no method": (b'{"jsonrpc":"2.0","id":1}', 400),
}


@pytest.mark.parametrize("what", list(HOSTILE))
def test_hostile_bodies_get_the_protocols_error(api: Api, what: str) -> None:
    body, status = HOSTILE[what]
    headers = api.as_role("agent") | {
        "Content-Type": "application/json",
        "Accept": "application/json, text/event-stream",
    }
    answer = api.client.post("/mcp", content=body, headers=headers)
    assert answer.status_code == status, answer.text
    assert "Traceback" not in answer.text
    assert api.client.get("/livez").status_code == 200


def test_a_client_that_lies_about_its_version(api: Api) -> None:
    headers = api.as_role("agent") | {
        "MCP-Protocol-Version": "1999-01-01",
        "Accept": "application/json, text/event-stream",
    }
    answer = api.client.post("/mcp", json={"jsonrpc": "2.0", "id": 1, "method": "tools/list"}, headers=headers)
    assert answer.status_code == 400
    assert "error" in answer.json()


async def test_a_lead_can_be_read_and_asked_about(api: Api, database: DatabaseUrls) -> None:
    lead_id = str(api.send({"email": "dana@reader.example", "message": "hello"}).json()["lead_id"])
    async with connected(api) as client:
        templates = (await client.list_resource_templates()).resource_templates
        assert {template.uri_template.rpartition("/")[2] for template in templates} == {
            "timeline",
            "evidence",
            "claims",
        }
        found = await client.read_resource(f"revenueflow://leads/{lead_id}/timeline")
        assert "delivery" in found.contents[0].text  # type: ignore[union-attr]
        prompt = await client.get_prompt("explain-score", {"lead_id": lead_id})
        assert lead_id in prompt.messages[0].content.text  # type: ignore[union-attr]
        for uri in (f"revenueflow://leads/{uuid4()}/timeline", "file:///etc/passwd", "revenueflow://leads/x/timeline"):
            with pytest.raises(MCPError) as raised:
                await client.read_resource(uri)
            assert raised.value.error.data == {"uri": uri}
        assert all(listed.description for listed in (await client.list_prompts()).prompts)
        for name, arguments in (("explain-score", {"lead_id": "{x}"}), ("nothing", {"lead_id": lead_id})):
            with pytest.raises(MCPError):
                await client.get_prompt(name, arguments)


def test_where_to_get_a_token_is_published(api: Api) -> None:
    told = api.client.get("/.well-known/oauth-protected-resource/mcp").json()
    assert told["resource"].endswith("/mcp")


async def test_a_local_client_over_standard_input(database: DatabaseUrls, redis_url: str, tmp_path: Path) -> None:
    keys = add_keys(database)
    env = {
        "DATABASE_URL": database.app_url,
        "REDIS_URL": redis_url,
        "REVENUEFLOW_IDENTITY_KEY_FILE": str(identity_file(tmp_path)),
        "REVENUEFLOW_API_KEY": keys["operator"],
    }
    arguments = ["-m", "revenueflow", "mcp", "serve", "--stdio"]
    server = StdioServerParameters(command=sys.executable, args=arguments, env=env, cwd=tmp_path)
    lead_id = str(uuid4())
    async with Client(server) as client:
        assert "assign_owner" in {tool.name for tool in (await client.list_tools()).tools}
        told = await client.call_tool("assign_owner", owner(lead_id))
    assert told.structured_content["status"] == "confirmed"


async def test_an_agent_reads_leads_of_its_campaigns_only(
    database: DatabaseUrls, redis_url: str, tmp_path: Path
) -> None:
    policy = defaults.text("policy.toml") + '\n[agents.agent]\ncampaigns = ["spring"]\n'
    (tmp_path / "policy.toml").write_text(policy)
    settings = settings_for(database.app_url, redis_url, tmp_path)
    leads = {campaign: uuid4() for campaign in ("spring", "autumn")}
    for campaign, lead in leads.items():
        insert = """INSERT INTO leads (id, campaign_id, identity_key, version, status, received_at)
                    VALUES ($1, $2, $3, 1, 'processed', now())"""
        sql.rows(database.superuser_url, insert, lead, campaign, campaign)
    told: dict[str, Any] = {}
    refused: set[str] = set()
    with served(settings.model_copy(update={"general": General(config_dir=tmp_path)})) as http:
        api = Api(http, add_keys(database))
        async with connected(api) as client:
            for campaign, lead in leads.items():
                told[campaign] = (await client.call_tool("get_lead", {"lead_id": str(lead)})).structured_content
            await client.read_resource(f"revenueflow://leads/{leads['spring']}/claims")
            for lead in (leads["autumn"], uuid4()):  # whether there is such a lead is not told
                for part in ("timeline", "evidence", "claims"):
                    with pytest.raises(MCPError) as raised:
                        await client.read_resource(f"revenueflow://leads/{lead}/{part}")
                    refused.add(raised.value.error.model_dump_json())
    assert (told["spring"]["status"], told["spring"]["result"]["found"]) == ("confirmed", False)
    assert told["autumn"]["denial"]["code"] == "outside_campaign"
    assert len(refused) == 1
    assert "in no campaign of this agent" in refused.pop()
