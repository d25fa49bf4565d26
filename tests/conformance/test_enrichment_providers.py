"""What every enrichment provider must do, over real HTTP, whatever its vendor's wire looks like."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from uuid import UUID

import orjson
import pytest

from revenueflow.domain.evidence import Signal, Trust
from revenueflow.enrichment.base import EnrichmentProvider, Status, Subject
from revenueflow.errors import UpstreamRejected, UpstreamUnavailable
from tests.support import enrichment_dialects as wire
from tests.support.enrichment_dialects import DIALECTS, DOMAIN, EMAIL, Dialect
from tests.support.vendor_server import VendorServer, fixed

LEAD = UUID("0b0e7a52-6f6a-5f0e-8a63-0c4b3c0f9a11")
BY_EMAIL = Subject(lead_id=LEAD, email=EMAIL, domain=DOMAIN)
BY_DOMAIN = Subject(lead_id=LEAD, domain=DOMAIN)


@pytest.fixture(scope="module")
def server() -> Iterator[VendorServer]:
    with VendorServer() as one:
        yield one


@pytest.fixture(params=DIALECTS, ids=lambda dialect: dialect.name)
def dialect(request: pytest.FixtureRequest) -> Dialect:
    return request.param


@pytest.fixture
async def provider(dialect: Dialect, server: VendorServer) -> AsyncIterator[EnrichmentProvider]:
    server.seen.clear()
    one = dialect.make(server.url)
    yield one
    await one.aclose()


def at(root: str, facts: dict[Signal, tuple[str, object]]) -> dict[Signal, tuple[str, object]]:
    return {signal: (f"{root}.{path}", value) for signal, (path, value) in facts.items()}


async def test_found_by_email(dialect: Dialect, provider: EnrichmentProvider, server: VendorServer) -> None:
    server.answer = dialect.found(wire.COMPANY, wire.PERSON)
    findings = await provider.find(BY_EMAIL)
    company = at(dialect.company_root, wire.COMPANY_FACTS | dialect.more_facts)
    person = at(dialect.person_root, wire.PERSON_FACTS)
    assert findings.status is Status.FOUND
    assert {fact.signal: (fact.path, fact.value) for fact in findings.facts} == company | person
    assert findings.refused == ()
    assert [dialect.authorised(seen) for seen in server.seen] == [True]


async def test_found_by_domain(dialect: Dialect, provider: EnrichmentProvider, server: VendorServer) -> None:
    server.answer = dialect.found(wire.COMPANY)
    findings = await provider.find(BY_DOMAIN)
    expected = at(dialect.lone_company_root, wire.COMPANY_FACTS | dialect.more_facts)
    assert {fact.signal: (fact.path, fact.value) for fact in findings.facts} == expected
    assert [dialect.authorised(seen) for seen in server.seen] == [True]


async def test_says_what_it_may_know(dialect: Dialect, provider: EnrichmentProvider) -> None:
    told = {*wire.COMPANY_FACTS, *wire.PERSON_FACTS, *dialect.more_facts}
    assert told <= provider.signals
    assert (provider.name, provider.trust) == (dialect.name, Trust.VENDOR)


async def test_no_personal_data_in_facts(dialect: Dialect, provider: EnrichmentProvider, server: VendorServer) -> None:
    server.answer = dialect.found(wire.COMPANY, wire.PERSON)
    told = orjson.dumps((await provider.find(BY_EMAIL)).model_dump(mode="json")).decode()
    assert [word for word in wire.PERSONAL if word in told] == []


async def test_without_a_key_to_look_up_nothing_is_sent(provider: EnrichmentProvider, server: VendorServer) -> None:
    findings = await provider.find(Subject(lead_id=LEAD, company="Northwind"))
    assert (findings.status, server.seen) == (Status.SKIPPED, [])


async def test_not_found(dialect: Dialect, provider: EnrichmentProvider, server: VendorServer) -> None:
    server.answer = dialect.cases["not_found"]
    findings = await provider.find(BY_EMAIL)
    assert (findings.status, findings.facts) == (Status.NOT_FOUND, ())


async def test_found_but_empty_is_not_found(
    dialect: Dialect, provider: EnrichmentProvider, server: VendorServer
) -> None:
    server.answer = dialect.found(None, None)
    assert (await provider.find(BY_EMAIL)).status is Status.NOT_FOUND


async def test_pending(dialect: Dialect, provider: EnrichmentProvider, server: VendorServer) -> None:
    server.answer = dialect.cases["pending"]
    findings = await provider.find(BY_EMAIL)
    assert findings.status is Status.PENDING
    assert findings.retry_after
    assert findings.retry_after > 0
    assert len(server.seen) == 1


async def test_rate_limited_once_is_tried_again(
    dialect: Dialect, provider: EnrichmentProvider, server: VendorServer
) -> None:
    found = dialect.found(wire.COMPANY)
    server.answer = wire.once_then(dialect.cases["rate_limited"], server, found)
    assert (await provider.find(BY_EMAIL)).status is Status.FOUND
    assert len(server.seen) == 2


async def test_rate_limited_for_good_is_unavailable(
    dialect: Dialect, provider: EnrichmentProvider, server: VendorServer
) -> None:
    server.answer = dialect.cases["rate_limited"]
    with pytest.raises(UpstreamUnavailable) as caught:
        await provider.find(BY_EMAIL)
    assert (caught.value.upstream, caught.value.reason) == (dialect.name, "rate_limited")


@pytest.mark.parametrize("case", ["quota", "bad_key"])
async def test_a_refusal_is_not_repeated(
    case: str, dialect: Dialect, provider: EnrichmentProvider, server: VendorServer
) -> None:
    server.answer = dialect.cases[case]
    with pytest.raises(UpstreamRejected) as caught:
        await provider.find(BY_EMAIL)
    assert caught.value.reason == case
    assert len(server.seen) == 1
    assert wire.KEY not in str(caught.value)


async def test_server_error(dialect: Dialect, provider: EnrichmentProvider, server: VendorServer) -> None:
    server.answer = fixed(503, {})
    with pytest.raises(UpstreamUnavailable) as caught:
        await provider.find(BY_DOMAIN)
    assert (caught.value.upstream, caught.value.reason) == (dialect.name, "server_error")
    assert len(server.seen) > 1


async def test_time_out(dialect: Dialect, provider: EnrichmentProvider, server: VendorServer) -> None:
    server.answer = wire.never
    with pytest.raises(UpstreamUnavailable) as caught:
        await provider.find(BY_DOMAIN)
    assert (caught.value.upstream, caught.value.reason) == (dialect.name, "timeout")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (wire.malformed, "malformed"),
        (wire.not_an_object, "malformed"),
        (wire.huge, "answer_too_large"),
    ],
    ids=["malformed", "not_an_object", "huge"],
)
async def test_an_answer_that_cannot_be_used(
    answer: wire.Answerer, reason: str, dialect: Dialect, provider: EnrichmentProvider, server: VendorServer
) -> None:
    server.answer = answer
    with pytest.raises(UpstreamRejected) as caught:
        await provider.find(BY_EMAIL)
    assert (caught.value.upstream, caught.value.reason) == (dialect.name, reason)


async def test_values_of_the_wrong_type_cost_only_themselves(
    dialect: Dialect, provider: EnrichmentProvider, server: VendorServer
) -> None:
    broken = wire.COMPANY | {
        "name": 7,
        "tech": "salesforce",
        "foundedYear": 99999,
        "geo": [],
        "metrics": {"employees": {"total": 240}, "raised": True},
    }
    server.answer = dialect.found(broken)
    findings = await provider.find(BY_EMAIL)
    assert {item.signal: item.reason for item in findings.refused} == {
        Signal.COMPANY_NAME: "wrong_type",
        Signal.TECHNOLOGIES: "wrong_type",
        Signal.FOUNDED_YEAR: "out_of_range",
        Signal.COUNTRY: "wrong_type",
        Signal.CITY: "wrong_type",
        Signal.HEADCOUNT: "wrong_type",
        Signal.FUNDING_TOTAL: "wrong_type",
    }
    assert Signal.INDUSTRY in {fact.signal for fact in findings.facts}
    assert Signal.HEADCOUNT not in {fact.signal for fact in findings.facts}
