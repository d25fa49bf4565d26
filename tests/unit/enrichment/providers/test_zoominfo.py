"""What only ZoomInfo does: one token for all calls, and a verdict for each record."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from revenueflow.enrichment.base import Findings, Question, Status
from revenueflow.enrichment.providers.zoominfo import ZoomInfo
from revenueflow.errors import UpstreamError, UpstreamRejected, UpstreamUnavailable
from tests.support.vendor_server import VendorServer, fixed

TOKEN_PATH = "/token"


class Vendor:
    """Gives out token-1, token-2 …, and takes those that are good."""

    def __init__(self) -> None:
        self.given, self.lasts = 0, 3600.0
        self.good: set[str] = set()

    async def __call__(self, request: Request) -> Response:
        if request.url.path == TOKEN_PATH:
            self.given += 1
            self.good.add(f"token-{self.given}")
            return JSONResponse({"access_token": f"token-{self.given}", "expires_in": self.lasts})
        if request.headers["authorization"].removeprefix("Bearer ") not in self.good:
            return JSONResponse({"errors": []}, 401)
        (criterion,) = (await request.json())["data"]["attributes"]["matchCompanyInput"]
        meta = {"input": criterion, "matchStatus": "FULL_MATCH"}
        return JSONResponse({"data": [{"id": "1", "type": "Company", "attributes": {"name": "A"}, "meta": meta}]})


@pytest.fixture(scope="module")
def server() -> Iterator[VendorServer]:
    with VendorServer() as one:
        yield one


@pytest.fixture
def vendor(server: VendorServer) -> Vendor:
    server.answer = vendor = Vendor()
    return vendor


@pytest.fixture
async def zoominfo(server: VendorServer) -> AsyncIterator[ZoomInfo]:
    one = ZoomInfo("client", "s3cr3t", base_url=server.url, token_url=server.url + TOKEN_PATH)
    yield one
    await one.aclose()


async def ask(zoominfo: ZoomInfo, *domains: str) -> list[Findings]:
    return list(await zoominfo.look_up(zoominfo.lookups[0], [Question(domain) for domain in domains]))


async def together(zoominfo: ZoomInfo) -> list[Status]:
    answers = await asyncio.gather(*(ask(zoominfo, f"x{number}.example") for number in range(20)))
    return [findings.status for (findings,) in answers]


async def test_calls_at_the_same_time_share_one_token(vendor: Vendor, zoominfo: ZoomInfo) -> None:
    assert await together(zoominfo) == [Status.FOUND] * 20
    assert await together(zoominfo) == [Status.FOUND] * 20
    assert vendor.given == 1


async def test_a_token_that_is_refused_is_replaced_once_for_all(vendor: Vendor, zoominfo: ZoomInfo) -> None:
    await together(zoominfo)
    vendor.good.clear()
    assert await together(zoominfo) == [Status.FOUND] * 20
    assert vendor.given == 2


async def test_a_token_is_not_used_up_to_its_end(vendor: Vendor, zoominfo: ZoomInfo) -> None:
    vendor.lasts = 1e-6
    await ask(zoominfo, "a.example")
    await ask(zoominfo, "a.example")
    assert vendor.given == 2


async def test_a_refusal_that_a_new_token_does_not_help_ends_there(server: VendorServer, zoominfo: ZoomInfo) -> None:
    vendor = Vendor()

    async def nobody_is_good(request: Request) -> Response:
        vendor.good.clear()
        return await vendor(request) if request.url.path == TOKEN_PATH else JSONResponse({}, 401)

    server.answer = nobody_is_good
    with pytest.raises(UpstreamRejected) as caught:
        await ask(zoominfo, "a.example")
    assert (caught.value.reason, vendor.given) == ("bad_key", 2)


@pytest.mark.parametrize(
    ("status", "body", "error", "reason"),
    [
        (401, {"error": "invalid_client"}, UpstreamRejected, "bad_key"),
        (400, {"error": "invalid_client"}, UpstreamRejected, "bad_key"),
        (503, {}, UpstreamUnavailable, "server_error"),
        (200, {"token_type": "Bearer"}, UpstreamRejected, "malformed"),
        (200, ["s3cr3t"], UpstreamRejected, "malformed"),
    ],
)
async def test_no_token(
    server: VendorServer, zoominfo: ZoomInfo, status: int, body: object, error: type[UpstreamError], reason: str
) -> None:
    server.answer = fixed(status, body)
    with pytest.raises(error) as caught:
        await ask(zoominfo, "a.example")
    assert caught.value.reason == reason
    assert "s3cr3t" not in repr(caught.value)


async def test_each_record_has_a_verdict_of_its_own(server: VendorServer, zoominfo: ZoomInfo) -> None:
    def record(domain: str, kind: str, status: str) -> dict[str, object]:
        meta = {"input": {"companyWebsite": f"http://www.{domain}"}, "matchStatus": status}
        return {"id": "1", "type": kind, "attributes": {"name": domain}, "meta": meta}

    data = [
        record("limit.example", "NoMatch", "LIMIT_EXCEEDED"),
        record("wrong.example", "NoMatch", "INVALID_INPUT"),
        record("none.example", "NoMatch", "NO_MATCH"),
        record("found.example", "Company", "FULL_MATCH"),
    ]
    server.answer = fixed(200, {"access_token": "t", "data": data})
    findings = await ask(
        zoominfo, "found.example", "none.example", "wrong.example", "limit.example", "forgotten.example"
    )
    assert [(one.status, one.reason) for one in findings] == [
        (Status.FOUND, None),
        (Status.NOT_FOUND, None),
        (Status.FAILED, "invalid"),
        (Status.FAILED, "quota"),
        (Status.FAILED, "malformed"),
    ]
    assert findings[0].facts[0].path == "$.data[3].attributes.name"
