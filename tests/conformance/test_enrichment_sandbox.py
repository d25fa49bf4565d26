"""The providers against the sandbox's vendors: both must agree about the wire, for every company and fault."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from uuid import UUID

import httpx2
import orjson
import pytest
from pydantic import JsonValue

from revenueflow.domain.evidence import Signal
from revenueflow.enrichment.base import EnrichmentProvider, Status, Subject
from revenueflow.enrichment.providers.clearbit import Clearbit
from revenueflow.enrichment.providers.hunter import Hunter
from revenueflow.errors import UpstreamError
from revenueflow.sandbox.directory import DATA
from revenueflow.sandbox.server import SandboxConfig, run

LEAD = UUID(int=1)
COMPANIES = orjson.loads((DATA / "companies.json").read_bytes())
COLUMNS = {
    Signal.COMPANY_NAME: ("name",),
    Signal.DESCRIPTION: ("description",),
    Signal.INDUSTRY: ("industry",),
    Signal.HEADCOUNT: ("headcount", "headcount_range"),
    Signal.CITY: ("city",),
    Signal.TECHNOLOGIES: ("technologies",),
    Signal.FUNDING_TOTAL: ("funding_total",),
    Signal.FUNDING_STAGE: ("funding_stage",),
    Signal.REVENUE: ("revenue", "revenue_range"),
    Signal.FOUNDED_YEAR: ("founded_year",),
}


@pytest.fixture
async def urls() -> AsyncIterator[dict[str, str]]:
    """The sandbox's addresses."""
    ready: asyncio.Future[dict[str, str]] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(run(SandboxConfig(latency=False), ready.set_result))
    yield await ready
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


@pytest.fixture(params=["clearbit", "hunter"])
async def provider(request: pytest.FixtureRequest, urls: dict[str, str]) -> AsyncIterator[EnrichmentProvider]:
    if request.param == "clearbit":
        url = urls["clearbit"]
        one: Clearbit | Hunter = Clearbit("key", base_url=url, person_base_url=url, timeout=2)
    else:
        one = Hunter("key", base_url=urls["hunter"], timeout=2)
    yield one
    await one.aclose()


def told(view: dict[str, JsonValue]) -> dict[Signal, JsonValue]:
    """What a vendor's view in the directory should give."""
    firsts = {signal: [view.get(name) for name in names] for signal, names in COLUMNS.items()}
    values = {signal: next((value for value in row if value is not None), None) for signal, row in firsts.items()}
    return {signal: value for signal, value in values.items() if value not in (None, "", [])}


async def test_every_company_is_read_completely(provider: EnrichmentProvider) -> None:
    known = [company for company in COMPANIES if company.get(provider.name)]
    assert len(known) > 50
    for company in known:
        findings = await provider.find(Subject(lead_id=LEAD, domain=company["domain"]))
        facts = {fact.signal: fact.value for fact in findings.facts}
        country = facts.pop(Signal.COUNTRY, None)
        assert facts.pop(Signal.COMPANY_DOMAIN) == company["domain"]
        assert facts == told({"name": company["name"], **company[provider.name]})
        assert (country is None) == (company[provider.name].get("country") is None)
        assert findings.refused == ()


async def test_a_person_adds_title_seniority_and_department(provider: EnrichmentProvider) -> None:
    company = next(one for one in COMPANIES if one.get(provider.name) and one.get("people"))
    person = company["people"][0]
    subject = Subject(lead_id=LEAD, email=person["email"], domain=company["domain"])
    facts = {fact.signal: fact.value for fact in (await provider.find(subject)).facts}
    assert facts[Signal.TITLE] == person["title"]
    assert {Signal.SENIORITY, Signal.DEPARTMENT, Signal.COMPANY_NAME} <= facts.keys()
    assert person["family_name"] not in orjson.dumps(list(facts.values())).decode()


async def test_an_unknown_company_is_not_found(provider: EnrichmentProvider) -> None:
    subject = Subject(lead_id=LEAD, email="ada@nobody.example", domain="nobody.example")
    assert (await provider.find(subject)).status is Status.NOT_FOUND


@pytest.mark.parametrize(
    ("fault", "clearbit", "hunter"),
    [
        ({"quota": 0}, "quota", "quota"),
        ({"error_rate": 1, "status": 401}, "bad_key", "bad_key"),
        ({"error_rate": 1, "status": 403}, "forbidden", "rate_limited"),
        ({"error_rate": 1, "status": 503}, "server_error", "server_error"),
        ({"lose_answer_rate": 1}, "connection_lost", "connection_lost"),
        ({"error_rate": 1, "status": 202}, "pending", "pending"),
        ({"error_rate": 1, "status": 451}, "legal", "not_found"),
    ],
)
async def test_faults_are_understood(
    provider: EnrichmentProvider, urls: dict[str, str], fault: dict[str, float], clearbit: str, hunter: str
) -> None:
    async with httpx2.AsyncClient(trust_env=False) as control:
        answer = await control.put(f"{urls['control']}/_sandbox/faults/{provider.name}", json=fault)
        assert answer.status_code == 200
    try:
        findings = await provider.find(Subject(lead_id=LEAD, domain=COMPANIES[0]["domain"]))
        outcome = findings.status.value
    except UpstreamError as error:
        outcome = error.reason
    assert outcome == {"clearbit": clearbit, "hunter": hunter}[provider.name]
