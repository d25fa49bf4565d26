"""Apollo's wire."""

from __future__ import annotations

from typing import Any

from pydantic import JsonValue
from starlette.requests import Request
from starlette.responses import Response

from revenueflow.domain.evidence import Signal
from revenueflow.enrichment.base import EnrichmentProvider
from revenueflow.enrichment.providers.apollo import Apollo
from tests.support.enrichment_dialects import DOMAIN, EMAIL, KEY, TIMEOUT, Facts, Refusal, Wire
from tests.support.vendor_server import Answerer, Seen, fixed

REQUEST = -1039995589705121900
CALLBACK = "https://hooks.example/apollo"


def make(url: str) -> EnrichmentProvider:
    return Apollo(KEY, base_url=url, webhook_url=CALLBACK, timeout=TIMEOUT)


def authorised(seen: Seen) -> bool:
    return seen.headers.get("x-api-key") == KEY


def text(status: int, body: str) -> Answerer:
    """An error that is no JSON."""

    async def answer(_: Request) -> Response:
        return Response(body, status, media_type="text/plain")

    return answer


async def details(request: Request, name: str, least: int = 2) -> list[str]:
    """The keys of a bulk call."""
    keys = [one[name] for one in (await request.json())["details"]]
    if request.method != "POST" or not least <= len(keys) <= 10:
        raise Refusal(400)
    return keys


def one(request: Request, method: str, name: str) -> list[str]:
    """The key of a call about one."""
    if request.method != method or set(request.query_params) != {name}:
        raise Refusal(422)
    return [request.query_params[name]]


async def company_keys(request: Request) -> list[str]:
    if request.url.path == "/api/v1/organizations/enrich":
        return one(request, "GET", "domain")
    raise Refusal(400)


async def person_keys(request: Request) -> list[str]:
    if request.url.path == "/api/v1/people/match":
        return one(request, "POST", "email")
    if request.url.path == "/api/v1/people/bulk_match":
        return await details(request, "email")
    raise Refusal(400)


async def waterfall_keys(request: Request) -> list[str]:
    """Of a poll: the address that was asked for. What starts a waterfall has no answer yet."""
    if request.method == "GET" and request.url.path == f"/api/v1/webhook_result/{REQUEST}":
        return [EMAIL]
    raise Refusal(400)


def named(record: JsonValue, **key: str) -> JsonValue:
    """The record of another key."""
    return {**record, **key} if isinstance(record, dict) and record else record


def companies(asked: list[tuple[str, JsonValue]]) -> JsonValue:
    ((key, record),) = asked
    return {"organization": named(record, primary_domain=key, website_url=f"http://www.{key}")}


def results(asked: list[tuple[str, JsonValue]]) -> JsonValue:
    return {"status": "success", "people": [named(record, email=key) for key, record in asked]}


def people(asked: list[tuple[str, JsonValue]]) -> JsonValue:
    filled = [named(record, email=key) for key, record in asked]
    if len(filled) == 1:
        return {"person": filled[0], "request_id": REQUEST}
    return {"status": "success", "credits_consumed": 1.5, "matches": [*reversed(filled)], "request_id": REQUEST}


COMPANY: dict[str, Any] = {
    "id": "o1",
    "name": "Northwind Traders",
    "primary_domain": DOMAIN,
    "linkedin_url": "http://www.linkedin.com/in/adacanary",
    "logo_url": "https://photo.example/canary",
    "phone": "+1 415 555 0100",
    "primary_phone": {"number": "+1 415 555 0100"},
    "raw_address": "Canary Street 1",
    "founded_year": 2011,
    "industry": "information technology & services",
    "estimated_num_employees": 240,
    "city": "Berlin",
    "country": "Germany",
    "short_description": "Trades worldwide. Write to canary@northwind.example or call +1 415 555 0100.",
    "technology_names": ["Salesforce", "PostgreSQL"],
    "total_funding": 12_000_000,
    "latest_funding_stage": "Series B",
    "annual_revenue": 55_000_000,
}
COMPANY_FACTS: Facts = {
    Signal.COMPANY_NAME: ("name", "Northwind Traders"),
    Signal.COMPANY_DOMAIN: ("primary_domain", DOMAIN),
    Signal.DESCRIPTION: ("short_description", "Trades worldwide. Write to [EMAIL] or call [PHONE]."),
    Signal.INDUSTRY: ("industry", "information technology & services"),
    Signal.HEADCOUNT: ("estimated_num_employees", 240),
    Signal.COUNTRY: ("country", "Germany"),
    Signal.CITY: ("city", "Berlin"),
    Signal.TECHNOLOGIES: ("technology_names", ["Salesforce", "PostgreSQL"]),
    Signal.FUNDING_TOTAL: ("total_funding", 12_000_000),
    Signal.FUNDING_STAGE: ("latest_funding_stage", "Series B"),
    Signal.REVENUE: ("annual_revenue", 55_000_000),
    Signal.FOUNDED_YEAR: ("founded_year", 2011),
}
PERSON: dict[str, Any] = {
    "id": "p1",
    "name": "Ada Canary",
    "email": EMAIL,
    "email_status": "verified",
    "photo_url": "https://photo.example/ada.png",
    "linkedin_url": "http://www.linkedin.com/in/adacanary",
    "headline": "VP Engineering, Ada Canary",
    "title": "VP Engineering",
    "seniority": "vp",
    "departments": ["engineering"],
    "contact": {"sanitized_phone": "+4930 5550 1234"},
}
ERRORS = {
    "rate_limited": fixed(429, {"message": "The maximum number of api calls allowed"}, **{"retry-after": "0"}),
    "quota": fixed(402, {"error": "no credits"}),
    "bad_key": text(401, "Invalid API key."),
}
WIRES = (
    Wire(
        vendor="apollo",
        lookup="company",
        make=make,
        keys=company_keys,
        body=companies,
        root=lambda _: "$.organization",
        record=COMPANY,
        facts=COMPANY_FACTS,
        broken=COMPANY | {"name": 7, "technology_names": "Slack", "annual_revenue": "1M", "founded_year": 1},
        refused={
            Signal.COMPANY_NAME: "wrong_type",
            Signal.TECHNOLOGIES: "wrong_type",
            Signal.REVENUE: "wrong_type",
            Signal.FOUNDED_YEAR: "out_of_range",
        },
        authorised=authorised,
        errors=ERRORS | {"not_found": fixed(200, {"organization": None})},
    ),
    Wire(
        vendor="apollo",
        lookup="person",
        make=make,
        keys=person_keys,
        body=people,
        root=lambda _: "$.person",
        record=PERSON,
        facts={
            Signal.TITLE: ("title", "VP Engineering"),
            Signal.SENIORITY: ("seniority", "vp"),
            Signal.DEPARTMENT: ("departments[0]", "engineering"),
            Signal.EMAIL_STATUS: ("email_status", "valid"),
        },
        broken=PERSON | {"title": ["VP"], "departments": "engineering"},
        refused={Signal.TITLE: "wrong_type", Signal.DEPARTMENT: "wrong_type"},
        authorised=authorised,
        errors=ERRORS | {"not_found": fixed(200, {"person": None})},
        largest=10,
        reads=False,
    ),
    Wire(
        vendor="apollo",
        lookup="email",
        make=make,
        keys=waterfall_keys,
        body=results,
        root=lambda _: "$.people[0]",
        record=PERSON,
        facts={Signal.EMAIL_STATUS: ("email_status", "valid")},
        broken={"email_status": 3},
        refused={Signal.EMAIL_STATUS: "wrong_type"},
        authorised=authorised,
        errors=ERRORS
        | {
            "not_found": fixed(200, {"people": []}),
            "pending": fixed(404, {"error_code": "result_pending", "retry_after_seconds": 7}),
        },
        handle=str(REQUEST),
        under_way=str(REQUEST),
        largest=10,
    ),
)
