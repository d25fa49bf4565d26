"""Clearbit, for accounts that still have a key: Combined by email, Company by domain.

GET {person}/v2/combined/find?email=     {"person": {…} | null, "company": {…} | null}
GET {company}/v2/companies/find?domain=  {…}
200 found, 202 looking it up (ask again later), 404 unknown, 401 key, 402 quota, 422 input, 429 rate.
"""

from __future__ import annotations

from revenueflow.domain.evidence import Signal, Trust
from revenueflow.enrichment.base import Findings, Status, Subject
from revenueflow.enrichment.mapping import (
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
from revenueflow.resilience.http import Client
from revenueflow.resilience.upstream import HttpUpstream

COMPANY = (
    field(Signal.COMPANY_NAME, text, "name", "legalName"),
    field(Signal.COMPANY_DOMAIN, text, "domain"),
    field(Signal.DESCRIPTION, prose, "description"),
    field(Signal.INDUSTRY, text, "category.industry", "category.industryGroup", "category.sector"),
    field(Signal.HEADCOUNT, count_or_range, "metrics.employees", "metrics.employeesRange"),
    field(Signal.COUNTRY, text, "geo.countryCode", "geo.country"),
    field(Signal.CITY, text, "geo.city"),
    field(Signal.TECHNOLOGIES, texts, "tech"),
    field(Signal.FUNDING_TOTAL, amount, "metrics.raised"),
    field(Signal.REVENUE, amount_or_range, "metrics.annualRevenue", "metrics.estimatedAnnualRevenue"),
    field(Signal.FOUNDED_YEAR, year, "foundedYear"),
)
PERSON = (
    field(Signal.TITLE, text, "employment.title"),
    field(Signal.SENIORITY, text, "employment.seniority"),
    field(Signal.DEPARTMENT, text, "employment.role"),
)
PENDING_SECONDS = 30.0


class Clearbit:
    """Clearbit's legacy enrichment API."""

    name = "clearbit"
    trust = Trust.VENDOR
    signals = frozenset(row.signal for row in COMPANY + PERSON)

    def __init__(
        self,
        api_key: str,
        *,
        base_url: str = "https://company.clearbit.com",
        person_base_url: str = "https://person.clearbit.com",
        timeout: float = 5.0,
        client: Client | None = None,
    ) -> None:
        """`timeout` is in seconds, for one try. Without `client`, each of the two addresses gets its own."""
        headers = {"authorization": f"Bearer {api_key}"}
        self._companies = HttpUpstream(self.name, base_url, headers=headers, timeout=timeout, client=client)
        self._combined = HttpUpstream(self.name, person_base_url, headers=headers, timeout=timeout, client=client)

    async def find(self, subject: Subject) -> Findings:
        """Person and company by email, else the company by domain."""
        if subject.email:
            return await self._by_email(subject.email)
        if subject.domain:
            return await self._by_domain(subject.domain)
        return Findings(status=Status.SKIPPED)

    async def aclose(self) -> None:
        """Closes the clients that are ours."""
        await self._companies.aclose()
        await self._combined.aclose()

    async def _by_email(self, email: str) -> Findings:
        answer = await self._combined.request(
            "GET", "/v2/combined/find", params={"email": email}, allow=(200, 202, 404)
        )
        parts = (Part("$.company", COMPANY), Part("$.person", PERSON))
        return findings(self.name, answer, parts, pending_seconds=PENDING_SECONDS)

    async def _by_domain(self, domain: str) -> Findings:
        answer = await self._companies.request(
            "GET", "/v2/companies/find", params={"domain": domain}, allow=(200, 202, 404)
        )
        return findings(self.name, answer, (Part("$", COMPANY),), pending_seconds=PENDING_SECONDS)
