"""pipe0's wire: runs of pipes over records, at once or to be checked on."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit
from uuid import NAMESPACE_URL, uuid5

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from revenueflow.sandbox import views
from revenueflow.sandbox.directory import Directory, Facts, domain_of

MOST_SYNC: Final = 9
MOST_RECORDS: Final = 100
MOST_RUNS: Final = 1000
KINDS: Final = {400: "validation-error", 401: "unauthorized", 402: "payment-required", 404: "not-found"}
Cells = dict[str, Any]


class Pipe(NamedTuple):
    """What a pipe reads of a record, and what it makes of the company or person found by that."""

    reads: str
    gives: Callable[[Facts], Cells]


PIPES: Final = {
    "company:overview@2": Pipe(
        "company_website_url",
        lambda facts: {
            "company_name": facts["name"],
            "company_description": facts.get("description"),
            "company_industry": facts.get("industry"),
            "company_region": facts.get("city"),
            "headcount": facts.get("headcount"),
            "estimated_revenue": facts.get("revenue"),
            "founded_year": facts.get("founded_year"),
        },
    ),
    "company:techstack:builtwith@1": Pipe(
        "company_website_url",
        lambda facts: {"tech_stack": [{"name": name} for name in facts["technologies"]]},
    ),
    "company:funding:leadmagic@1": Pipe(
        "company_website_url",
        lambda facts: {
            "total_funding": facts.get("funding_total"),
            "funding_rounds": [{"series": stage}] if (stage := facts.get("funding_stage")) else None,
        },
    ),
    "company:newssummary:website@1": Pipe(
        "company_website_url", lambda facts: {"news_summary": " ".join(views.news(facts))}
    ),
    "company:jobs:crustdata@1": Pipe(
        "company_website_url", lambda facts: {"job_postings": [{"title": title} for title in views.jobs(facts)]}
    ),
    "people:profileurl:email:waterfall@1": Pipe(
        "email", lambda person: {"profile_url": f"https://linkedin.com/in/{person['family_name'].lower()}"}
    ),
    "people:posts:crustdata@1": Pipe(
        "email", lambda person: {"posts": [{"text": words} for words in views.posts(person)]}
    ),
}


def refuse(status: int, reason: str) -> Response:
    """`{"type", "message"}`; a rate limit says when to come back."""
    limited = status == 429 and reason != "quota"
    kind = "org-rate-limited" if limited else KINDS.get(status, "internal-error")
    headers = {"retry-after": "1"} if limited else {}
    return JSONResponse({"type": kind, "message": f"The request failed: {kind}."}, status, headers)


def app(directory: Directory) -> Starlette:
    """Serves /v1/pipes/run, run/sync and check/{id}. A run is under way the first time it is checked."""
    runs: OrderedDict[str, dict[str, Any]] = OrderedDict()
    checked: set[str] = set()

    async def run(request: Request) -> Response:
        if not _key(request):
            return refuse(401, "key")
        sync = request.url.path.endswith("/sync")
        body = await request.body()
        if fault := _fault(body, MOST_SYNC if sync else MOST_RECORDS):
            return JSONResponse({"status": "failed", "errors": [fault]}, 400)
        done = _done(directory, orjson.loads(body), str(uuid5(NAMESPACE_URL, f"pipe0/{body.decode()}")))
        if sync:
            return JSONResponse(done)
        runs[done["id"]] = done
        checked.discard(done["id"])
        if len(runs) > MOST_RUNS:
            checked.discard(runs.popitem(last=False)[0])
        return JSONResponse(done | {"status": "pending", "records": {}})

    async def check(request: Request) -> Response:
        known = runs.get(request.path_params["run"])
        if not _key(request):
            return refuse(401, "key")
        if known is None:
            return refuse(404, "unknown")
        if known["id"] in checked:
            return JSONResponse(known)
        checked.add(known["id"])
        return JSONResponse(known | {"status": "processing", "records": {}})

    return Starlette(
        routes=[
            Route("/v1/pipes/run", run, methods=["POST"]),
            Route("/v1/pipes/run/sync", run, methods=["POST"]),
            Route("/v1/pipes/check/{run}", check),
        ]
    )


def _key(request: Request) -> str:
    return request.headers.get("authorization", "").removeprefix("Bearer ")


def _fault(body: bytes, most: int) -> dict[str, str] | None:
    """What is wrong with a request, as one of the errors of an answer."""
    try:
        given = orjson.loads(body)
        pipes = [pipe["pipe_id"] for pipe in given["pipes"]]
        ids = [record["id"] for record in given["input"]]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return _error("ValidationError", "Invalid payload.", "")
    unknown = next((place for place, pipe in enumerate(pipes) if pipe not in PIPES), None)
    if unknown is not None:
        return _error("UnknownPipe", "Unknown pipe.", f"pipes.{unknown}.pipe_id")
    if not 0 < len(ids) <= most or len(set(ids)) < len(ids):
        return _error("ValidationError", f"Takes 1 to {most} records with ids of their own.", "input")
    return None


def _error(code: str, message: str, path: str) -> dict[str, str]:
    return {"code": code, "message": message, "path": path}


def _done(directory: Directory, given: dict[str, Any], run: str) -> dict[str, Any]:
    pipes = [pipe["pipe_id"] for pipe in given["pipes"]]
    return {
        "id": run,
        "organization_id": "org-1",
        "status": "completed",
        "errors": [],
        "field_definitions": {},
        "order": [record["id"] for record in given["input"]],
        "records": {str(record["id"]): _record(directory, record, pipes) for record in given["input"]},
    }


def _record(directory: Directory, record: dict[str, Any], pipes: list[str]) -> dict[str, Any]:
    fields = {name: _cell(value, "input") for name, value in record.items()}
    for name in pipes:
        fields |= {field: _cell(value, name) for field, value in _outputs(directory, record, PIPES[name]).items()}
    return {"id": record["id"], "fields": fields}


def _outputs(directory: Directory, record: dict[str, Any], pipe: Pipe) -> Cells:
    asked = str(record.get(pipe.reads) or "")
    if pipe.reads == "email":
        known = directory.person(asked) if directory.facts("pipe0", domain_of(asked)) else None
    else:
        known = directory.facts("pipe0", urlsplit(asked if "://" in asked else f"//{asked}").hostname or "")
    return pipe.gives(known) if known else {"result": None}


def _cell(value: Any, ref: str) -> dict[str, Any]:
    missing = value in (None, [], "")
    return {
        "type": "json" if isinstance(value, list) else "number" if isinstance(value, int) else "string",
        "value": None if missing else value,
        "format": None,
        "status": "no_result" if missing else "completed",
        "reason": {"code": "NoResult", "summary": "No result", "message": "Nothing was found."} if missing else None,
        "widgets": {},
        "claimed_by": {"ref": ref, "config_hash": None},
        "resolved_by": {"ref": ref, "config_hash": None, "input_hash": None, "environment": "production"},
    }
