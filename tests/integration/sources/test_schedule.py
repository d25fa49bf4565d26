"""The worker reads the sources by itself, and people can from the command line; over real HTTP, from the sandbox."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from revenueflow.devserver import environment
from revenueflow.settings import Settings
from revenueflow.settings.sources import MarketoSettings, ReconcileSettings
from tests.support import cli
from tests.support.api import identity_file
from tests.support.house import House, eventually

SAMPLE = {"sample": [1]}


def with_marketo(home: House, **when: float) -> Settings:
    """Its settings, with the sandbox as Marketo."""
    marketo = MarketoSettings(base_url=home.sandbox.urls["marketo"], client_id="id", client_secret=SecretStr("secret"))
    return home.settings.model_copy(update={"marketo": marketo, "reconcile": ReconcileSettings(**when)})


async def add(home: House, **known: Any) -> None:
    answer = await home.sandbox.ask("control", "PUT", "/_sandbox/marketo/activities", json=known)
    assert answer.status_code == 204


async def test_a_worker_finds_what_was_not_delivered_and_processes_it(home: House) -> None:
    home.settings = with_marketo(home, every=0.1, grace=0, overlap=600)
    await add(home, **SAMPLE)
    async with home.staffed(), home.worker():
        await home.until_done(1)

        async def read_again() -> bool:
            query = "SELECT pulled_at > (SELECT max(finished_at) FROM jobs) FROM source_cursors"
            return bool(await asyncio.to_thread(home.value, query))

        await eventually(read_again)
    assert home.value("SELECT company FROM leads") == "Badgewell"
    assert home.value("SELECT count(*) FROM deliveries") == 1
    assert home.value("SELECT count(*) FROM audit_events WHERE action LIKE 'source.gap%'") == 2


async def test_a_source_that_fails_does_not_stop_the_worker(home: House) -> None:
    home.settings = with_marketo(home, every=0.1, grace=0, overlap=600)
    await home.sandbox.break_("marketo", quota=0)
    async with home.staffed():
        lead = await home.deliver()
        await home.until_state(lead, "done")
        await home.until_called("marketo")


def variables(home: House, folder: Path) -> dict[str, str]:
    return {
        **environment.of_sandbox(home.sandbox.urls),
        "DATABASE_URL": home.urls.app_url,
        "REDIS_URL": home.settings.redis.url,
        "REVENUEFLOW_IDENTITY_KEY_FILE": str(identity_file(folder)),
        "REVENUEFLOW_RECONCILE_GRACE_SECONDS": "0",
    }


async def test_the_command_pulls_once(home: House, tmp_path: Path) -> None:
    await add(home, **SAMPLE)
    env = variables(home, tmp_path)

    async def run(*arguments: str, **more: str) -> cli.Ran:
        return await asyncio.to_thread(cli.run, tmp_path, "sources", *arguments, **(env | more))

    first = await run("pull", "marketo", "--json")
    assert first.lines == [{"source": "marketo", "seen": 1, "found": 1, "closed": 1}]
    again = await run("pull", "marketo", "--since", "1d", "--json")
    assert again.lines == [{"source": "marketo", "seen": 1, "found": 0, "closed": 0}]
    assert (await run("pull", "hubspot", "--json")).lines[0]["seen"] == 0
    assert [row["source"] for row in (await run("list", "--json")).lines] == ["hubspot", "marketo"]
    assert (await run("pull", "salesforce")).code == 2
    unset = await run("pull", "marketo", MARKETO_CLIENT_ID="")
    assert (unset.code, "MARKETO_CLIENT_ID" in unset.err) == (78, True)
    await home.sandbox.break_("marketo", quota=0)
    assert (await run("pull", "marketo")).code == 75


async def test_the_command_pulls_campaigns(home: House, tmp_path: Path) -> None:
    def run() -> list[Any]:
        return cli.run(tmp_path, "sources", "pull", "aturiya", "--json", **variables(home, tmp_path)).lines

    first, second = await asyncio.to_thread(run), await asyncio.to_thread(run)
    assert [row["campaign_id"] for row in first] == ["atr-operations", "atr-finance"]
    total = home.value("SELECT count(*) FROM deliveries")
    assert total > 300
    assert sum(row["accepted"] for row in first) == sum(row["duplicates"] for row in second) == total
    assert all(row["quarantined"] == 0 for row in first)


async def test_the_sandbox_refuses_what_the_vendors_refuse(home: House) -> None:
    ask = home.sandbox.ask
    answer = (await ask("marketo", "GET", "/rest/v1/leads.json")).json()
    assert (answer["success"], answer["errors"][0]["code"]) == (False, "600")
    bad = {"authorization": "Bearer x"}
    assert (await ask("marketo", "GET", "/rest/v1/leads.json", headers=bad)).json()["errors"][0]["code"] == "601"
    assert (await ask("marketo", "GET", "/identity/oauth/token")).status_code == 401
    assert (await ask("aturiya", "GET", "/v1/campaigns")).status_code == 401
    assert (await ask("aturiya", "GET", "/v1/campaigns", headers=bad)).status_code == 422
    page = "/webhooks-journal/journal/2026-03/batch/earliest/1"
    assert (await ask("hubspot", "GET", page, headers=bad)).json()["category"] == "INVALID_AUTHENTICATION"
    await home.sandbox.break_("marketo", quota=0)
    answer = await ask("marketo", "GET", "/rest/v1/activities.json")
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (200, "607")
    for wrong in ([], {"leads": [{}]}, {"sample": [100_000]}, {"activities": [{"leadId": "x"}]}):
        put = await ask("control", "PUT", "/_sandbox/marketo/activities", json=wrong)
        assert put.status_code == 422
