"""Clearbit's wire."""

from __future__ import annotations

from revenueflow.domain.evidence import Signal
from revenueflow.enrichment.base import EnrichmentProvider
from revenueflow.enrichment.providers.clearbit import Clearbit
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
from tests.support.enrichment_dialects import KEY, TIMEOUT, Facts, Wire, parameter
from tests.support.vendor_server import Answerer, Seen, fixed


def _error(status: int, kind: str, **headers: str) -> Answerer:
    return fixed(status, {"error": {"type": kind, "message": "no"}}, **headers)


def _make(url: str) -> EnrichmentProvider:
    return Clearbit(KEY, base_url=url, person_base_url=url, timeout=TIMEOUT)


def _authorised(seen: Seen) -> bool:
    return seen.headers.get("authorization") == f"Bearer {KEY}"


ERRORS = {
    "not_found": _error(404, "unknown_record"),
    "pending": _error(202, "queued"),
    "rate_limited": _error(429, "rate_limit", **{"retry-after": "0"}),
    "quota": _error(402, "over_limit"),
    "bad_key": _error(401, "auth_invalid"),
}
COUNTRY: Facts = {Signal.COUNTRY: ("geo.countryCode", "DE")}
WIRES = (
    Wire(
        vendor="clearbit",
        lookup="company",
        make=_make,
        keys=parameter("/v2/companies/find", "domain"),
        body=lambda asked: asked[0][1],
        root=lambda _: "$",
        record=COMPANY,
        facts=COMPANY_FACTS | COUNTRY,
        broken=BROKEN_COMPANY,
        refused=REFUSED_COMPANY,
        authorised=_authorised,
        errors=ERRORS,
    ),
    Wire(
        vendor="clearbit",
        lookup="person",
        make=_make,
        keys=parameter("/v2/people/find", "email"),
        body=lambda asked: asked[0][1],
        root=lambda _: "$",
        record=PERSON,
        facts=PERSON_FACTS,
        broken=BROKEN_PERSON,
        refused=REFUSED_PERSON,
        authorised=_authorised,
        errors=ERRORS,
    ),
)
