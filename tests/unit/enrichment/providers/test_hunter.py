"""What only Hunter does."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import pytest
from pydantic import JsonValue
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from revenueflow.domain.evidence import Signal
from revenueflow.enrichment.base import Status, Subject
from revenueflow.enrichment.providers.hunter import Hunter
from revenueflow.errors import UpstreamUnavailable
from tests.support.vendor_server import VendorServer, fixed

SUBJECT = Subject(lead_id=UUID(int=1), email="ada@acme.example", domain="acme.example")


@pytest.fixture(scope="module")
def server() -> Iterator[VendorServer]:
    with VendorServer() as one:
        yield one


async def ask(server: VendorServer) -> dict[Signal, tuple[str, JsonValue]]:
    server.seen.clear()
    hunter = Hunter("key", base_url=server.url)
    findings = await hunter.find(SUBJECT)
    await hunter.aclose()
    return {fact.signal: (fact.path, fact.value) for fact in findings.facts}


@pytest.mark.parametrize("status", [404, 451])
async def test_an_unknown_or_claimed_person_leaves_the_company(server: VendorServer, status: int) -> None:
    async def answer(request: Request) -> Response:
        if request.url.path == "/v2/combined/find":
            return JSONResponse({"errors": [{"id": "x", "code": status}]}, status_code=status)
        return JSONResponse({"data": {"name": "Acme"}})

    server.answer = answer
    assert await ask(server) == {Signal.COMPANY_NAME: ("$.data.name", "Acme")}
    assert [seen.path for seen in server.seen] == ["/v2/combined/find", "/v2/companies/find"]


@pytest.mark.parametrize(
    ("rounds", "expected"),
    [
        (
            [
                {"series": "seed", "announcedDate": "2019-02-01"},
                {"series": "B", "announcedDate": "2024-05-01"},
                {"series": None, "announcedDate": "2025-01-01"},
            ],
            ("$.data.company.fundingRounds[1].series", "B"),
        ),
        ([{"series": "A"}, {"series": "seed"}], ("$.data.company.fundingRounds[0].series", "A")),
        ([{"amount": 5}], None),
        ([], None),
        ("series A", None),
    ],
)
async def test_the_funding_stage_is_that_of_the_latest_round(
    server: VendorServer, rounds: JsonValue, expected: tuple[str, str] | None
) -> None:
    server.answer = fixed(200, {"data": {"person": None, "company": {"name": "A", "fundingRounds": rounds}}})
    assert (await ask(server)).get(Signal.FUNDING_STAGE) == expected


async def test_a_failed_check_at_the_far_end_is_worth_another_try(server: VendorServer) -> None:
    server.answer = fixed(222, {"errors": []})
    with pytest.raises(UpstreamUnavailable) as caught:
        await ask(server)
    assert caught.value.reason == "far_end_failed"


async def test_an_email_without_a_domain_that_is_unknown(server: VendorServer) -> None:
    server.answer = fixed(404, {})
    hunter = Hunter("key", base_url=server.url)
    findings = await hunter.find(SUBJECT.model_copy(update={"domain": None}))
    await hunter.aclose()
    assert findings.status is Status.NOT_FOUND
