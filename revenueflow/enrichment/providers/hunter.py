"""Hunter: a company by its domain, a person by email, and whether mail to an address arrives.

GET {base}/v2/companies/find?domain=  {"data": {…}}
GET {base}/v2/people/find?email=      {"data": {…}}
GET {base}/v2/email-verifier?email=   {"data": {"status": "valid"|"invalid"|"accept_all"|…}}
Its status codes have meanings of their own: 403 rate limit, 429 quota used up, 451 the person asked not to be
processed, 202 still looking, 222 their check failed at the far end.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from pydantic import JsonValue

from revenueflow.domain.evidence import Signal, Trust
from revenueflow.enrichment.base import Findings, KeyKind, Lookup, Question
from revenueflow.enrichment.mapping import (
    At,
    Field,
    Unfit,
    amount,
    amount_or_range,
    count_or_range,
    field,
    prose,
    text,
    texts,
    year,
)
from revenueflow.enrichment.providers.answers import Part, findings, signals
from revenueflow.errors import UpstreamRejected, UpstreamUnavailable
from revenueflow.resilience.http import Client
from revenueflow.resilience.upstream import HttpUpstream, Meaning


def latest_series(rounds: JsonValue) -> At | None:
    """The series of the round that was announced last; of the first in the list where dates don't tell."""
    if not isinstance(rounds, list):
        raise Unfit("wrong_type")
    named = [(place, item) for place, item in enumerate(rounds) if isinstance(item, dict) and item.get("series")]
    if not named:
        return None
    place, item = max(named, key=lambda entry: str(entry[1].get("announcedDate") or ""))
    return At(f"[{place}].series", text(item["series"]))


COMPANY = (
    field(Signal.COMPANY_NAME, text, "name", "legalName"),
    field(Signal.COMPANY_DOMAIN, text, "domain"),
    field(Signal.DESCRIPTION, prose, "description"),
    field(Signal.INDUSTRY, text, "category.industry", "category.industryGroup", "category.sector"),
    field(Signal.HEADCOUNT, count_or_range, "metrics.employees", "metrics.employeesRange"),
    field(Signal.COUNTRY, text, "geo.country"),
    field(Signal.CITY, text, "geo.city"),
    field(Signal.TECHNOLOGIES, texts, "tech"),
    field(Signal.FUNDING_TOTAL, amount, "metrics.raised"),
    field(Signal.FUNDING_STAGE, latest_series, "fundingRounds"),
    field(Signal.REVENUE, amount_or_range, "metrics.annualRevenue"),
    field(Signal.FOUNDED_YEAR, year, "foundedYear"),
)
PERSON = (
    field(Signal.TITLE, text, "employment.title"),
    field(Signal.SENIORITY, text, "employment.seniority"),
    field(Signal.DEPARTMENT, text, "employment.role"),
)
EMAIL = (field(Signal.EMAIL_STATUS, text, "status"),)
MEANINGS = {
    222: Meaning(UpstreamUnavailable, "far_end_failed"),
    403: Meaning(UpstreamUnavailable, "rate_limited"),
    429: Meaning(UpstreamRejected, "quota"),
}


class _Call(NamedTuple):
    path: str
    parameter: str
    fields: tuple[Field, ...]


_CALLS = {
    "company": _Call("/v2/companies/find", "domain", COMPANY),
    "person": _Call("/v2/people/find", "email", PERSON),
    "email": _Call("/v2/email-verifier", "email", EMAIL),
}


class Hunter:
    """Hunter's enrichment API, version 2."""

    name = "hunter"
    trust = Trust.VENDOR
    lookups = tuple(Lookup(name, KeyKind(call.parameter), signals(call.fields)) for name, call in _CALLS.items())

    def __init__(
        self,
        api_key: str,
        *,
        base_url: str = "https://api.hunter.io",
        timeout: float = 5.0,
        client: Client | None = None,
    ) -> None:
        """`timeout` is in seconds, for one try. The key travels in a header, never in a URL."""
        headers = {"x-api-key": api_key}
        self._upstream = HttpUpstream(
            self.name, base_url, headers=headers, timeout=timeout, client=client, meanings=MEANINGS
        )

    async def look_up(self, lookup: Lookup, questions: Sequence[Question]) -> Sequence[Findings]:
        """One call each. A person who has asked Hunter not to be processed (451) is not found."""
        return [await self._ask(_CALLS[lookup.name], question.key) for question in questions]

    async def aclose(self) -> None:
        """Closes the client, if it is ours."""
        await self._upstream.aclose()

    async def _ask(self, call: _Call, key: str) -> Findings:
        answer = await self._upstream.request(
            "GET", call.path, params={call.parameter: key}, allow=(200, 202, 404, 451)
        )
        return findings(self.name, answer, Part("$.data", call.fields))
