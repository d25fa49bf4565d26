"""ZoomInfo's wire."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from pydantic import JsonValue
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from revenueflow.domain.evidence import Signal
from revenueflow.enrichment.base import EnrichmentProvider
from revenueflow.enrichment.providers.zoominfo import ZoomInfo
from tests.support.enrichment_dialects import DOMAIN, EMAIL, KEY, TIMEOUT, Refusal, Wire
from tests.support.vendor_server import Answerer, Seen, fixed

CLIENT = "client-1"
TOKEN = "token-1"
TOKEN_PATH = "/oauth2/default/v1/token"
JSON_API = "application/vnd.api+json"
COMPANY_FIELDS = {
    "city", "companyFunding", "country", "description", "employeeCount", "employeeRange", "foundedYear", "industries",
    "name", "primaryIndustry", "revenueRange", "website",
}  # fmt: skip
PERSON_FIELDS = {"jobFunction", "jobTitle", "managementLevel"}
"""What may be asked for: nothing that is personal."""


def make(url: str) -> EnrichmentProvider:
    return ZoomInfo(CLIENT, KEY, base_url=url, token_url=f"{url}{TOKEN_PATH}", timeout=TIMEOUT)


def authorised(seen: Seen) -> bool:
    return seen.headers.get("authorization") == f"Bearer {TOKEN}" and seen.headers.get("accept") == JSON_API


async def token(request: Request) -> Response:
    """One token, for the right client."""
    basic = b64encode(f"{CLIENT}:{KEY}".encode()).decode()
    form = (await request.body()).decode()
    if request.headers.get("authorization") != f"Basic {basic}" or "grant_type=client_credentials" not in form:
        return JSONResponse({"error": "invalid_client"}, 401)
    return JSONResponse({"access_token": TOKEN, "token_type": "Bearer", "expires_in": 3600})


def error(status: int, **headers: str) -> Answerer:
    return fixed(status, {"errors": [{"id": "e1", "code": "X", "status": str(status)}]}, **headers)


def record(kind: str, number: int, given: JsonValue, criterion: dict[str, JsonValue]) -> dict[str, JsonValue]:
    if not isinstance(given, dict):
        return {"id": str(number), "type": "NoMatch", "meta": {"input": criterion, "matchStatus": "NO_MATCH"}}
    meta: JsonValue = {"input": criterion, "matchStatus": "FULL_MATCH"}
    return {"id": str(number), "type": kind, "attributes": given, "meta": meta}


def _wire(lookup: str, **more: Any) -> Wire:
    company = lookup == "company"
    kind, fields = ("Company", COMPANY_FIELDS) if company else ("Contact", PERSON_FIELDS)
    path = f"/gtm/data/v1/{'companies' if company else 'contacts'}/enrich"
    inputs, name = ("matchCompanyInput", "companyWebsite") if company else ("matchPersonInput", "emailAddress")
    site = "http://www." if company else ""

    async def keys(request: Request) -> list[str]:
        data = (await request.json())["data"]
        attributes = data["attributes"]
        if request.url.path != path or request.headers["content-type"] != JSON_API or data["type"] != f"{kind}Enrich":
            raise Refusal(400)
        if not set(attributes["outputFields"]) <= fields or len(attributes[inputs]) > 25:
            raise Refusal(400)
        return [one[name].removeprefix(site) for one in attributes[inputs]]

    def body(asked: list[tuple[str, JsonValue]]) -> JsonValue:
        told = [record(kind, number, given, {name: site + key}) for number, (key, given) in enumerate(asked)]
        return {"data": [*reversed(told)]}

    alone = {name: site + (DOMAIN if company else EMAIL)}
    limit = {"id": "1", "type": "NoMatch", "meta": {"input": alone, "matchStatus": "LIMIT_EXCEEDED"}}
    return Wire(
        vendor="zoominfo",
        lookup=lookup,
        make=make,
        keys=keys,
        body=body,
        root=lambda _: "$.data[0].attributes",
        authorised=authorised,
        errors={
            "not_found": fixed(200, {"data": [record(kind, 1, None, {**alone})]}),
            "rate_limited": error(429, **{"retry-after": "0"}),
            "quota": fixed(200, {"data": [limit]}),
            "bad_key": error(401),
        },
        largest=25,
        reads=False,
        beside={TOKEN_PATH: token},
        **more,
    )


COMPANY: dict[str, Any] = {
    "name": "Northwind Traders",
    "website": "www.northwind.example",
    "socialMediaUrls": [{"type": "LINKED_IN", "url": "http://www.linkedin.com/in/adacanary"}],
    "logo": "https://photo.example/canary",
    "phone": "+1 415 555 0100",
    "street": "Canary Street 1",
    "description": "Trades worldwide. Write to canary@northwind.example or call +1 415 555 0100.",
    "primaryIndustry": ["Software", "Business Intelligence"],
    "employeeCount": 240,
    "employeeRange": "100 - 250",
    "country": "Germany",
    "city": "Berlin",
    "companyFunding": [
        {"date": "2019-01-01", "type": "Seed", "investors": ["Ada Canary"]},
        {"date": "2024-05-01", "type": "Series B", "amount": 9000},
    ],
    "revenue": 55000,
    "revenueRange": "$50 mil. - $100 mil.",
    "foundedYear": "2011",
}
PERSON: dict[str, Any] = {
    "firstName": "Ada",
    "lastName": "Canary",
    "email": EMAIL,
    "phone": "(030) 5550 1234",
    "picture": "https://photo.example/ada.png",
    "externalUrls": [{"type": "linkedin.com", "url": "https://www.linkedin.com/in/adacanary"}],
    "jobTitle": "VP Engineering",
    "managementLevel": ["VP-Level"],
    "jobFunction": {"name": "Software Development", "department": "Engineering & Technical"},
}
WIRES = (
    _wire(
        "company",
        record=COMPANY,
        facts={
            Signal.COMPANY_NAME: ("name", "Northwind Traders"),
            Signal.COMPANY_DOMAIN: ("website", DOMAIN),
            Signal.DESCRIPTION: ("description", "Trades worldwide. Write to [EMAIL] or call [PHONE]."),
            Signal.INDUSTRY: ("primaryIndustry[0]", "Software"),
            Signal.HEADCOUNT: ("employeeCount", 240),
            Signal.COUNTRY: ("country", "Germany"),
            Signal.CITY: ("city", "Berlin"),
            Signal.FUNDING_STAGE: ("companyFunding[1].type", "Series B"),
            Signal.REVENUE: ("revenueRange", "$50 mil. - $100 mil."),
            Signal.FOUNDED_YEAR: ("foundedYear", 2011),
        },
        broken=COMPANY
        | {"name": 7, "website": ["x"], "primaryIndustry": "Software", "companyFunding": "Seed", "foundedYear": 2011},
        refused={
            Signal.COMPANY_NAME: "wrong_type",
            Signal.COMPANY_DOMAIN: "wrong_type",
            Signal.INDUSTRY: "wrong_type",
            Signal.FUNDING_STAGE: "wrong_type",
            Signal.FOUNDED_YEAR: "wrong_type",
        },
    ),
    _wire(
        "person",
        record=PERSON,
        facts={
            Signal.TITLE: ("jobTitle", "VP Engineering"),
            Signal.SENIORITY: ("managementLevel[0]", "VP-Level"),
            Signal.DEPARTMENT: ("jobFunction.department", "Engineering & Technical"),
        },
        broken=PERSON | {"jobTitle": ["VP"], "managementLevel": "VP", "jobFunction": {"department": 3}},
        refused={
            Signal.TITLE: "wrong_type",
            Signal.SENIORITY: "wrong_type",
            Signal.DEPARTMENT: "wrong_type",
        },
    ),
)
