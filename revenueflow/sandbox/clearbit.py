"""Clearbit's wire: combined and person by email, company by domain, all on one port."""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as NotBase64
from typing import Any, Final
from uuid import NAMESPACE_DNS, uuid5

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from revenueflow.sandbox.directory import Directory, Facts, country_of, domain_of

KINDS: Final = {
    202: "queued",
    400: "bad_request",
    401: "auth_invalid",
    402: "over_limit",
    403: "forbidden",
    404: "unknown_record",
    422: "params_invalid",
    429: "rate_limit",
}
MESSAGES: Final = {
    202: "Your request is being processed. Please try again later.",
    401: "Invalid API key provided.",
    402: "You have used up your quota. Please upgrade your account.",
    404: "Unknown record.",
    422: "A required parameter is missing or not valid.",
    429: "Too many requests.",
}


def refuse(status: int, reason: str) -> Response:
    """`{"error": {"type", "message"}}`; 202 is Clearbit's "later"."""
    error = {"type": KINDS.get(status, "api_error"), "message": MESSAGES.get(status, "Internal error.")}
    headers = {"retry-after": "1"} if status == 429 and reason != "quota" else {}
    return JSONResponse({"error": error}, status, headers)


def app(directory: Directory) -> Starlette:
    """Serves /v2/combined/find, /v2/people/find and /v2/companies/find."""

    async def combined(request: Request) -> Response:
        email = request.query_params.get("email", "")
        if not _key(request):
            return refuse(401, "key")
        if "@" not in email:
            return refuse(422, "input")
        company, person = directory.facts("clearbit", domain_of(email)), directory.person(email)
        if company is None and person is None:
            return refuse(404, "unknown")
        return JSONResponse({"person": person and _person(email, person), "company": company and _company(company)})

    async def people(request: Request) -> Response:
        email = request.query_params.get("email", "")
        if not _key(request):
            return refuse(401, "key")
        if "@" not in email:
            return refuse(422, "input")
        person = directory.person(email)
        return refuse(404, "unknown") if person is None else JSONResponse(_person(email, person))

    async def companies(request: Request) -> Response:
        domain = request.query_params.get("domain", "")
        if not _key(request):
            return refuse(401, "key")
        if "." not in domain:
            return refuse(422, "input")
        company = directory.facts("clearbit", domain)
        return refuse(404, "unknown") if company is None else JSONResponse(_company(company))

    table = {"/v2/combined/find": combined, "/v2/people/find": people, "/v2/companies/find": companies}
    return Starlette(routes=[Route(path, answer) for path, answer in table.items()])


def _key(request: Request) -> str:
    """The key, from a bearer token or as the user of Basic authentication."""
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    if scheme.casefold() == "bearer":
        return credentials.strip()
    if scheme.casefold() != "basic":
        return ""
    try:
        return b64decode(credentials).decode().partition(":")[0]
    except (NotBase64, UnicodeDecodeError):
        return ""


def _company(facts: Facts) -> dict[str, Any]:
    code, country = country_of(facts.get("country"))
    return {
        "id": str(uuid5(NAMESPACE_DNS, facts["domain"])),
        "name": facts["name"],
        "legalName": None,
        "domain": facts["domain"],
        "domainAliases": [],
        "site": {"phoneNumbers": [], "emailAddresses": []},
        "category": {
            "sector": None, "industryGroup": None, "industry": facts.get("industry"), "subIndustry": None,
        },
        "tags": [],
        "description": facts.get("description"),
        "foundedYear": facts.get("founded_year"),
        "location": ", ".join(filter(None, (facts.get("city"), country))) or None,
        "geo": {"city": facts.get("city"), "state": None, "country": country, "countryCode": code},
        "type": "private",
        "metrics": _metrics(facts),
        "tech": facts.get("technologies") or [],
        "emailProvider": False,
        "indexedAt": "2026-10-01T00:00:00.000Z",
    }  # fmt: skip


def _metrics(facts: Facts) -> dict[str, Any]:
    return {
        "alexaGlobalRank": None,
        "employees": facts.get("headcount"),
        "employeesRange": facts.get("headcount_range"),
        "marketCap": None,
        "raised": facts.get("funding_total"),
        "annualRevenue": facts.get("revenue"),
        "estimatedAnnualRevenue": facts.get("revenue_range"),
    }


def _person(email: str, person: Facts) -> dict[str, Any]:
    given, family = person.get("given_name"), person.get("family_name")
    return {
        "id": str(uuid5(NAMESPACE_DNS, email)),
        "name": {"fullName": f"{given} {family}", "givenName": given, "familyName": family},
        "email": email,
        "location": None,
        "employment": {
            "domain": domain_of(email),
            "name": None,
            "title": person.get("title"),
            "role": person.get("role"),
            "subRole": None,
            "seniority": person.get("level"),
        },
        "emailProvider": False,
        "fuzzy": False,
    }
