"""CRM_PROVIDER=hubspot: upserts by our key as a unique property, and reads by it.

GET   {base}/crm/objects/2026-09/{type}/{key}?idProperty=…&properties=…                 200, 404
PATCH {base}/crm/objects/2026-09/{type}/{id}                                            makes a record ours
PUT   {base}/crm/objects/2026-09/{type}/{id}/associations/default/{type}/{id}
PUT   {base}/crm/lists/2026-03/{list}/memberships/add   [id]
POST  {base}/crm/objects/2026-09/{companies, deals}/search              a company's accounts, and who has its open deals

A read by a unique property does not go through HubSpot's search, which lags behind writes.

An email is in HubSpot once. A contact that is there already, without a key of ours, gets it; one that has the key of
another lead is left alone (`held_by_another_lead`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote
from uuid import UUID

from revenueflow.clock import rfc3339, utcnow
from revenueflow.crm.base import Accounts, CrmRecord, accounts
from revenueflow.crm.batching import Row
from revenueflow.crm.hubspot.errors import CONFLICT, NAME, READABLE, error_of
from revenueflow.crm.hubspot.rows import OBJECTS, Rows
from revenueflow.crm.mapping import CrmMap, Link, VendorObject
from revenueflow.domain.action import shared_record_key
from revenueflow.errors import OutcomeUnknown, UpstreamRejected, UpstreamUnavailable
from revenueflow.resilience.upstream import Answer, HttpUpstream, Params

Filter = dict[str, str]
MOST_FOUND: Final = 5
"""Of companies with one domain: HubSpot takes so many groups of filters."""
DEAL_OWNER: Final = "hubspot_owner_id"
NOW: Final = "@now"
"""In hubspot.toml: the time of the write."""


class HubSpot:
    """Records of the types in hubspot.toml. `upstream` carries the token of a private app."""

    name = NAME

    def __init__(self, upstream: HttpUpstream, table: CrmMap) -> None:
        self._upstream = upstream
        self._map = table
        self._rows = {(one.name, one.key): Rows(upstream, one.name, one.key) for one in table.objects.values()}

    async def put(self, object_type: str, key: UUID, fields: dict[str, Any]) -> CrmRecord:
        """Upserts by the key, and then connects; both may be repeated. What it connects to must be there."""
        there = self._object(object_type)
        linked = await self._linked(object_type, fields)
        row = Row(str(key), _texts(self._map.written(object_type, fields)))
        found = await self._own_account(object_type, key, fields)
        crm_id = await self._made_ours(there, found, row) if found else await self._upserted(there, row)
        await self._connect(there, crm_id, linked, fields)
        return CrmRecord(crm_id=crm_id, fields=fields)

    async def get(self, object_type: str, key: UUID) -> CrmRecord | None:
        """Reads by the key."""
        there = self._object(object_type)
        data = await self._by(there, there.key, str(key))
        return None if data is None else self._record(object_type, data)

    def normal(self, object_type: str, fields: dict[str, Any]) -> dict[str, Any]:
        """By the table."""
        return self._map.normal(object_type, fields)

    async def accounts_of(self, domain: str) -> Accounts:
        """Those with our key or this domain, and who has their open deals. The search lags behind writes: what it does
        not find is looked for by our key."""
        there, key = self._object("account"), str(shared_record_key("account", domain))
        found = await self._search("account", [_equal(there.known["domain"].to, domain)], [_equal(there.key, key)])
        if not found:
            held = await self._by(there, there.key, key)
            found = [held] if held else []
        ours = next((_id(one) for one in found if _properties(one).get(there.key) == key), None)
        owners = await self._deal_owners([_id(one) for one in found]) if found else []
        records = [self._record("account", one) for one in found]
        return accounts(records, ours=ours, opportunity_owners=[self._map.rep(one) for one in owners])

    async def _deal_owners(self, companies: Sequence[str]) -> list[Any]:
        """Of open deals of these companies, what was changed last first."""
        groups = [[_equal("associations.company", company), _equal("hs_is_closed", "false")] for company in companies]
        deals = await self._search("opportunity", *groups, newest_first=True, properties=(DEAL_OWNER,))
        return [_properties(deal).get(DEAL_OWNER) for deal in deals]

    async def _search(
        self, kind: str, *groups: list[Filter], newest_first: bool = False, properties: Sequence[str] = ()
    ) -> list[dict[str, Any]]:
        """What any of the groups lets through, with all of its filters."""
        there = self._object(kind)
        asked: dict[str, Any] = {
            "filterGroups": [{"filters": filters} for filters in groups],
            "properties": list(properties) or [there.key, *there.asked],
            "limit": MOST_FOUND,
        }
        if newest_first:
            asked["sorts"] = [{"propertyName": "hs_lastmodifieddate", "direction": "DESCENDING"}]
        answer = await self._send("POST", f"{OBJECTS}/{there.name}/search", json=asked, repeatable=True)
        results = answer.data.get("results") if isinstance(answer.data, dict) else None
        if not isinstance(results, list):
            raise UpstreamRejected(NAME, "malformed")
        return [one for one in results if isinstance(one, dict) and _id(one)]

    async def _upserted(self, there: VendorObject, row: Row) -> str:
        written = await self._rows[there.name, there.key].upsert(row)
        if written.id:
            return written.id
        if written.code != CONFLICT:
            raise UpstreamRejected(NAME, written.code)
        return await self._made_ours(there, await self._in_the_way(there, row), row)

    async def _in_the_way(self, there: VendorObject, row: Row) -> str:
        """The id of the record that a row conflicts with: made under its key by another call, or by somebody else."""
        if own := await self._by(there, there.key, row.key):
            return _id(own)
        if not there.unique or there.unique not in row.fields:
            raise UpstreamRejected(NAME, CONFLICT)
        held = await self._by(there, there.unique, row.fields[there.unique])
        if held is None:
            raise UpstreamUnavailable(NAME, CONFLICT)  # it went away meanwhile
        if _properties(held).get(there.key):
            raise UpstreamRejected(NAME, "held_by_another_lead")
        return _id(held)

    async def _made_ours(self, there: VendorObject, crm_id: str, row: Row) -> str:
        """Sets our key and fields on a record that has no other key."""
        properties = {**row.fields, there.key: row.key}
        await self._send("PATCH", f"{OBJECTS}/{there.name}/{quote(crm_id, safe='')}", json={"properties": properties})
        return crm_id

    async def _own_account(self, object_type: str, key: UUID, fields: Mapping[str, Any]) -> str | None:
        """The id of a company that somebody else made for this domain: HubSpot itself would make a second one."""
        if object_type != "account" or await self.get(object_type, key):
            return None
        there = self._object("account")
        unkeyed = {"propertyName": there.key, "operator": "NOT_HAS_PROPERTY"}
        found = await self._search("account", [_equal(there.known["domain"].to, str(fields.get("domain"))), unkeyed])
        return _id(found[0]) if len(found) == 1 else None

    async def _linked(self, object_type: str, fields: Mapping[str, Any]) -> dict[Link, str]:
        """The ids of the records that this one is to be connected to. Raises UpstreamRejected if one is missing."""
        found: dict[Link, str] = {}
        for link, (other, key) in self._map.links(object_type, fields).items():
            there = self._object(other)
            held = await self._by(there, there.key, str(key))
            if held is None:
                raise UpstreamRejected(NAME, f"no_such_{other}")
            found[link] = _id(held)
        return found

    async def _connect(
        self, there: VendorObject, crm_id: str, linked: Mapping[Link, str], fields: Mapping[str, Any]
    ) -> None:
        for link, other in linked.items():
            path = f"{OBJECTS}/{there.name}/{crm_id}/associations/default/{link.to}/{other}"
            await self._send("PUT", path, repeatable=True)
        members = str(fields.get("campaign", ""))
        if members.isascii() and members.isdigit():
            path = f"/crm/lists/2026-03/{members}/memberships/add"
            await self._send("PUT", path, json=list(linked.values()), repeatable=True)

    async def _by(self, there: VendorObject, field: str, value: str) -> dict[str, Any] | None:
        path = f"{OBJECTS}/{there.name}/{quote(value, safe='')}"
        asked: Params = {"idProperty": field, "properties": ",".join([there.key, *there.asked])}
        answer = await self._upstream.request("GET", path, params=asked, allow=READABLE)
        if answer.status == 404:
            return None
        if answer.status != 200:
            raise error_of(answer)
        if not isinstance(answer.data, dict) or not _id(answer.data):
            raise UpstreamRejected(NAME, "malformed")
        return answer.data

    async def _send(self, method: str, path: str, *, json: object = None, repeatable: bool = False) -> Answer:
        """`repeatable`: it does no more the second time, so an answer that is lost is one that is not there."""
        try:
            answer = await self._upstream.request(method, path, json=json, tries=1, allow=(*READABLE, 204))
        except OutcomeUnknown as error:
            if not repeatable:
                raise
            raise UpstreamUnavailable(NAME, error.reason, retry_after=error.retry_after) from None
        if answer.status not in (200, 201, 204):
            raise error_of(answer)
        return answer

    def _object(self, object_type: str) -> VendorObject:
        if object_type not in self._map.objects:
            raise UpstreamRejected(NAME, "no_such_type")
        return self._map.objects[object_type]

    def _record(self, object_type: str, data: Any) -> CrmRecord:
        if not isinstance(data, dict) or not _id(data):
            raise UpstreamRejected(NAME, "malformed")
        return CrmRecord(crm_id=_id(data), fields=self._map.read(object_type, _properties(data)))


def _equal(name: str, value: str) -> Filter:
    return {"propertyName": name, "operator": "EQ", "value": value}


def _id(data: Mapping[str, Any]) -> str:
    found = data.get("id")
    return found if isinstance(found, str) else ""


def _properties(data: Mapping[str, Any]) -> Mapping[str, Any]:
    found = data.get("properties")
    return found if isinstance(found, dict) else {}


def _texts(fields: Mapping[str, Any]) -> dict[str, str]:
    """HubSpot's properties are text."""
    return {name: _text(value) for name, value in fields.items()}


def _text(value: Any) -> str:
    if value == NOW:
        return rfc3339(utcnow())
    return str(value).lower() if isinstance(value, bool) else str(value)
