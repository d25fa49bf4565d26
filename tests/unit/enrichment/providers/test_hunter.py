"""What only Hunter does."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pydantic import JsonValue

from revenueflow.domain.evidence import Signal
from revenueflow.enrichment.base import Findings, Question, Status
from revenueflow.enrichment.providers.hunter import Hunter
from revenueflow.errors import UpstreamUnavailable
from tests.support.vendor_server import VendorServer, fixed


@pytest.fixture(scope="module")
def server() -> Iterator[VendorServer]:
    with VendorServer() as one:
        yield one


async def ask(server: VendorServer, lookup: str = "company") -> Findings:
    hunter = Hunter("key", base_url=server.url)
    asked = next(one for one in Hunter.lookups if one.name == lookup)
    key = "acme.example" if lookup == "company" else "ada@acme.example"
    try:
        (findings,) = await hunter.look_up(asked, [Question(key)])
    finally:
        await hunter.aclose()
    return findings


async def test_a_person_who_asked_not_to_be_processed_is_not_found(server: VendorServer) -> None:
    server.answer = fixed(451, {"errors": [{"id": "claimed_email", "code": 451}]})
    assert (await ask(server, "person")).status is Status.NOT_FOUND


@pytest.mark.parametrize(
    ("rounds", "expected"),
    [
        (
            [
                {"series": "seed", "announcedDate": "2019-02-01"},
                {"series": "B", "announcedDate": "2024-05-01"},
                {"series": None, "announcedDate": "2025-01-01"},
            ],
            ("$.data.fundingRounds[1].series", "B"),
        ),
        ([{"series": "A"}, {"series": "seed"}], ("$.data.fundingRounds[0].series", "A")),
        ([{"amount": 5}], None),
        ([], None),
        ("series A", None),
    ],
)
async def test_the_funding_stage_is_that_of_the_latest_round(
    server: VendorServer, rounds: JsonValue, expected: tuple[str, str] | None
) -> None:
    server.answer = fixed(200, {"data": {"name": "A", "fundingRounds": rounds}})
    facts = {fact.signal: (fact.path, fact.value) for fact in (await ask(server)).facts}
    assert facts.get(Signal.FUNDING_STAGE) == expected


@pytest.mark.parametrize("lookup", ["company", "email"])
async def test_a_failed_check_at_the_far_end_is_worth_another_try(server: VendorServer, lookup: str) -> None:
    server.answer = fixed(222, {"errors": []})
    with pytest.raises(UpstreamUnavailable) as caught:
        await ask(server, lookup)
    assert caught.value.reason == "far_end_failed"
