"""CRM_PROVIDER=salesforce: upserts by our key as an external id, and reads by it.

GET  {base}/services/data/{version}/sobjects/{type}/{key field}/{key}?fields=…      200, 404, 300 if several match
GET  {base}/services/data/{version}/query?q=…                              a company's accounts, their opportunities
PATCH {base}/services/data/{version}/sobjects/Account/{id}                           makes that account ours, 204
POST {base}/services/apexrest/revenueflow/v1/convert                                a lead's conversion

Salesforce has no REST resource that converts a lead: docs/salesforce.md has an Apex class which does. Without it the
conversion is rejected as `not_installed`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote
from uuid import UUID

from revenueflow.crm.base import Accounts, CrmRecord, accounts
from revenueflow.crm.batching import Row
from revenueflow.crm.mapping import CrmMap, VendorObject
from revenueflow.crm.salesforce.errors import DUPLICATE_KEY, FIXED, LOCKED, MISSING, NAME, code_in, error_of
from revenueflow.crm.salesforce.rows import Rows
from revenueflow.crm.salesforce.session import Session
from revenueflow.domain.action import shared_record_key
from revenueflow.errors import OutcomeUnknown, UpstreamRejected
from revenueflow.resilience.retries import pause_after
from revenueflow.resilience.upstream import Answer

TRIES: Final = 4
MOST_ACCOUNTS: Final = 5
OPEN_OPPORTUNITIES: Final = (
    "(SELECT OwnerId, LastModifiedDate FROM Opportunities"
    " WHERE IsClosed = false ORDER BY LastModifiedDate DESC LIMIT 5)"
)
CONVERT: Final = "/services/apexrest/revenueflow/v1/convert"


class Salesforce:
    """Records of the types in salesforce.toml."""

    name = NAME

    def __init__(self, session: Session, table: CrmMap, *, version: str) -> None:
        self._session = session
        self._map = table
        self._data = f"/services/data/{version}"
        self._rows = {(one.name, one.key): Rows(session, version, one.name, one.key) for one in table.objects.values()}

    async def put(self, object_type: str, key: UUID, fields: dict[str, Any]) -> CrmRecord:
        """Upserts by the key; a lead that is to be converted is converted."""
        if fields.get("converted"):
            return await self._convert(key, fields)
        there = self._object(object_type)
        links = {
            link.to: {"attributes": {"type": link.type}, self._map.objects[other].key: str(record)}
            for link, (other, record) in self._map.links(object_type, fields).items()
        }
        row = Row(str(key), {**self._map.written(object_type, fields), **links})
        if found := await self._own_account(object_type, key, fields):
            return CrmRecord(crm_id=await self._made_ours(there, found, row), fields=fields)
        return CrmRecord(crm_id=await self._upserted(object_type, key, there, row), fields=fields)

    async def get(self, object_type: str, key: UUID) -> CrmRecord | None:
        """Reads by the key, at once: an external id is no search index."""
        there = self._object(object_type)
        path = f"{self._data}/sobjects/{there.name}/{there.key}/{key}"
        asked = {"fields": ",".join(["Id", *there.asked])}
        answer = await self._session.request("GET", path, params=asked, allow=(200, 300, 404))
        if answer.status == 300:
            raise UpstreamRejected(NAME, "several_match")
        if answer.status == 404:
            if code_in(answer.data) != "NOT_FOUND":
                raise UpstreamRejected(NAME, "not_found")
            return None
        return self._record(object_type, answer.data)

    def normal(self, object_type: str, fields: dict[str, Any]) -> dict[str, Any]:
        """By the table."""
        return self._map.normal(object_type, fields)

    async def accounts_of(self, domain: str) -> Accounts:
        """Those with our key, with this domain in our field, or with its website; and their open opportunities."""
        there, key = self._object("account"), shared_record_key("account", domain)
        rows = await self._accounts(
            domain,
            f" OR {there.key} = '{key}'",
            f" ORDER BY {there.key} NULLS LAST",
            more=f", {there.key}, {OPEN_OPPORTUNITIES}",
        )
        found = [self._record("account", row) for row in rows]
        ours = next((one.crm_id for one, row in zip(found, rows, strict=True) if row.get(there.key) == str(key)), None)
        return accounts(found, ours=ours, opportunity_owners=[self._map.rep(one) for one in _opportunity_owners(rows)])

    async def _accounts(self, domain: str, condition: str, order: str = "", *, more: str = "") -> list[dict[str, Any]]:
        there = self._object("account")
        ours, quoted = there.known["domain"].to, domain.replace("\\", "\\\\").replace("'", "\\'")
        sites = ", ".join(f"'{before}{quoted}'" for before in ("", "www.", "http://", "https://", "https://www."))
        query = (
            f"SELECT Id, {', '.join(there.asked)}{more} FROM {there.name} "  # noqa: S608 names of our table; escaped
            f"WHERE ({ours} = '{quoted}' OR Website IN ({sites})){condition}{order} LIMIT {MOST_ACCOUNTS}"
        )
        return _records(await self._session.request("GET", f"{self._data}/query", params={"q": query}))

    async def _own_account(self, object_type: str, key: UUID, fields: dict[str, Any]) -> str | None:
        """The id of an account that somebody else made for this domain: an upsert would make a second one."""
        if object_type != "account" or await self.get(object_type, key):
            return None
        found = await self._accounts(str(fields.get("domain")), f" AND {self._object('account').key} = null")
        return self._record("account", found[0]).crm_id if len(found) == 1 else None

    async def _made_ours(self, there: VendorObject, crm_id: str, row: Row) -> str:
        """Sets our key and fields on a record that has no key."""
        path = f"{self._data}/sobjects/{there.name}/{quote(crm_id, safe='')}"
        await self._session.request("PATCH", path, json={**row.fields, there.key: row.key}, allow=(200, 204))
        return crm_id

    async def _upserted(self, object_type: str, key: UUID, there: VendorObject, row: Row) -> str:
        """The record's id. Each code that is mended here says that nothing was executed."""
        upsert = self._rows[there.name, there.key].upsert
        for turn in range(1, TRIES):
            written = await upsert(row)
            if written.id:
                return written.id
            match written.code:
                case code if code == LOCKED:
                    await asyncio.sleep(pause_after(turn, None))
                case code if code == MISSING and not there.missing.keys() <= row.fields.keys():
                    row = Row(row.key, {**there.missing, **row.fields})
                case code if code == FIXED and not row.fields.keys().isdisjoint(there.fixed):
                    row = Row(row.key, {name: one for name, one in row.fields.items() if name not in there.fixed})
                case code if code == DUPLICATE_KEY and await self.get(object_type, key):
                    continue  # another request made it within the same second: now it is an update
                case code:
                    raise error_of(code)
        written = await upsert(row)
        if written.id is None:
            raise error_of(written.code)
        return written.id

    async def _convert(self, key: UUID, fields: dict[str, Any]) -> CrmRecord:
        """The Apex class converts once: for a lead that is converted it answers the same again."""
        asked = {"recordKey": str(key), "opportunityName": fields.get("conversion_opportunity")}
        answer = await self._session.request("POST", CONVERT, json=asked, allow=(200, 404))
        if answer.status == 404:
            raise UpstreamRejected(NAME, "not_installed")
        return CrmRecord(crm_id=_converted(answer), fields={"converted": True})

    def _object(self, object_type: str) -> VendorObject:
        if object_type not in self._map.objects:
            raise UpstreamRejected(NAME, "no_such_type")
        return self._map.objects[object_type]

    def _record(self, object_type: str, data: object) -> CrmRecord:
        if not isinstance(data, dict) or not isinstance(data.get("Id"), str):
            raise UpstreamRejected(NAME, "malformed")
        return CrmRecord(crm_id=data["Id"], fields=self._map.read(object_type, data))


def _records(answer: Answer) -> list[dict[str, Any]]:
    records = answer.data.get("records") if isinstance(answer.data, dict) else None
    rows = [one for one in records if isinstance(one, dict)] if isinstance(records, list) else None
    if rows is None:
        raise UpstreamRejected(NAME, "malformed")
    return rows


def _opportunity_owners(rows: Sequence[Mapping[str, Any]]) -> list[Any]:
    """Salesforce answers null where an account has no such opportunity."""
    found = [one for row in rows for one in (row.get("Opportunities") or {}).get("records", ())]
    newest_first = sorted(found, key=lambda one: str(one.get("LastModifiedDate")), reverse=True)
    return [one.get("OwnerId") for one in newest_first]


def _converted(answer: Answer) -> str:
    lead = answer.data.get("leadId") if isinstance(answer.data, dict) else None
    if not isinstance(lead, str):
        raise OutcomeUnknown(NAME, "malformed")
    return lead
