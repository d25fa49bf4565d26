"""ZoomInfo's GTM data API: a company by its website, a person by email, up to 25 in a call.

POST {base}/gtm/data/v1/companies/enrich   {"data": {"type": "CompanyEnrich", "attributes": {"matchCompanyInput": […]}}}
POST {base}/gtm/data/v1/contacts/enrich    {"data": {"type": "ContactEnrich", "attributes": {"matchPersonInput": […]}}}
     {"data": [{"type": "Company"|"Contact"|"NoMatch", "attributes", "meta": {"input", "matchStatus"}}]}
Documents are `application/vnd.api+json`. Which record answers what is told by `meta.input`; an order is not promised.
A used-up credit limit is told record by record (`LIMIT_EXCEEDED`). Only fields of our tables are asked for.

The published description has OAuth by authorization code; a server has nobody who could log in, so we use client
credentials (`tokens`). `revenue` and the sums of funding are left alone: their unit is described as one thing and shown
as another. A 401 means one new token and one more try.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from pydantic import JsonValue

from revenueflow.domain.evidence import Signal, Trust
from revenueflow.enrichment.base import Findings, KeyKind, Lookup, Question, Status
from revenueflow.enrichment.domains import host_of_url, registrable
from revenueflow.enrichment.mapping import At, Field, Unfit, count_or_range, field, prose, text, year
from revenueflow.enrichment.providers.answers import Part, found, refused, signals
from revenueflow.enrichment.providers.lists import latest_round
from revenueflow.enrichment.providers.tokens import Tokens
from revenueflow.errors import OutcomeUnknown, UpstreamRejected
from revenueflow.resilience.http import Client, new_client
from revenueflow.resilience.upstream import Answer, HttpUpstream

LARGEST = 25
JSON_API = "application/vnd.api+json"
SCOPE = "api:data:company api:data:contact"


def site_domain(value: JsonValue) -> str | None:
    """The domain of a website."""
    host = host_of_url(text(value))
    return registrable(host) if host else None


def year_text(value: JsonValue) -> int:
    """A year that is written as text."""
    digits = text(value)
    if not (digits.isascii() and digits.isdigit() and len(digits) == 4):
        raise Unfit("wrong_type")
    return year(int(digits))


def stage(value: JsonValue) -> At | str | None:
    """Of the list of rounds, the type of the last."""
    if not isinstance(value, list):
        raise Unfit("wrong_type")
    return latest_round(value)


COMPANY = (
    field(Signal.COMPANY_NAME, text, "name"),
    field(Signal.COMPANY_DOMAIN, site_domain, "website"),
    field(Signal.DESCRIPTION, prose, "description"),
    field(Signal.INDUSTRY, text, "primaryIndustry[0]", "industries[0]"),
    field(Signal.HEADCOUNT, count_or_range, "employeeCount", "employeeRange"),
    field(Signal.COUNTRY, text, "country"),
    field(Signal.CITY, text, "city"),
    field(Signal.FUNDING_STAGE, stage, "companyFunding"),
    field(Signal.REVENUE, text, "revenueRange"),
    field(Signal.FOUNDED_YEAR, year_text, "foundedYear"),
)
PERSON = (
    field(Signal.TITLE, text, "jobTitle"),
    field(Signal.SENIORITY, text, "managementLevel[0]"),
    field(Signal.DEPARTMENT, text, "jobFunction.department", "jobFunction.name"),
)


class _Call(NamedTuple):
    """An endpoint: what its document is, what a criterion is called, and which table reads a record."""

    path: str
    type: str
    inputs: str
    criterion: str
    fields: tuple[Field, ...]

    @property
    def output(self) -> list[str]:
        """The fields to ask for: the first part of each path."""
        return sorted({path.partition(".")[0].partition("[")[0] for row in self.fields for path in row.paths})


_CALLS = {
    "company": _Call("/gtm/data/v1/companies/enrich", "CompanyEnrich", "matchCompanyInput", "companyWebsite", COMPANY),
    "person": _Call("/gtm/data/v1/contacts/enrich", "ContactEnrich", "matchPersonInput", "emailAddress", PERSON),
}


class ZoomInfo:
    """ZoomInfo's GTM data API, version 1."""

    name = "zoominfo"
    trust = Trust.VENDOR
    lookups = (
        Lookup("company", KeyKind.DOMAIN, signals(COMPANY), LARGEST),
        Lookup("person", KeyKind.EMAIL, signals(PERSON), LARGEST),
    )

    def __init__(
        self,
        client_id: str,
        client_secret: str,
        *,
        base_url: str = "https://api.zoominfo.com",
        token_url: str = "https://okta-login.zoominfo.com/oauth2/default/v1/token",  # noqa: S107 - an address
        timeout: float = 10.0,
        client: Client | None = None,
    ) -> None:
        """`timeout` is in seconds, for one try."""
        shared = client or new_client()
        self._own = None if client else shared
        headers = {"accept": JSON_API, "content-type": JSON_API}
        self._upstream = HttpUpstream(self.name, base_url, headers=headers, timeout=timeout, client=shared)
        self._tokens = Tokens(self.name, token_url, client_id, client_secret, SCOPE, timeout=timeout, client=shared)

    async def look_up(self, lookup: Lookup, questions: Sequence[Question]) -> Sequence[Findings]:
        """One call for all. A lost answer may have been paid for: it is not repeated."""
        call, keys = _CALLS[lookup.name], [question.key for question in questions]
        answer = await self._post(call.path, _document(call, keys))
        if not isinstance(answer.data, dict) or not isinstance(answer.data.get("data"), list):
            raise OutcomeUnknown(self.name, "malformed")
        findings = _matched(call, keys, answer.data)
        if all(one.reason == "quota" for one in findings):
            raise UpstreamRejected(self.name, "quota")
        return findings

    async def aclose(self) -> None:
        """Closes the client, if it is ours."""
        if self._own:
            await self._own.aclose()

    async def _post(self, path: str, document: dict[str, Any]) -> Answer:
        token = await self._tokens.get()
        answer = await self._upstream.request("POST", path, json=document, headers=_bearer(token), allow=(200, 401))
        if answer.status == 200:
            return answer
        token = await self._tokens.get(refused=token)
        return await self._upstream.request("POST", path, json=document, headers=_bearer(token), allow=(200,))


def _bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def _document(call: _Call, keys: list[str]) -> dict[str, Any]:
    site = "http://www." if call.criterion == "companyWebsite" else ""
    inputs = [{call.criterion: site + key} for key in keys]
    return {"data": {"type": call.type, "attributes": {call.inputs: inputs, "outputFields": call.output}}}


def _matched(call: _Call, keys: list[str], data: dict[str, JsonValue]) -> list[Findings]:
    records = _by_key(call, data["data"])
    asked = [key.lower() for key in keys]
    return [_of_record(call, data, *records[key]) if key in records else refused("malformed") for key in asked]


def _by_key(call: _Call, records: JsonValue) -> Mapping[str, tuple[int, dict[str, JsonValue]]]:
    """Each record with its place, by what it says that it was asked for."""
    items = records if isinstance(records, list) else []
    return {
        key: (place, item)
        for place, item in enumerate(items)
        if isinstance(item, dict) and (key := _key(call, _meta(item).get("input")))
    }


def _meta(record: dict[str, JsonValue]) -> dict[str, JsonValue]:
    meta = record.get("meta")
    return meta if isinstance(meta, dict) else {}


def _key(call: _Call, given: JsonValue) -> str | None:
    criterion = given.get(call.criterion) if isinstance(given, dict) else None
    if not isinstance(criterion, str):
        return None
    return site_domain(criterion) if call.criterion == "companyWebsite" else criterion.lower()


def _of_record(call: _Call, data: JsonValue, place: int, record: dict[str, JsonValue]) -> Findings:
    status = _meta(record).get("matchStatus")
    if status == "LIMIT_EXCEEDED":
        return refused("quota")
    if status == "INVALID_INPUT":
        return refused("invalid")
    if record.get("type") == "NoMatch":
        return Findings(status=Status.NOT_FOUND)
    return found(data, Part(f"$.data[{place}].attributes", call.fields))
