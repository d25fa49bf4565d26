"""CRM_PROVIDER=salesforce: upserts by our key as an external id, and reads by it.

GET  {base}/services/data/{version}/sobjects/{type}/{key field}/{key}?fields=…      200, 404, 300 if several match
GET  {base}/services/data/{version}/query?q=…                                       an account by its domain
PATCH {base}/services/data/{version}/sobjects/Account/{id}                           makes that account ours, 204
POST {base}/services/apexrest/revenueflow/v1/convert                                a lead's conversion

Salesforce has no REST resource that converts a lead: docs/salesforce.md has an Apex class which does. Without it the
conversion is rejected as `not_installed`.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final
from urllib.parse import quote
from uuid import UUID

from revenueflow.crm.base import CrmRecord
from revenueflow.crm.batching import Row
from revenueflow.crm.mapping import CrmMap, VendorObject
from revenueflow.crm.salesforce.errors import DUPLICATE_KEY, FIXED, LOCKED, MISSING, NAME, code_in, error_of
from revenueflow.crm.salesforce.rows import Rows
from revenueflow.crm.salesforce.session import Session
from revenueflow.errors import OutcomeUnknown, UpstreamRejected
from revenueflow.resilience.retries import pause_after
from revenueflow.resilience.upstream import Answer

TRIES: Final = 4
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

    async def account_of(self, domain: str) -> CrmRecord | None:
        """The one account with this domain, in our field or as its website."""
        return await self._account(domain)

    async def _account(self, domain: str, more: str = "") -> CrmRecord | None:
        there = self._object("account")
        ours, quoted = there.known["domain"].to, domain.replace("\\", "\\\\").replace("'", "\\'")
        sites = ", ".join(f"'{before}{quoted}'" for before in ("", "www.", "http://", "https://", "https://www."))
        query = (
            f"SELECT Id, {', '.join(there.asked)} FROM {there.name} "  # noqa: S608 names of our table, domain escaped
            f"WHERE ({ours} = '{quoted}' OR Website IN ({sites})){more} LIMIT 2"
        )
        answer = await self._session.request("GET", f"{self._data}/query", params={"q": query})
        records = answer.data.get("records") if isinstance(answer.data, dict) else None
        if not isinstance(records, list):
            raise UpstreamRejected(NAME, "malformed")
        return self._record("account", records[0]) if len(records) == 1 else None

    async def _own_account(self, object_type: str, key: UUID, fields: dict[str, Any]) -> str | None:
        """The id of an account that somebody else made for this domain: an upsert would make a second one."""
        if object_type != "account" or await self.get(object_type, key):
            return None
        found = await self._account(str(fields.get("domain")), f" AND {self._object('account').key} = null")
        return found.crm_id if found else None

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


def _converted(answer: Answer) -> str:
    lead = answer.data.get("leadId") if isinstance(answer.data, dict) else None
    if not isinstance(lead, str):
        raise OutcomeUnknown(NAME, "malformed")
    return lead
