"""Apollo's wire: companies and people, one or up to ten; a waterfall's result is there the second time it is polled."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Any, Final
from uuid import NAMESPACE_DNS, NAMESPACE_URL, uuid5

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from revenueflow.sandbox.directory import Directory, Facts, country_of, domain_of

MOST: Final = 10
MOST_REQUESTS: Final = 1000
Row = dict[str, Any]


def refuse(status: int, reason: str) -> Response:
    """401 is text; the others are JSON in several forms."""
    if status == 401:
        return PlainTextResponse("Invalid API key.", 401)
    if status == 403:
        return JSONResponse({"error": "This API key is not authorized.", "error_code": "API_INACCESSIBLE"}, 403)
    if status == 429 and reason != "quota":
        body = {"message": "The maximum number of api calls allowed is 600 times per hour."}
        return JSONResponse(body, 429, {"retry-after": "1"})
    return JSONResponse({"status": "failed", "error_code": "UNKNOWN_ERROR", "error_message": "It failed."}, status)


def app(directory: Directory) -> Starlette:
    """Serves organizations/enrich, bulk_enrich, people/match, bulk_match and webhook_result under /api/v1."""
    apollo = _Apollo(directory)
    table: dict[str, tuple[Callable[[Request], Awaitable[Response]], str]] = {
        "/api/v1/organizations/enrich": (apollo.company, "GET"),
        "/api/v1/organizations/bulk_enrich": (apollo.companies, "POST"),
        "/api/v1/people/match": (apollo.person, "POST"),
        "/api/v1/people/bulk_match": (apollo.people, "POST"),
        "/api/v1/webhook_result/{request}": (apollo.result, "GET"),
    }
    return Starlette(routes=[Route(path, _keyed(answer), methods=[method]) for path, (answer, method) in table.items()])


def _keyed(answer: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    async def serve(request: Request) -> Response:
        return await answer(request) if request.headers.get("x-api-key") else refuse(401, "key")

    return serve


class _Apollo:
    """What Apollo answers to each question."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._waterfalls: OrderedDict[int, list[Row]] = OrderedDict()
        self._polled: set[int] = set()

    async def company(self, request: Request) -> Response:
        domain = request.query_params.get("domain", "")
        if not domain:
            return JSONResponse({"error": "Required parameter 'domain' missing"}, 422)
        return JSONResponse({"organization": self._organization(domain)})

    async def companies(self, request: Request) -> Response:
        domains = _details(await request.body(), "domain") or request.query_params.getlist("domains[]")
        if fault := _fault(domains, "domains"):
            return fault
        known = [one for domain in dict.fromkeys(domains) if (one := self._organization(domain, bulk=True))]
        counts = {"total_requested_domains": len(domains), "missing_records": len(domains) - len(known)}
        return JSONResponse({"status": "success", "error_code": None, **counts, "organizations": known})

    async def person(self, request: Request) -> Response:
        email = request.query_params.get("email", "")
        if "@" not in email:
            return refuse(422, "input")
        return JSONResponse({"person": self._person(email), "request_id": _request_id(email)})

    async def people(self, request: Request) -> Response:
        body = await request.body()
        emails = _details(body, "email")
        if fault := _fault(emails, "details"):
            return fault
        matches = [self._person(email) for email in emails]
        number = _request_id(str(body))
        answer = {"status": "success", "total_requested_enrichments": len(emails), "request_id": number}
        if request.query_params.get("run_waterfall_email") != "true":
            missing = matches.count(None)
            counts = {"unique_enriched_records": len(emails) - missing, "missing_records": missing}
            return JSONResponse({**answer, **counts, "credits_consumed": len(emails) - missing, "matches": matches})
        if not request.query_params.get("webhook_url"):
            return refuse(400, "input")
        self._start(number, [one for one in matches if one])
        hidden = [one and {name: one[name] for name in one if not name.startswith("email")} for one in matches]
        return JSONResponse({**answer, "waterfall": {"status": "accepted"}, "matches": hidden})

    async def result(self, request: Request) -> Response:
        given = request.path_params["request"]
        if not given.removeprefix("-").isdigit():
            return JSONResponse({"error_code": "invalid_request_id"}, 400)
        number = int(given)
        if number not in self._waterfalls:
            return JSONResponse({"error_code": "request_id_unknown"}, 404)
        if number not in self._polled:
            self._polled.add(number)
            return JSONResponse({"error_code": "result_pending", "retry_after_seconds": 1}, 404)
        emails = [{"email": one["email"], "email_status": one["email_status"]} for one in self._waterfalls[number]]
        return JSONResponse({"status": "success", "people": [{"emails": [email]} for email in emails]})

    def _start(self, number: int, people: list[Row]) -> None:
        self._waterfalls[number] = people
        self._polled.discard(number)
        if len(self._waterfalls) > MOST_REQUESTS:
            self._polled.discard(self._waterfalls.popitem(last=False)[0])

    def _organization(self, domain: str, *, bulk: bool = False) -> Row | None:
        facts = self._directory.facts("apollo", domain)
        return facts and _organization(facts, bulk)

    def _person(self, email: str) -> Row | None:
        known = self._directory.person(email) if self._directory.facts("apollo", domain_of(email)) else None
        return known and _person(known)


def _request_id(about: str) -> int:
    """A signed 64-bit number."""
    return int.from_bytes(uuid5(NAMESPACE_URL, about).bytes[:8], "big", signed=True)


def _details(body: bytes, name: str) -> list[str]:
    try:
        return [one[name] for one in orjson.loads(body)["details"]]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return []


def _fault(keys: list[str], what: str) -> Response | None:
    if not keys:
        message, code = f"invalid request, missing {what}", "INVALID_REQUEST"
    elif len(keys) > MOST:
        message, code = f"cannot enrich more than {MOST} in a single request", "RECORD_LIMIT_EXCEEDED"
    else:
        return None
    return JSONResponse({"status": "failed", "error_code": code, "error_message": message}, 400)


def _organization(facts: Facts, bulk: bool) -> Row:
    _, country = country_of(facts.get("country"))
    more = {
        "technology_names": facts.get("technologies") or [],
        "total_funding": facts.get("funding_total"),
        "latest_funding_stage": facts.get("funding_stage"),
        "annual_revenue": facts.get("revenue"),
    }
    return {
        "id": uuid5(NAMESPACE_DNS, facts["domain"]).hex[:24],
        "name": facts["name"],
        "website_url": f"http://www.{facts['domain']}",
        "primary_domain": facts["domain"],
        "primary_phone": {},
        "phone": None,
        "industry": facts.get("industry"),
        "estimated_num_employees": facts.get("headcount"),
        "founded_year": facts.get("founded_year"),
        "city": facts.get("city"),
        "country": country,
        "short_description": facts.get("description"),
        **({} if bulk else more),
    }


def _person(person: Facts) -> Row:
    given, family = person["given_name"], person["family_name"]
    return {
        "id": uuid5(NAMESPACE_DNS, person["email"]).hex[:24],
        "first_name": given,
        "last_name": family,
        "name": f"{given} {family}",
        "linkedin_url": None,
        "title": person["title"],
        "email_status": "verified",
        "photo_url": None,
        "email": person["email"],
        "departments": [person["role"]],
        "seniority": person["level"],
    }
