"""Clearbit, for accounts that still have a key: a company by its domain, a person by email.

GET {company}/v2/companies/find?domain=  {…}
GET {person}/v2/people/find?email=       {…}
200 found, 202 looking it up (ask again later), 404 unknown, 401 key, 402 quota, 422 input, 429 rate.
Not the combined call: it would pay for the company again with each of its people.
"""

from __future__ import annotations

from collections.abc import Sequence

from revenueflow.domain.evidence import Signal, Trust
from revenueflow.enrichment.base import Findings, KeyKind, Lookup, Question
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
from revenueflow.enrichment.providers.answers import Part, findings, signals
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


class Clearbit:
    """Clearbit's legacy enrichment API."""

    name = "clearbit"
    trust = Trust.VENDOR
    lookups = (
        Lookup("company", KeyKind.DOMAIN, signals(COMPANY)),
        Lookup("person", KeyKind.EMAIL, signals(PERSON)),
    )

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
        self._people = HttpUpstream(self.name, person_base_url, headers=headers, timeout=timeout, client=client)

    async def look_up(self, lookup: Lookup, questions: Sequence[Question]) -> Sequence[Findings]:
        """A company, or a person, in one call each."""
        ask = self._company if lookup.name == "company" else self._person
        return [await ask(question.key) for question in questions]

    async def aclose(self) -> None:
        """Closes the clients that are ours."""
        await self._companies.aclose()
        await self._people.aclose()

    async def _company(self, domain: str) -> Findings:
        answer = await self._companies.request(
            "GET", "/v2/companies/find", params={"domain": domain}, allow=(200, 202, 404)
        )
        return findings(self.name, answer, Part("$", COMPANY))

    async def _person(self, email: str) -> Findings:
        answer = await self._people.request("GET", "/v2/people/find", params={"email": email}, allow=(200, 202, 404))
        return findings(self.name, answer, Part("$", PERSON))
