"""ZoomInfo's wire: tokens for client credentials; companies and contacts, up to 25 in a JSON:API document."""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Callable
from hashlib import blake2b
from itertools import pairwise
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit
from uuid import NAMESPACE_DNS, uuid5

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from revenueflow.sandbox.directory import Directory, Facts, country_of, domain_of

MOST: Final = 25
MEDIA: Final = "application/vnd.api+json"
SECONDS: Final = 3600
STEPS: Final = (1, 10, 20, 50, 100, 250, 500, 1000, 5000, 10_000)
Row = dict[str, Any]


def refuse(status: int, reason: str) -> Response:
    """A JSON:API error."""
    error = {"id": "sandbox", "code": f"E{status}", "status": str(status), "title": "The request failed"}
    headers = {"retry-after": "1"} if status == 429 and reason != "quota" else {}
    return JSONResponse({"errors": [error]}, status, headers, MEDIA)


def app(directory: Directory) -> Starlette:
    """Serves the token endpoint, and companies/enrich and contacts/enrich under /gtm/data/v1."""

    def company(criterion: Row) -> Row | None:
        site = str(criterion.get("companyWebsite") or "")
        host = urlsplit(site if "://" in site else f"//{site}").hostname or ""
        facts = directory.facts("zoominfo", host)
        return facts and _company(facts)

    def contact(criterion: Row) -> Row | None:
        email = str(criterion.get("emailAddress") or "")
        person = directory.person(email) if directory.facts("zoominfo", domain_of(email)) else None
        return person and _contact(person)

    return Starlette(
        routes=[
            Route("/oauth2/default/v1/token", _token, methods=["POST"]),
            Route("/gtm/data/v1/companies/enrich", _enrich("Company", "matchCompanyInput", company), methods=["POST"]),
            Route("/gtm/data/v1/contacts/enrich", _enrich("Contact", "matchPersonInput", contact), methods=["POST"]),
        ]
    )


async def _token(request: Request) -> Response:
    """The same token for the same client."""
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    try:
        client, _, secret = b64decode(credentials).decode().partition(":")
    except (NotBase64, UnicodeDecodeError):
        client = secret = ""
    if scheme.lower() != "basic" or not client or not secret:
        return JSONResponse({"error": "invalid_client"}, 401)
    if parse_qs((await request.body()).decode()).get("grant_type") != ["client_credentials"]:
        return JSONResponse({"error": "unsupported_grant_type"}, 400)
    return JSONResponse({"access_token": _of_client(client), "token_type": "Bearer", "expires_in": SECONDS})


def _of_client(client: str) -> str:
    return f"sandbox-{blake2b(client.encode(), digest_size=12).hexdigest()}"


def _enrich(kind: str, inputs: str, find: Callable[[Row], Row | None]) -> Callable[[Request], Any]:
    async def serve(request: Request) -> Response:
        if not request.headers.get("authorization", "").startswith("Bearer sandbox-"):
            return refuse(401, "token")
        if request.headers.get("content-type") != MEDIA:
            return refuse(415, "media")
        try:
            data = orjson.loads(await request.body())["data"]
            asked, output = data["attributes"][inputs], set(data["attributes"]["outputFields"])
        except (orjson.JSONDecodeError, KeyError, TypeError):
            return refuse(400, "input")
        if data.get("type") != f"{kind}Enrich" or not 0 < len(asked) <= MOST or not output:
            return refuse(400, "input")
        told = [_record(kind, criterion, find(criterion), output) for criterion in asked]
        return JSONResponse({"data": told[::-1]}, media_type=MEDIA)

    return serve


def _record(kind: str, criterion: Row, found: Row | None, output: set[str]) -> Row:
    if found is None:
        return {"id": "0", "type": "NoMatch", "meta": {"input": criterion, "matchStatus": "NO_MATCH"}}
    number = uuid5(NAMESPACE_DNS, orjson.dumps(criterion).decode()).int % 10**9
    attributes = {name: value for name, value in found.items() if name in output and value not in (None, [])}
    meta = {"input": criterion, "matchStatus": "FULL_MATCH"}
    return {"id": str(number), "type": kind, "attributes": attributes, "meta": meta}


def _company(facts: Facts) -> Row:
    _, country = country_of(facts.get("country"))
    founded, stage = facts.get("founded_year"), facts.get("funding_stage")
    return {
        "name": facts["name"],
        "website": f"www.{facts['domain']}",
        "description": facts.get("description"),
        "primaryIndustry": [facts["industry"]] if facts.get("industry") else [],
        "employeeCount": facts.get("headcount"),
        "employeeRange": _range(facts.get("headcount")),
        "country": country,
        "city": facts.get("city"),
        "revenueRange": facts.get("revenue_range"),
        "companyFunding": [{"date": "2025-03-01", "type": stage}] if stage else [],
        "foundedYear": str(founded) if founded else None,
    }


def _range(count: int | None) -> str | None:
    if not count:
        return None
    bands = pairwise(STEPS)
    return next((f"{low:,} - {high:,}" for low, high in bands if count <= high), f"Over {STEPS[-1]:,}")


def _contact(person: Facts) -> Row:
    return {
        "firstName": person["given_name"],
        "lastName": person["family_name"],
        "email": person["email"],
        "jobTitle": person["title"],
        "managementLevel": [person["level"]],
        "jobFunction": {"name": person["role"], "department": person["role"]},
    }
