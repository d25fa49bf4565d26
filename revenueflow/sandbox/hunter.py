"""Hunter's wire: combined, companies, people and the email verifier. 403 is its rate limit, 429 its quota."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final
from uuid import NAMESPACE_DNS, uuid5

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from revenueflow.sandbox.directory import Directory, Facts, country_of, domain_of

KINDS: Final = {
    400: ("wrong_params", "A parameter is missing or not valid."),
    401: ("authentication_failed", "No user found for the API key supplied."),
    403: ("too_many_requests", "You have reached the rate limit."),
    404: ("not_found", "We could not find this record."),
    422: ("invalid_request", "The request can not be processed."),
    429: ("too_many_requests", "You have reached the limit of requests of your plan."),
    451: ("claimed_email", "The owner of this address asked us not to process it."),
}


def refuse(status: int, reason: str) -> Response:  # noqa: ARG001
    """`{"errors": [{"id", "code", "details"}]}`; 202 and 222 mean "ask again" and carry nothing."""
    if status < 300:
        return JSONResponse({}, status)
    kind, details = KINDS.get(status, ("server_error", "An error occurred on our side."))
    return JSONResponse({"errors": [{"id": kind, "code": status, "details": details}]}, status)


def app(directory: Directory) -> Starlette:
    """Serves /v2/combined/find, companies/find, people/find and email-verifier."""
    hunter = _Hunter(directory)
    table: dict[str, tuple[Callable[[str], Response], str, str]] = {
        "/v2/combined/find": (hunter.combined, "email", "@"),
        "/v2/companies/find": (hunter.company, "domain", "."),
        "/v2/people/find": (hunter.person, "email", "@"),
        "/v2/email-verifier": (hunter.verifier, "email", "@"),
    }

    async def serve(request: Request) -> Response:
        answer, name, mark = table[request.url.path]
        value = request.query_params.get(name, "")
        if not _key(request):
            return refuse(401, "key")
        return answer(value) if mark in value else refuse(400, "input")

    return Starlette(routes=[Route(path, serve) for path in table])


class _Hunter:
    """What Hunter answers to each question."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    def combined(self, email: str) -> Response:
        company = self._directory.facts("hunter", domain_of(email))
        person = self._directory.person(email)
        if company is None and person is None:
            return refuse(404, "unknown")
        found = {"person": person and _person(email, person), "company": company and _company(company)}
        return _data(found, email=email)

    def company(self, domain: str) -> Response:
        facts = self._directory.facts("hunter", domain)
        return refuse(404, "unknown") if facts is None else _data(_company(facts), domain=domain)

    def person(self, email: str) -> Response:
        person = self._directory.person(email)
        return refuse(404, "unknown") if person is None else _data(_person(email, person), email=email)

    def verifier(self, email: str) -> Response:
        return _data(_verified(email, self._directory), email=email)


def _data(data: dict[str, Any], **params: str) -> Response:
    return JSONResponse({"data": data, "meta": {"params": params}})


def _key(request: Request) -> str:
    bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
    return request.headers.get("x-api-key") or request.query_params.get("api_key") or bearer


def _company(facts: Facts) -> dict[str, Any]:
    _, country = country_of(facts.get("country"))
    return {
        "id": str(uuid5(NAMESPACE_DNS, f"hunter.{facts['domain']}")),
        "name": facts["name"],
        "legalName": None,
        "domain": facts["domain"],
        "domainAliases": [],
        "site": {"phoneNumbers": [], "emailAddresses": []},
        "category": {"sector": None, "industryGroup": None, "industry": facts.get("industry")},
        "tags": [],
        "description": facts.get("description"),
        "foundedYear": facts.get("founded_year"),
        "location": ", ".join(filter(None, (facts.get("city"), country))) or None,
        "geo": {"city": facts.get("city"), "state": None, "country": country},
        "type": "private",
        "metrics": _metrics(facts),
        "tech": facts.get("technologies") or [],
        "techCategories": [],
        "fundingRounds": _rounds(facts),
    }


def _metrics(facts: Facts) -> dict[str, Any]:
    return {
        "employees": facts.get("headcount"),
        "employeesRange": facts.get("headcount_range"),
        "marketCap": None,
        "raised": facts.get("funding_total"),
        "annualRevenue": facts.get("revenue"),
    }


def _rounds(facts: Facts) -> list[dict[str, Any]]:
    """One round: the vendor's facts name the latest stage only, and the sum of all."""
    stage = facts.get("funding_stage")
    last = {"amount": None, "currency": "USD", "series": stage, "announcedDate": "2025-03-01"}
    return [last] if stage else []


def _person(email: str, person: Facts) -> dict[str, Any]:
    given, family = person.get("given_name"), person.get("family_name")
    employment = {"title": person.get("title"), "role": person.get("role"), "seniority": person.get("level")}
    return {
        "id": str(uuid5(NAMESPACE_DNS, f"hunter.{email}")),
        "name": {"fullName": f"{given} {family}", "givenName": given, "familyName": family},
        "email": email,
        "employment": {"domain": domain_of(email), "name": None, **employment},
        "phone": None,
    }


def _verified(email: str, directory: Directory) -> dict[str, Any]:
    """Valid at companies that anyone knows, unknown elsewhere."""
    known = any(directory.facts(vendor, domain_of(email)) for vendor in ("truth", "hunter", "clearbit"))
    return {
        "status": "valid" if known else "unknown",
        "result": "deliverable" if known else "risky",
        "score": 95 if known else 30,
        "email": email,
        "regexp": True,
        "gibberish": False,
        "disposable": False,
        "webmail": False,
        "mx_records": known,
        "smtp_server": known,
        "smtp_check": known,
        "accept_all": False,
        "block": False,
        "sources": [],
    }
