"""Apollo: a company by its domain, a person by email, and whether mail to an address arrives.

GET  {base}/api/v1/organizations/enrich?domain=    {"organization": {…}}
POST {base}/api/v1/people/match?email=             {"person": {…}}
POST {base}/api/v1/people/bulk_match               {"details": [{"email"}]}: up to 10
GET  {base}/api/v1/webhook_result/{request_id}     what a waterfall came to; 404 `result_pending`, 410 expired
401 key, 403 a key without this endpoint, 429 rate. No status is published for used-up credits: 402 is taken for it, and
the form of a waterfall's result is what its callback is said to hold (`_result`). Apollo sends that to a callback which
has no signature: `webhook_url` has to be named, and we poll instead.
Neither personal addresses nor phone numbers are asked for. Companies are not asked for in bulk: those answers leave out
technologies, revenue and funding, so what is known of a company would hang on who was asked about at the same time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from urllib.parse import quote

from pydantic import JsonValue

from revenueflow.domain.evidence import Signal, Trust
from revenueflow.enrichment.base import Findings, KeyKind, Lookup, Question, Status
from revenueflow.enrichment.mapping import Field, amount, count, field, prose, text, texts, year
from revenueflow.enrichment.providers.answers import PENDING_SECONDS, Part, by_handle, found, refused, signals
from revenueflow.errors import OutcomeUnknown, UpstreamRejected
from revenueflow.resilience.http import Client
from revenueflow.resilience.upstream import LONGEST_PAUSE, Answer, HttpUpstream, Meaning

LARGEST = 10
STATUSES = {"verified": "valid", "invalid": "invalid", "unverified": "unknown", "guessed": "unknown"}


def email_status(value: JsonValue) -> str | None:
    """In our words; what Apollo calls otherwise says nothing."""
    return STATUSES.get(text(value).lower())


COMPANY = (
    field(Signal.COMPANY_NAME, text, "name"),
    field(Signal.COMPANY_DOMAIN, text, "primary_domain"),
    field(Signal.DESCRIPTION, prose, "short_description", "seo_description"),
    field(Signal.INDUSTRY, text, "industry"),
    field(Signal.HEADCOUNT, count, "estimated_num_employees"),
    field(Signal.COUNTRY, text, "country"),
    field(Signal.CITY, text, "city"),
    field(Signal.TECHNOLOGIES, texts, "technology_names"),
    field(Signal.FUNDING_TOTAL, amount, "total_funding"),
    field(Signal.FUNDING_STAGE, text, "latest_funding_stage"),
    field(Signal.REVENUE, amount, "annual_revenue"),
    field(Signal.FOUNDED_YEAR, year, "founded_year"),
)
PERSON = (
    field(Signal.TITLE, text, "title"),
    field(Signal.SENIORITY, text, "seniority"),
    field(Signal.DEPARTMENT, text, "departments[0]"),
    field(Signal.EMAIL_STATUS, email_status, "email_status"),
)
EMAIL = (field(Signal.EMAIL_STATUS, email_status, "email_status", "emails[0].email_status"),)
MEANINGS = {403: Meaning(UpstreamRejected, "not_in_plan")}


LOOKUPS = (
    Lookup("company", KeyKind.DOMAIN, signals(COMPANY)),
    Lookup("person", KeyKind.EMAIL, signals(PERSON), LARGEST),
)
WATERFALL = Lookup("email", KeyKind.EMAIL, signals(EMAIL), LARGEST)


class Apollo:
    """Apollo's enrichment API, version 1. The lookup `email` is there only with a `webhook_url`."""

    name = "apollo"
    trust = Trust.VENDOR

    def __init__(
        self,
        api_key: str,
        *,
        base_url: str = "https://api.apollo.io",
        webhook_url: str | None = None,
        timeout: float = 10.0,
        client: Client | None = None,
    ) -> None:
        """`timeout` is in seconds, for one try. `webhook_url` is where Apollo sends results that we poll for."""
        self._webhook_url = webhook_url
        self._upstream = HttpUpstream(
            self.name, base_url, headers={"x-api-key": api_key}, timeout=timeout, client=client, meanings=MEANINGS
        )

    @property
    def lookups(self) -> tuple[Lookup, ...]:
        """A company and a person; whether mail arrives only where a callback can be named."""
        return (*LOOKUPS, WATERFALL) if self._webhook_url else LOOKUPS

    async def look_up(self, lookup: Lookup, questions: Sequence[Question]) -> Sequence[Findings]:
        """One call for all; a single question has an endpoint of its own. `email` is always polled for."""
        keys = [question.key for question in questions]
        if lookup.name == "company":
            return await self._company(keys[0])
        if lookup.name == "person":
            return await (self._person(keys[0]) if len(keys) == 1 else self._people(keys))
        return await by_handle(questions, self._emails)

    async def aclose(self) -> None:
        """Closes the client, if it is ours."""
        await self._upstream.aclose()

    async def _company(self, domain: str) -> list[Findings]:
        answer = await self._upstream.request(
            "GET", "/api/v1/organizations/enrich", params={"domain": domain}, allow=(200, 404)
        )
        data = _object(answer, UpstreamRejected)
        return [found(data, Part("$.organization", COMPANY)) if data.get("organization") else _unknown()]

    async def _person(self, email: str) -> list[Findings]:
        answer = await self._upstream.request("POST", "/api/v1/people/match", params={"email": email}, allow=(200, 404))
        data = _object(answer, OutcomeUnknown)
        return [found(data, Part("$.person", PERSON)) if data.get("person") else _unknown()]

    async def _people(self, emails: list[str]) -> list[Findings]:
        data = await self._bulk("/api/v1/people/bulk_match", "email", emails)
        return _matched(data, "matches", _places(data.get("matches"), _addresses), emails, PERSON)

    async def _emails(self, handle: str | None, emails: list[str]) -> list[Findings]:
        """Starts a waterfall, or looks how one stands."""
        if handle is not None:
            return await self._result(handle, emails)
        data = await self._bulk(
            "/api/v1/people/bulk_match",
            "email",
            emails,
            {"run_waterfall_email": "true", "webhook_url": self._webhook_url or ""},
        )
        request = data.get("request_id")
        if not isinstance(request, int):
            raise OutcomeUnknown(self.name, "malformed")
        return [Findings(status=Status.PENDING, retry_after=PENDING_SECONDS, handle=str(request))] * len(emails)

    async def _result(self, handle: str, emails: list[str]) -> list[Findings]:
        answer = await self._upstream.request(
            "GET", f"/api/v1/webhook_result/{quote(handle, safe='-')}", allow=(200, 400, 404, 410)
        )
        data = answer.data if isinstance(answer.data, dict) else {}
        if answer.status == 404 and data.get("error_code") == "result_pending":
            wait = Findings(status=Status.PENDING, retry_after=_seconds(data, answer), handle=handle)
            return [wait] * len(emails)
        if answer.status != 200:
            return [refused("expired" if answer.status == 410 else "unknown_handle")] * len(emails)
        if not isinstance(answer.data, dict):
            raise UpstreamRejected(self.name, "malformed")
        return _matched(data, "people", _places(data.get("people"), _addresses), emails, EMAIL)

    async def _bulk(
        self, path: str, name: str, keys: list[str], params: dict[str, str | int | float | bool] | None = None
    ) -> dict[str, JsonValue]:
        details = [{name: key} for key in keys]
        answer = await self._upstream.request("POST", path, params=params, json={"details": details}, allow=(200,))
        data = _object(answer, OutcomeUnknown)
        if data.get("status") == "failed":
            raise UpstreamRejected(self.name, "invalid")
        return data


def _unknown() -> Findings:
    return Findings(status=Status.NOT_FOUND)


def _object(answer: Answer, error: type[UpstreamRejected | OutcomeUnknown]) -> dict[str, JsonValue]:
    """The answer, which is an object; empty for a 404. Raises `error` (`malformed`)."""
    if answer.status == 404:
        return {}
    if not isinstance(answer.data, dict):
        raise error("apollo", "malformed")
    return answer.data


def _matched(
    data: dict[str, JsonValue], name: str, places: Mapping[str, int], keys: list[str], fields: tuple[Field, ...]
) -> list[Findings]:
    return [
        found(data, Part(f"$.{name}[{places[key]}]", fields)) if key in places else _unknown()
        for key in (key.lower() for key in keys)
    ]


def _places(records: JsonValue, keys: Callable[[dict[str, JsonValue]], list[str]]) -> dict[str, int]:
    """Where each record stands, by what it was asked for: Apollo does not promise an order, and leaves out some."""
    items = records if isinstance(records, list) else []
    return {key: place for place, item in enumerate(items) if isinstance(item, dict) for key in keys(item)}


def _addresses(person: dict[str, JsonValue]) -> list[str]:
    more = person.get("emails")
    inside = [one.get("email") for one in more if isinstance(one, dict)] if isinstance(more, list) else []
    return [one.lower() for one in (person.get("email"), *inside) if isinstance(one, str)]


def _seconds(data: dict[str, JsonValue], answer: Answer) -> float:
    told = data.get("retry_after_seconds")
    if isinstance(told, int | float) and told > 0:
        return min(float(told), LONGEST_PAUSE)
    return answer.retry_after or PENDING_SECONDS
