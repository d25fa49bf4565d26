"""How each enrichment vendor words each case on the wire, and what the case should come to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

from pydantic import JsonValue
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from revenueflow.domain.evidence import Signal
from revenueflow.enrichment.base import EnrichmentProvider
from revenueflow.enrichment.providers.clearbit import Clearbit
from revenueflow.enrichment.providers.hunter import Hunter
from tests.support.vendor_server import Answerer, Seen, VendorServer, fixed

KEY = "vendor-key-canary"
EMAIL = "ada+crm@northwind.example"
DOMAIN = "northwind.example"
TIMEOUT = 0.5
"""Seconds for one try: long enough for loopback, short enough for the time-out case."""

PERSON: dict[str, Any] = {
    "id": "p1",
    "name": {"fullName": "Ada Canary", "givenName": "Ada", "familyName": "Canary"},
    "email": EMAIL,
    "phone": "+49 30 5550 1234",
    "linkedin": {"handle": "in/adacanary"},
    "employment": {
        "name": "Northwind",
        "title": "VP Engineering",
        "role": "engineering",
        "seniority": "executive",
    },
}
COMPANY: dict[str, Any] = {
    "id": "c1",
    "name": "Northwind Traders",
    "domain": DOMAIN,
    "site": {"phoneNumbers": ["+1 415 555 0100"], "emailAddresses": ["canary@northwind.example"]},
    "category": {"sector": "Information Technology", "industry": "Internet Software & Services"},
    "description": "Trades worldwide. Write to canary@northwind.example or call +1 415 555 0100.",
    "foundedYear": 2011,
    "geo": {"city": "Berlin", "country": "Germany", "countryCode": "DE"},
    "tech": ["salesforce", "postgresql"],
    "phone": "+1 415 555 0100",
    "metrics": {"employees": 240, "employeesRange": "51-250", "raised": 12_000_000, "annualRevenue": None},
}
COMPANY_FACTS: dict[Signal, tuple[str, JsonValue]] = {
    Signal.COMPANY_NAME: ("name", "Northwind Traders"),
    Signal.COMPANY_DOMAIN: ("domain", DOMAIN),
    Signal.DESCRIPTION: ("description", "Trades worldwide. Write to [email] or call [phone]."),
    Signal.INDUSTRY: ("category.industry", "Internet Software & Services"),
    Signal.HEADCOUNT: ("metrics.employees", 240),
    Signal.CITY: ("geo.city", "Berlin"),
    Signal.TECHNOLOGIES: ("tech", ["salesforce", "postgresql"]),
    Signal.FUNDING_TOTAL: ("metrics.raised", 12_000_000),
    Signal.FOUNDED_YEAR: ("foundedYear", 2011),
}
PERSON_FACTS: dict[Signal, tuple[str, JsonValue]] = {
    Signal.TITLE: ("employment.title", "VP Engineering"),
    Signal.SENIORITY: ("employment.seniority", "executive"),
    Signal.DEPARTMENT: ("employment.role", "engineering"),
}
PERSONAL = ("Ada", "Canary", "canary", "5550", "555 0100", "@")


@dataclass(frozen=True)
class Dialect:
    """One vendor. `cases` has an Answerer for each case that is worded in a way of its own."""

    name: str
    make: Callable[[str], EnrichmentProvider]
    wrap: Callable[[JsonValue, JsonValue], JsonValue]
    company_root: str
    person_root: str
    lone_company_root: str
    authorised: Callable[[Seen], bool]
    cases: dict[str, Answerer]
    more_facts: dict[Signal, tuple[str, JsonValue]] = field(default_factory=dict)

    def found(self, company: JsonValue, person: JsonValue = None) -> Answerer:
        """Answers both questions from one company and one person."""

        async def answer(request: Request) -> Response:
            if request.query_params.get("email") == EMAIL:
                return JSONResponse(self.wrap(company, person))
            if request.query_params.get("domain") == DOMAIN:
                return JSONResponse(company if self.lone_company_root == "$" else {"data": company})
            return JSONResponse({}, status_code=400)

        return answer


async def never(_: Request) -> Response:
    """Longer than any time-out."""
    await asyncio.sleep(30)
    return Response()


async def malformed(_: Request) -> Response:
    """A 200 that breaks off in the middle of its JSON."""
    return Response(b'{"company": {"name": "North', media_type="application/json")


async def not_an_object(_: Request) -> Response:
    """A 200 that is JSON, but nothing that we know."""
    return JSONResponse(["Northwind"])


async def huge(_: Request) -> Response:
    """A body without an end."""

    async def body() -> AsyncIterator[bytes]:
        while True:
            yield b" " * 65536
            await asyncio.sleep(0)

    return StreamingResponse(body(), media_type="application/json")


def once_then(first: Answerer, server: VendorServer, then: Answerer) -> Answerer:
    """`first` for one request, `then` for those after it."""

    async def answer(request: Request) -> Response:
        server.answer = then
        return await first(request)

    return answer


def _clearbit_error(status: int, kind: str, **headers: str) -> Answerer:
    return fixed(status, {"error": {"type": kind, "message": "no"}}, **headers)


def _hunter_error(status: int, kind: str) -> Answerer:
    return fixed(status, {"errors": [{"id": kind, "code": status, "details": "no"}]})


CLEARBIT = Dialect(
    name="clearbit",
    make=lambda url: Clearbit(KEY, base_url=url, person_base_url=url, timeout=TIMEOUT),
    wrap=lambda company, person: {"person": person, "company": company},
    company_root="$.company",
    person_root="$.person",
    lone_company_root="$",
    authorised=lambda seen: seen.headers.get("authorization") == f"Bearer {KEY}",
    cases={
        "not_found": _clearbit_error(404, "unknown_record"),
        "pending": _clearbit_error(202, "queued"),
        "rate_limited": _clearbit_error(429, "rate_limit", **{"retry-after": "0"}),
        "quota": _clearbit_error(402, "over_limit"),
        "bad_key": _clearbit_error(401, "auth_invalid"),
    },
    more_facts={Signal.COUNTRY: ("geo.countryCode", "DE")},
)
HUNTER = Dialect(
    name="hunter",
    make=lambda url: Hunter(KEY, base_url=url, timeout=TIMEOUT),
    wrap=lambda company, person: {"data": {"person": person, "company": company}},
    company_root="$.data.company",
    person_root="$.data.person",
    lone_company_root="$.data",
    authorised=lambda seen: seen.headers.get("x-api-key") == KEY and "api_key" not in seen.params,
    cases={
        "not_found": _hunter_error(404, "not_found"),
        "pending": fixed(202, {}),
        "rate_limited": _hunter_error(403, "too_many_requests"),
        "quota": _hunter_error(429, "too_many_requests"),
        "bad_key": _hunter_error(401, "authentication_failed"),
    },
    more_facts={Signal.COUNTRY: ("geo.country", "Germany")},
)
DIALECTS = (CLEARBIT, HUNTER)
