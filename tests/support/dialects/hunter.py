"""Hunter's wire."""

from __future__ import annotations

from typing import Any

from revenueflow.domain.evidence import Signal
from revenueflow.enrichment.base import EnrichmentProvider
from revenueflow.enrichment.providers.hunter import Hunter
from tests.support.dialects.records import (
    BROKEN_COMPANY,
    BROKEN_PERSON,
    COMPANY,
    COMPANY_FACTS,
    PERSON,
    PERSON_FACTS,
    REFUSED_COMPANY,
    REFUSED_PERSON,
)
from tests.support.enrichment_dialects import EMAIL, KEY, TIMEOUT, Facts, Wire, parameter
from tests.support.vendor_server import Answerer, Seen, fixed


def _error(status: int, kind: str) -> Answerer:
    return fixed(status, {"errors": [{"id": kind, "code": status, "details": "no"}]})


def _make(url: str) -> EnrichmentProvider:
    return Hunter(KEY, base_url=url, timeout=TIMEOUT)


def _authorised(seen: Seen) -> bool:
    return seen.headers.get("x-api-key") == KEY and "api_key" not in seen.params


ERRORS = {
    "not_found": _error(404, "not_found"),
    "pending": fixed(202, {}),
    "rate_limited": _error(403, "too_many_requests"),
    "quota": _error(429, "too_many_requests"),
    "bad_key": _error(401, "authentication_failed"),
}
COUNTRY: Facts = {Signal.COUNTRY: ("geo.country", "Germany")}
VERIFIED: dict[str, Any] = {"status": "accept_all", "result": "risky", "email": EMAIL, "sources": ["Ada Canary"]}


def _wire(lookup: str, path: str, name: str, **more: Any) -> Wire:
    return Wire(
        vendor="hunter",
        lookup=lookup,
        make=_make,
        keys=parameter(path, name),
        body=lambda asked: {"data": asked[0][1]},
        root=lambda _: "$.data",
        authorised=_authorised,
        errors=ERRORS,
        **more,
    )


WIRES = (
    _wire(
        "company",
        "/v2/companies/find",
        "domain",
        record=COMPANY,
        facts=COMPANY_FACTS | COUNTRY,
        broken=BROKEN_COMPANY,
        refused=REFUSED_COMPANY,
    ),
    _wire(
        "person",
        "/v2/people/find",
        "email",
        record=PERSON,
        facts=PERSON_FACTS,
        broken=BROKEN_PERSON,
        refused=REFUSED_PERSON,
    ),
    _wire(
        "email",
        "/v2/email-verifier",
        "email",
        record=VERIFIED,
        facts={Signal.EMAIL_STATUS: ("status", "accept_all")},
        broken={"status": 3},
        refused={Signal.EMAIL_STATUS: "wrong_type"},
    ),
)
