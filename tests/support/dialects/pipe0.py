"""pipe0's wire."""

from __future__ import annotations

from typing import Any

from pydantic import JsonValue
from starlette.requests import Request

from revenueflow.domain.evidence import Signal
from revenueflow.enrichment.base import EnrichmentProvider
from revenueflow.enrichment.providers.pipe0 import JOBS, Pipe0, record_id
from tests.support.enrichment_dialects import DOMAIN, EMAIL, KEY, TIMEOUT, Facts, Refusal, Wire
from tests.support.vendor_server import Answerer, Seen, fixed

RUN = "run_1"


def make(url: str) -> EnrichmentProvider:
    return Pipe0(KEY, base_url=url, timeout=TIMEOUT, sync_timeout=TIMEOUT)


def authorised(seen: Seen) -> bool:
    return seen.headers.get("authorization") == f"Bearer {KEY}"


def cell(value: JsonValue, pipe: str, status: str = "completed") -> dict[str, JsonValue]:
    """One field of a record."""
    by: JsonValue = {"ref": pipe, "config_hash": "x"}
    return {"type": "json", "value": value, "status": status, "reason": None, "claimed_by": by, "resolved_by": by}


def answer(pipe: str, records: list[tuple[str, JsonValue]], status: str = "completed") -> dict[str, JsonValue]:
    """What a run comes to."""
    filled: dict[str, JsonValue] = {}
    for key, record in records:
        given = record if isinstance(record, dict) else {}
        fields: dict[str, JsonValue] = {name: cell(value, pipe) for name, value in given.items()}
        fields["input"] = cell(key, "input")
        if record is None:
            fields["nothing"] = cell(None, pipe, "no_result")
        filled[record_id(key)] = {"id": record_id(key), "fields": fields}
    order: list[JsonValue] = [*reversed(filled)]
    return {"id": RUN, "status": status, "errors": [], "order": order, "records": filled}


def error(status: int, kind: str, **headers: str) -> Answerer:
    return fixed(status, {"type": kind, "message": "no"}, **headers)


def _wire(lookup: str, pipes: list[str], record: dict[str, Any], facts: Facts, **more: Any) -> Wire:
    field, alone = ("email", EMAIL) if lookup == "posts" else ("company_website_url", DOMAIN)

    async def keys(request: Request) -> list[str]:
        if request.method == "GET" and request.url.path == f"/v1/pipes/check/{RUN}":
            return [alone]
        given = await request.json()
        if request.url.path != "/v1/pipes/run/sync" or [one["pipe_id"] for one in given["pipes"]] != pipes:
            raise Refusal(400)
        if len({one["id"] for one in given["input"]}) != len(given["input"]):
            raise Refusal(400)
        return [one[field].removeprefix("https://") for one in given["input"]]

    def body(asked: list[tuple[str, JsonValue]]) -> JsonValue:
        return answer(pipes[-1], asked)

    suffix = {Signal.FUNDING_STAGE: "[1].series"}
    return Wire(
        vendor="pipe0",
        lookup=lookup,
        make=make,
        keys=keys,
        body=body,
        root=lambda key: f"$.records.{record_id(key)}.fields",
        record=record,
        facts={signal: (f"{path}.value{suffix.get(signal, '')}", value) for signal, (path, value) in facts.items()},
        authorised=authorised,
        errors={
            "not_found": fixed(200, answer(pipes[-1], [(alone, None)])),
            "pending": fixed(200, {"id": RUN, "status": "processing", "errors": [], "records": {}}),
            "rate_limited": error(429, "org-rate-limited", **{"retry-after": "0"}),
            "quota": error(402, "payment-required"),
            "bad_key": error(401, "unauthorized"),
        },
        handle=RUN,
        largest=50,
        reads=False,
        **more,
    )


OVERVIEW: dict[str, Any] = {
    "company_name": "Northwind Traders",
    "company_description": "Trades worldwide. Write to canary@northwind.example or call +1 415 555 0100.",
    "company_industry": "Software",
    "company_region": "Berlin",
    "company_profile_url": "https://linkedin.com/in/adacanary",
    "headcount": 240,
    "estimated_revenue": "$10M-$50M",
    "founded_year": 2011,
    "logo": "https://photo.example/canary",
}
ROUNDS = [
    {"series": "Seed", "date": "2019-01-01", "investors": ["Ada Canary"]},
    {"series": "Series B", "date": "2024-05-01"},
]
POST = "Hiring now, see https://www.linkedin.com/in/adacanary or canary@northwind.example, +49 30 5550 1234"
CLEAN = "Hiring now, see [profile] or [EMAIL], [PHONE]"
WIRES = (
    _wire(
        "company",
        ["company:overview@2"],
        OVERVIEW,
        {
            Signal.COMPANY_NAME: ("company_name", "Northwind Traders"),
            Signal.DESCRIPTION: ("company_description", "Trades worldwide. Write to [EMAIL] or call [PHONE]."),
            Signal.INDUSTRY: ("company_industry", "Software"),
            Signal.HEADCOUNT: ("headcount", 240),
            Signal.REVENUE: ("estimated_revenue", "$10M-$50M"),
            Signal.FOUNDED_YEAR: ("founded_year", 2011),
        },
        broken=OVERVIEW | {"company_name": [1], "headcount": {"n": 1}, "founded_year": 99999},
        refused={
            Signal.COMPANY_NAME: "wrong_type",
            Signal.HEADCOUNT: "wrong_type",
            Signal.FOUNDED_YEAR: "out_of_range",
        },
    ),
    _wire(
        "technologies",
        ["company:techstack:builtwith@1"],
        {"tech_stack": ["Salesforce", {"name": "PostgreSQL", "owner": "Ada Canary"}]},
        {Signal.TECHNOLOGIES: ("tech_stack", ["Salesforce", "PostgreSQL"])},
        broken={"tech_stack": [1]},
        refused={Signal.TECHNOLOGIES: "wrong_type"},
    ),
    _wire(
        "funding",
        ["company:funding:leadmagic@1"],
        {"total_funding": 12_000_000, "funding_rounds": ROUNDS},
        {
            Signal.FUNDING_TOTAL: ("total_funding", 12_000_000),
            Signal.FUNDING_STAGE: ("funding_rounds", "Series B"),
        },
        broken={"total_funding": "much", "funding_rounds": 3},
        refused={Signal.FUNDING_TOTAL: "wrong_type", Signal.FUNDING_STAGE: "wrong_type"},
    ),
    _wire(
        "news",
        ["company:newssummary:website@1"],
        {"news_summary": f"Grows. {POST}"},
        {Signal.NEWS: ("news_summary", [f"Grows. {CLEAN}"])},
        broken={"news_summary": 3},
        refused={Signal.NEWS: "wrong_type"},
    ),
    _wire(
        "posts",
        ["people:profileurl:email:waterfall@1", "people:posts:crustdata@1"],
        {"posts": [{"text": POST, "actor": "Ada Canary"}, {"text": "x"}]},
        {Signal.POSTS: ("posts", [CLEAN, "x"])},
        broken={"posts": [{"text": 7}]},
        refused={Signal.POSTS: "wrong_type"},
    ),
    _wire(
        "jobs",
        [JOBS],
        {"job_postings": [{"title": "Data Engineer", "recruiter": "Ada Canary"}]},
        {Signal.JOB_POSTINGS: ("job_postings", ["Data Engineer"])},
        broken={"job_postings": [True]},
        refused={Signal.JOB_POSTINGS: "wrong_type"},
    ),
)
