"""Hunter: combined enrichment by email, company enrichment by domain.

GET {base}/v2/combined/find?email=    {"data": {"person": {…}, "company": {…}}}
GET {base}/v2/companies/find?domain=  {"data": {…}}
Its status codes have meanings of their own: 403 rate limit, 429 quota used up, 451 the person asked not to be
processed, 202 still looking, 222 their check failed at the far end.
"""

from __future__ import annotations

from pydantic import JsonValue

from revenueflow.domain.evidence import Signal, Trust
from revenueflow.enrichment.base import Findings, Status, Subject
from revenueflow.enrichment.mapping import (
    At,
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
from revenueflow.enrichment.providers.answers import Part, findings
from revenueflow.errors import UpstreamRejected, UpstreamUnavailable
from revenueflow.resilience.http import Client
from revenueflow.resilience.upstream import Answer, HttpUpstream, Meaning


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
MEANINGS = {
    222: Meaning(UpstreamUnavailable, "far_end_failed"),
    403: Meaning(UpstreamUnavailable, "rate_limited"),
    429: Meaning(UpstreamRejected, "quota"),
}
PENDING_SECONDS = 30.0


class Hunter:
    """Hunter's enrichment API, version 2."""

    name = "hunter"
    trust = Trust.VENDOR
    signals = frozenset(row.signal for row in COMPANY + PERSON)

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

    async def find(self, subject: Subject) -> Findings:
        """Person and company by email; where that is unknown or claimed (404, 451), the company by domain."""
        if subject.email:
            answer = await self._get("/v2/combined/find", {"email": subject.email})
            if answer.status not in (404, 451):
                parts = (Part("$.data.company", COMPANY), Part("$.data.person", PERSON))
                return findings(self.name, answer, parts, pending_seconds=PENDING_SECONDS)
        if subject.domain:
            answer = await self._get("/v2/companies/find", {"domain": subject.domain})
            return findings(self.name, answer, (Part("$.data", COMPANY),), pending_seconds=PENDING_SECONDS)
        return Findings(status=Status.NOT_FOUND if subject.email else Status.SKIPPED)

    async def aclose(self) -> None:
        """Closes the client, if it is ours."""
        await self._upstream.aclose()

    async def _get(self, path: str, params: dict[str, str]) -> Answer:
        return await self._upstream.request("GET", path, params=params, allow=(200, 202, 404, 451))
