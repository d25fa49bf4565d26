"""The providers against the sandbox's vendors: both must agree about the wire, for every company and fault."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress

import httpx2
import orjson
import pytest
from pydantic import JsonValue

from revenueflow.domain.evidence import Signal
from revenueflow.enrichment.base import EnrichmentProvider, Findings, Lookup, Question, Status
from revenueflow.enrichment.providers.apollo import Apollo
from revenueflow.enrichment.providers.clearbit import Clearbit
from revenueflow.enrichment.providers.hunter import Hunter
from revenueflow.enrichment.providers.pipe0 import Pipe0
from revenueflow.enrichment.providers.zoominfo import ZoomInfo
from revenueflow.errors import UpstreamError
from revenueflow.sandbox.directory import DATA, companies
from revenueflow.sandbox.server import SandboxConfig, run

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
MAKERS: dict[str, Callable[[str], EnrichmentProvider]] = {
    "clearbit": lambda url: Clearbit("key", base_url=url, person_base_url=url, timeout=2),
    "hunter": lambda url: Hunter("key", base_url=url, timeout=2),
    "apollo": lambda url: Apollo("key", base_url=url, webhook_url="https://hooks.example/", timeout=2),
    "zoominfo": lambda url: ZoomInfo("id", "key", base_url=url, token_url=f"{url}/oauth2/default/v1/token", timeout=2),
    "pipe0": lambda url: Pipe0("key", base_url=url, timeout=2, sync_timeout=2),
}
FAULTS: list[tuple[dict[str, float], dict[str, str]]] = [
    ({"quota": 0}, {"": "quota"}),
    ({"error_rate": 1, "status": 401}, {"": "bad_key"}),
    (
        {"error_rate": 1, "status": 403},
        {"": "forbidden", "hunter": "rate_limited", "apollo": "not_in_plan", "zoominfo": "bad_key"},
    ),
    ({"error_rate": 1, "status": 503}, {"": "server_error"}),
    ({"lose_answer_rate": 1}, {"": "connection_lost"}),
    ({"error_rate": 1, "status": 451}, {"": "legal", "hunter": "not_found"}),
]
"""A fault, and what comes of it: for a vendor, or for all others."""


@pytest.fixture
async def urls() -> AsyncIterator[dict[str, str]]:
    """The sandbox's addresses."""
    ready: asyncio.Future[dict[str, str]] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(run(SandboxConfig(latency=False), ready.set_result))
    yield await ready
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


@pytest.fixture(params=MAKERS)
async def provider(request: pytest.FixtureRequest, urls: dict[str, str]) -> AsyncIterator[EnrichmentProvider]:
    one = MAKERS[request.param](urls[request.param])
    yield one
    await one.aclose()  # type: ignore[attr-defined]


def lookup(provider: EnrichmentProvider, name: str) -> Lookup:
    return next(one for one in provider.lookups if one.name == name)


async def ask(provider: EnrichmentProvider, name: str, key: str) -> Findings:
    (findings,) = await provider.look_up(lookup(provider, name), [Question(key)])
    return findings


async def settled(provider: EnrichmentProvider, one: Lookup, keys: list[str]) -> Sequence[Findings]:
    """Asks again while the vendor is looking, each time with what it called the last answer."""
    questions = [Question(key) for key in keys]
    for _ in range(5):
        answers = await provider.look_up(one, questions)
        if all(answer.status is not Status.PENDING for answer in answers):
            return answers
        questions = [Question(key, answer.handle) for key, answer in zip(keys, answers, strict=True)]
    raise AssertionError("still looking")


async def break_(urls: dict[str, str], vendor: str, fault: dict[str, float]) -> None:
    async with httpx2.AsyncClient(trust_env=False) as control:
        answer = await control.put(f"{urls['control']}/_sandbox/faults/{vendor}", json=fault)
        assert answer.status_code == 200


def told(view: dict[str, JsonValue], signals: frozenset[Signal]) -> dict[Signal, JsonValue]:
    """What a vendor's view in the directory should give."""
    columns = {signal: names for signal, names in COLUMNS.items() if signal in signals}
    firsts = {signal: [view.get(name) for name in names] for signal, names in columns.items()}
    values = {signal: next((value for value in row if value is not None), None) for signal, row in firsts.items()}
    return {signal: value for signal, value in values.items() if value not in (None, "", [])}


async def test_every_company_is_read_completely(provider: EnrichmentProvider) -> None:
    views = {one["domain"]: companies().facts(provider.name, one["domain"]) for one in COMPANIES}
    known = {domain: view for domain, view in views.items() if view}
    assert len(known) > 50
    one = lookup(provider, "company")
    domains = list(known)
    for start in range(0, len(domains), one.largest):
        some = domains[start : start + one.largest]
        answers = await settled(provider, one, some)
        for domain, findings in zip(some, answers, strict=True):
            facts = {fact.signal: fact.value for fact in findings.facts}
            country = facts.pop(Signal.COUNTRY, None)
            assert facts.pop(Signal.COMPANY_DOMAIN, domain) == domain
            assert facts == told(known[domain], one.signals)
            assert Signal.COUNTRY not in one.signals or (country is None) == (known[domain].get("country") is None)
            assert findings.refused == ()


@pytest.mark.parametrize("provider", ["clearbit", "hunter", "apollo", "zoominfo"], indirect=True)
async def test_a_person_has_title_seniority_and_department(provider: EnrichmentProvider) -> None:
    known = [one for one in COMPANIES if one.get("people") and companies().facts(provider.name, one["domain"])]
    person = known[0]["people"][0]
    facts = {fact.signal: fact.value for fact in (await ask(provider, "person", person["email"])).facts}
    assert facts[Signal.TITLE] == person["title"]
    assert facts.keys() == lookup(provider, "person").signals
    assert person["family_name"] not in orjson.dumps(list(facts.values())).decode()


@pytest.mark.parametrize(("email", "status"), [("{known}", "valid"), ("ada@nobody.example", "unknown")])
async def test_hunter_tells_whether_mail_arrives(urls: dict[str, str], email: str, status: str) -> None:
    hunter = MAKERS["hunter"](urls["hunter"])
    known = next(company["people"][0] for company in COMPANIES if company.get("people"))
    findings = await ask(hunter, "email", email.format(known=known["email"]))
    await hunter.aclose()  # type: ignore[attr-defined]
    assert [(fact.signal, fact.value) for fact in findings.facts] == [(Signal.EMAIL_STATUS, status)]


async def test_apollo_polls_for_a_waterfall(urls: dict[str, str]) -> None:
    apollo = MAKERS["apollo"](urls["apollo"])
    known = [one for one in COMPANIES if one.get("people") and companies().facts("apollo", one["domain"])]
    keys = [*(one["people"][0]["email"] for one in known[:3]), "ada@nobody.example"]
    answers = await settled(apollo, lookup(apollo, "email"), keys)
    alone = await ask(apollo, "company", known[0]["domain"])
    await apollo.aclose()  # type: ignore[attr-defined]
    assert [[fact.value for fact in answer.facts] for answer in answers] == [["valid"], ["valid"], ["valid"], []]
    view = companies().facts("apollo", known[0]["domain"])
    assert view
    assert {fact.signal for fact in alone.facts} > told(view, lookup(apollo, "company").signals).keys()


async def test_an_unknown_company_is_not_found(provider: EnrichmentProvider) -> None:
    assert (await ask(provider, "company", "nobody.example")).status is Status.NOT_FOUND


@pytest.mark.parametrize("name", ["technologies", "funding", "news", "posts", "jobs"])
async def test_pipe0_has_more_signals(urls: dict[str, str], name: str) -> None:
    pipe0 = MAKERS["pipe0"](urls["pipe0"])
    known = [one for one in COMPANIES if one.get("people") and companies().facts("pipe0", one["domain"])]
    keys = [one["people"][0]["email"] if name == "posts" else one["domain"] for one in known[:20]]
    answers = await settled(
        pipe0, lookup(pipe0, name), [*keys, "x@nobody.example" if name == "posts" else "no.example"]
    )
    await pipe0.aclose()  # type: ignore[attr-defined]
    assert {fact.signal for answer in answers for fact in answer.facts} == lookup(pipe0, name).signals
    assert [answer.refused for answer in answers] == [()] * 21
    assert answers[-1].status is Status.NOT_FOUND


@pytest.mark.parametrize(("fault", "outcomes"), FAULTS)
async def test_faults_are_understood(
    provider: EnrichmentProvider, urls: dict[str, str], fault: dict[str, float], outcomes: dict[str, str]
) -> None:
    await break_(urls, provider.name, fault)
    try:
        findings = await ask(provider, "company", COMPANIES[0]["domain"])
        outcome = findings.status.value
    except UpstreamError as error:
        outcome = error.reason
    assert outcome == outcomes.get(provider.name, outcomes[""])


@pytest.mark.parametrize("vendor", ["clearbit", "hunter"])
async def test_later_means_later(urls: dict[str, str], vendor: str) -> None:
    await break_(urls, vendor, {"error_rate": 1, "status": 202})
    provider = MAKERS[vendor](urls[vendor])
    assert (await ask(provider, "company", COMPANIES[0]["domain"])).status is Status.PENDING
    await provider.aclose()  # type: ignore[attr-defined]
