"""The sandbox over real HTTP on loopback: wire forms, faults, what it writes down, and what survives a kill."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import orjson
import pytest

from revenueflow.crm.http import HttpCrm
from revenueflow.devserver import environment
from revenueflow.domain.evidence import Signal
from revenueflow.enrichment.base import EnrichmentProvider, Findings, Question, Status
from revenueflow.enrichment.providers.clearbit import Clearbit
from revenueflow.enrichment.providers.hunter import Hunter
from revenueflow.errors import ConfigurationError, OutcomeUnknown, UpstreamUnavailable
from revenueflow.messaging.slack import Slack
from revenueflow.resilience.upstream import HttpUpstream
from revenueflow.sandbox.directory import DATA
from revenueflow.sandbox.server import NAMES
from revenueflow.sources.hubspot_contacts import HubSpotContacts
from tests.support.sandbox_http import Sandbox, running

COMPANIES: list[dict[str, Any]] = orjson.loads((DATA / "companies.json").read_bytes())
BEARER = {"authorization": "Bearer k"}


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with running() as started:
        yield started


def company(vendor: str) -> dict[str, Any]:
    return next(one for one in COMPANIES if one[vendor] and one[vendor]["headcount"])


async def test_each_upstream_has_a_port_of_its_own(sandbox: Sandbox) -> None:
    assert set(sandbox.urls) == set(NAMES) and len(set(sandbox.urls.values())) == len(NAMES)


async def test_a_port_that_is_taken_is_a_mistake_of_the_configuration(sandbox: Sandbox) -> None:
    port = int(sandbox.urls["crm"].rpartition(":")[2])
    with pytest.raises(ConfigurationError, match="crm"):
        async with running(ports={"crm": port}):
            pass
    with pytest.raises(ConfigurationError, match="nobody"):
        async with running(ports={"nobody": 0}):
            pass


async def look_up(client: EnrichmentProvider, name: str, key: str) -> Findings:
    lookup = next(one for one in client.lookups if one.name == name)
    return (await client.look_up(lookup, [Question(key)]))[0]


async def test_our_clearbit_client_finds_a_company(sandbox: Sandbox) -> None:
    client = Clearbit("k", base_url=sandbox.urls["clearbit"], person_base_url=sandbox.urls["clearbit"])
    known = company("clearbit")
    found = await look_up(client, "company", known["domain"])
    facts = {fact.signal: fact.value for fact in found.facts}
    assert found.status is Status.FOUND and not found.refused
    assert facts[Signal.HEADCOUNT] == known["clearbit"]["headcount"]
    assert facts[Signal.INDUSTRY] == known["clearbit"]["industry"]
    person = known["people"][0]
    found = await look_up(client, "person", person["email"])
    assert person["title"] in [fact.value for fact in found.facts if fact.signal is Signal.TITLE]
    unknown = await look_up(client, "company", "nobody-knows.example")
    assert unknown.status is Status.NOT_FOUND
    await client.aclose()


async def test_vendors_that_the_demo_does_not_ask_have_addresses_and_no_keys(sandbox: Sandbox) -> None:
    given = environment.of_sandbox(sandbox.urls)
    assert given["PIPE0_BASE_URL"] == sandbox.urls["pipe0"]
    assert given["APOLLO_BASE_URL"] == sandbox.urls["apollo"]
    assert given["ZOOMINFO_TOKEN_URL"].startswith(f"{sandbox.urls['zoominfo']}/oauth2/")
    assert given.keys().isdisjoint({"PIPE0_API_KEY", "APOLLO_API_KEY", "ZOOMINFO_CLIENT_ID", "ZOOMINFO_CLIENT_SECRET"})


async def test_our_hunter_client_finds_a_company(sandbox: Sandbox) -> None:
    client = Hunter("k", base_url=sandbox.urls["hunter"])
    known = company("hunter")
    found = await look_up(client, "company", known["domain"])
    facts = {fact.signal: fact.value for fact in found.facts}
    assert found.status is Status.FOUND and not found.refused
    assert facts[Signal.HEADCOUNT] == known["hunter"]["headcount"]
    assert facts.get(Signal.FUNDING_STAGE) == known["hunter"]["funding_stage"]
    await client.aclose()


@pytest.mark.parametrize(
    ("upstream", "path", "headers", "status", "body"),
    [
        ("clearbit", "/v2/companies/find?domain=a.example", {}, 401, {"error"}),
        ("clearbit", "/v2/companies/find?domain=a.example", BEARER, 404, {"error"}),
        ("clearbit", "/v2/combined/find?email=nonsense", BEARER, 422, {"error"}),
        ("hunter", "/v2/companies/find?domain=a.example", {}, 401, {"errors"}),
        ("hunter", "/v2/companies/find?domain=a.example&api_key=k", {}, 404, {"errors"}),
        ("hunter", "/v2/people/find?email=a@a.example", {"x-api-key": "k"}, 404, {"errors"}),
        ("hunter", "/v2/companies/find", {"x-api-key": "k"}, 400, {"errors"}),
        ("hunter", "/v2/email-verifier?email=a@a.example", {"x-api-key": "k"}, 200, {"data", "meta"}),
        ("hubspot", "/crm/v3/objects/contacts/0", {}, 401, {"status", "message", "correlationId", "category"}),
        ("hubspot", "/crm/v3/objects/contacts/0", BEARER, 404, {"status", "message", "correlationId", "category"}),
        ("crm", "/records/lead/1", {}, 401, {"error"}),
        ("crm", "/records/lead/1", BEARER, 404, {"error"}),
    ],
)
async def test_refusals_come_in_the_vendors_own_form(
    sandbox: Sandbox, upstream: str, path: str, headers: dict[str, str], status: int, body: set[str]
) -> None:
    answer = await sandbox.ask(upstream, "GET", path, headers=headers)
    assert answer.status_code == status
    assert set(answer.json()) == body


async def test_our_hubspot_client_reads_a_contact(sandbox: Sandbox) -> None:
    contact = orjson.loads((DATA / "hubspot_contacts.json").read_bytes())[0]
    upstream = HttpUpstream("hubspot", sandbox.urls["hubspot"], headers=BEARER)
    contacts = HubSpotContacts(upstream)
    assert await contacts.fetch(str(contact["id"])) is not None
    assert await contacts.fetch("0") is None
    path = f"/crm/objects/2026-09/contacts/{contact['id']}?properties=email,no_such_property"
    answer = (await sandbox.ask("hubspot", "GET", path, headers=BEARER)).json()
    assert answer["properties"]["email"] == contact["properties"]["email"]
    assert answer["properties"]["no_such_property"] is None and answer["archived"] is False
    await upstream.aclose()


async def test_our_slack_client_posts(sandbox: Sandbox) -> None:
    upstream = HttpUpstream("slack", sandbox.urls["slack"], headers=BEARER)
    slack = Slack(upstream)
    first, second = await slack.post("#sales", "hello"), await slack.post("#sales", "hello")
    assert first.startswith("C") and first != second
    await sandbox.break_("slack", error_rate=1, status=429)
    with pytest.raises(UpstreamUnavailable):
        await slack.post("#sales", "hello")
    await upstream.aclose()
    await sandbox.break_("slack")
    assert (await sandbox.ask("slack", "POST", "/api/chat.postMessage", json={})).json() == {
        "ok": False,
        "error": "not_authed",
    }


async def test_the_crm_survives_a_kill(tmp_path: Path) -> None:
    killed, url = await process(tmp_path)
    async with httpx2.AsyncClient(trust_env=False) as client:
        put = await client.put(f"{url}/records/lead/1", json={"fields": {"tier": "hot"}}, headers=BEARER)
        assert put.status_code == 201
        killed.kill()
        await killed.wait()
        again, same_url = await process(tmp_path, int(url.rpartition(":")[2]))
        got = await client.get(f"{same_url}/records/lead/1", headers=BEARER)
        assert (same_url, got.json()) == (url, put.json())
        again.terminate()
        await again.wait()


SERVE = """
import asyncio, sys
from pathlib import Path
from revenueflow.sandbox.server import SandboxConfig, run
config = SandboxConfig(latency=False, data_dir=Path(sys.argv[1]), ports={"crm": int(sys.argv[2])})
asyncio.run(run(config, lambda urls: print(urls["crm"], flush=True)))
"""


async def process(folder: Path, port: int = 0) -> tuple[asyncio.subprocess.Process, str]:
    """A sandbox in a process of its own, and the URL of its CRM."""
    pipe = asyncio.subprocess.PIPE
    started = await asyncio.create_subprocess_exec(sys.executable, "-c", SERVE, str(folder), str(port), stdout=pipe)
    assert started.stdout is not None
    async with asyncio.timeout(30):
        url = (await started.stdout.readline()).decode().strip()
    assert url, "the sandbox ended"
    return started, url


async def test_a_lost_answer_leaves_its_effect(sandbox: Sandbox) -> None:
    upstream = HttpUpstream("crm", sandbox.urls["crm"], headers=BEARER)
    crm, key = HttpCrm(upstream), uuid4()
    await sandbox.break_("crm", lose_answer_rate=1)
    with pytest.raises(OutcomeUnknown):
        await crm.put("lead", key, {"tier": "hot"})
    await sandbox.break_("crm")
    read = await crm.get("lead", key)
    assert read is not None and read.fields == {"tier": "hot"}
    assert [request["fault"] for request in await sandbox.requests("crm")] == ["lost", None]
    await upstream.aclose()


async def test_an_error_has_no_effect_but_may_come_after_one(sandbox: Sandbox) -> None:
    put = {"json": {"fields": {"a": 1}}, "headers": BEARER}
    await sandbox.break_("crm", error_rate=1, status=500)
    assert (await sandbox.ask("crm", "PUT", "/records/lead/1", **put)).status_code == 500
    assert await sandbox.records() == []
    await sandbox.break_("crm", lose_answer_rate=1, status=503)
    assert (await sandbox.ask("crm", "PUT", "/records/lead/1", **put)).status_code == 503
    assert [record["fields"] for record in await sandbox.records()] == [{"a": 1}]


async def test_a_timeout_holds_until_the_client_goes(sandbox: Sandbox) -> None:
    await sandbox.break_("crm", timeout_rate=1)
    with pytest.raises(httpx2.ReadTimeout):
        await sandbox.ask("crm", "PUT", "/records/lead/1", json={"fields": {}}, headers=BEARER, timeout=0.3)
    assert await sandbox.records() == []


async def test_a_lagging_write_shows_later(sandbox: Sandbox) -> None:
    await sandbox.break_("crm", lag_ms=400)
    await sandbox.ask("crm", "PUT", "/records/lead/1", json={"fields": {}}, headers=BEARER)
    written = time.monotonic()
    assert (await sandbox.ask("crm", "GET", "/records/lead/1", headers=BEARER)).status_code == 404
    async with asyncio.timeout(5):
        while (await sandbox.ask("crm", "GET", "/records/lead/1", headers=BEARER)).status_code == 404:
            pass
    assert time.monotonic() - written >= 0.35


async def test_latency(sandbox: Sandbox) -> None:
    await sandbox.break_("crm", latency_ms=120)
    begun = time.monotonic()
    await sandbox.ask("crm", "GET", "/records/lead/1", headers=BEARER)
    assert time.monotonic() - begun >= 0.12


@pytest.mark.parametrize(("upstream", "status"), [("clearbit", 402), ("hunter", 429), ("gemini", 429), ("crm", 429)])
async def test_a_quota_is_used_up(sandbox: Sandbox, upstream: str, status: int) -> None:
    await sandbox.break_(upstream, quota=2)
    statuses = [(await sandbox.ask(upstream, "GET", "/nothing")).status_code for _ in range(4)]
    assert statuses == [404, 404, status, status]


async def test_a_vendor_that_is_still_looking(sandbox: Sandbox) -> None:
    await sandbox.break_("clearbit", error_rate=1, status=202)
    client = Clearbit("k", base_url=sandbox.urls["clearbit"], person_base_url=sandbox.urls["clearbit"])
    assert (await look_up(client, "company", "a.example")).status is Status.PENDING
    await client.aclose()


async def test_faults_do_not_depend_on_concurrency() -> None:
    async def statuses(together: bool) -> list[int]:
        async with running(seed=5) as one:
            await one.break_("crm", error_rate=0.4)
            asks = [one.ask("crm", "GET", f"/records/lead/{n}", headers=BEARER) for n in range(40)]
            answers = await asyncio.gather(*asks) if together else [await ask for ask in asks]
            return [answer.status_code for answer in answers]

    alone, together = await statuses(False), await statuses(True)
    assert alone == together and {404, 503} == set(alone)


@pytest.mark.parametrize(
    "faults", [{"no_such": 1}, {"error_rate": 1.5}, {"status": 99}, {"latency_ms": -1}, {"obey_attacker": "perhaps"}]
)
async def test_a_fault_that_can_not_be_set(sandbox: Sandbox, faults: dict[str, Any]) -> None:
    answer = await sandbox.ask("control", "PUT", "/_sandbox/faults/crm", json=faults)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["errors"][0]["pointer"] == f"/{next(iter(faults))}"


async def test_faults_have_exactly_these_fields(sandbox: Sandbox) -> None:
    faults = (await sandbox.ask("control", "GET", "/_sandbox/faults/gemini")).json()
    assert list(faults) == [
        "latency_ms", "jitter_ms", "error_rate", "status", "timeout_rate", "lose_answer_rate", "lag_ms", "quota",
        "invent_rate", "obey_attacker",
    ]  # fmt: skip
    assert (await sandbox.ask("control", "GET", "/_sandbox/faults/nobody")).status_code == 404


async def test_a_clean_start(sandbox: Sandbox) -> None:
    await sandbox.break_("crm", lag_ms=5)
    await sandbox.ask("crm", "PUT", "/records/lead/1", json={"fields": {}}, headers=BEARER)
    assert (await sandbox.ask("control", "DELETE", "/_sandbox/state")).status_code == 204
    assert await sandbox.records() == [] and await sandbox.requests("crm") == []
    assert (await sandbox.ask("control", "GET", "/_sandbox/faults/crm")).json()["lag_ms"] == 0


async def test_requests_since(sandbox: Sandbox) -> None:
    for n in range(3):
        await sandbox.ask("crm", "GET", f"/records/lead/{n}", headers=BEARER)
    first, *others = await sandbox.requests("crm")
    assert await sandbox.requests("crm", str(first["n"])) == others
    assert await sandbox.requests("crm", others[0]["at"]) == others
    assert "authorization" not in first["headers"] and first["status"] == 404
