"""Row 20 of the fault list over the wire: the SDK's own client, as an agent with a key, tries every escape."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx2
import orjson
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from revenueflow import defaults
from revenueflow.devserver.cluster import DatabaseUrls
from revenueflow.settings import General
from tests.support import sql
from tests.support.api import Api, add_keys, served, settings_for
from tests.support.calls import CANARY
from tests.support.escapes import ESCAPES, MINE, OTHER, OWNER
from tests.support.policy import agent_tools

LEAD = """INSERT INTO leads (id, campaign_id, identity_key, version, status, received_at)
          VALUES ($1::uuid, $2, $1::uuid::text, 1, 'processed', now())"""
EVENTS = "SELECT outcome, detail->>'code' AS code FROM audit_events WHERE action LIKE 'crm.%' ORDER BY ts, id"
UNSPEAKABLE = ("a listed tool with a space", "a listed tool with an invisible sign")
"""Names that no header carries: revision 2026-07-28 refuses them itself, with an error of the protocol."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Rules with an agent that has two tools and the campaign `spring`."""
    text = agent_tools(defaults.text("policy.toml"), "upsert_lead", "assign_owner")
    (tmp_path / "policy.toml").write_text(text + '\n[agents.agent]\ncampaigns = ["spring"]\n')
    return tmp_path


@pytest.mark.parametrize("mode", ["2026-07-28", "legacy"])
async def test_every_escape_is_denied_and_audited(
    database: DatabaseUrls, redis_url: str, folder: Path, mode: Any
) -> None:
    tried = {name: one for name, one in ESCAPES.items() if mode == "legacy" or name not in UNSPEAKABLE}
    for lead, campaign in ((MINE, "spring"), (OTHER, "autumn")):
        sql.rows(database.superuser_url, LEAD, lead, campaign)
    settings = settings_for(database.app_url, redis_url, folder)
    told = {}
    given = {"general": General(config_dir=folder), "api": settings.api.model_copy(update={"body_limit": 262_144})}
    with served(settings.model_copy(update=given)) as http:
        api = Api(http, add_keys(database))
        async with (
            httpx2.AsyncClient(headers=api.as_role("agent"), timeout=20) as agent,
            Client(
                streamable_http_client(f"{str(http.base_url).rstrip('/')}/mcp", http_client=agent), mode=mode
            ) as client,
        ):
            for name, (make, _) in tried.items():
                call = make()
                args = call.args | {"claims": {at: str(claim) for at, claim in call.claims.items()}}
                if call.idempotency_key:
                    args["idempotency_key"] = call.idempotency_key
                told[name] = (await client.call_tool(call.tool, args)).structured_content
            foreign = OWNER | {"lead_id": str(OTHER), "idempotency_key": "foreign"}
            asked = (await client.call_tool("assign_owner", foreign)).structured_content
    assert {name: (one["status"], one["denial"]["code"]) for name, one in told.items()} == {
        name: ("denied", code) for name, (_, code) in tried.items()
    }
    assert CANARY not in orjson.dumps(told).decode()
    assert asked["status"] == "needs_approval"
    events = [(row["outcome"], row["code"]) for row in sql.rows(database.superuser_url, EVENTS)]
    assert events == [*(("denied", code) for _, code in tried.values()), ("needs_approval", "approval_required")]
    assert sql.value(database.superuser_url, "SELECT count(*) FROM actions") == 0
    assert CANARY not in str(sql.rows(database.superuser_url, "SELECT * FROM audit_events"))
