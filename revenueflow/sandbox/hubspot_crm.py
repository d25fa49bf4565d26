"""HubSpot's CRM API: batch upserts by a unique property, reads by one, updates, associations, lists, company search.

A record's key in the ledger is its HubSpot id. As in the real one an email is there once (409, for the whole call), and
the contacts that the sandbox begins with are there too.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from hashlib import blake2b
from typing import Any, Final

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from revenueflow.sandbox.ledger import Fields, Ledger, Record
from revenueflow.sandbox.middleware import exchange_of

Serve = Callable[[Request], Awaitable[Response]]
Refuse = Callable[[int, str], Response]
OBJECTS: Final = "/crm/objects/2026-09/{type}"
TYPES: Final = ("contacts", "companies", "deals", "tasks", "notes")
UNIQUE: Final = ("revenueflow_key", "revenueflow_contact_key", "email")
NEEDED: Final = {"tasks": "hs_timestamp", "notes": "hs_timestamp"}
LARGEST: Final = 100
MOST_GROUPS: Final = 5
_SINGULAR: Final = {"companies": "company", "contacts": "contact", "deals": "deal"}
TIMES: Final = {"createdAt": "2026-10-01T08:00:00.000Z", "updatedAt": "2026-10-01T08:00:00.000Z"}
DONE: Final = {"status": "COMPLETE", "startedAt": TIMES["createdAt"], "completedAt": TIMES["createdAt"]}


def routes(portal: Portal, refuse: Refuse) -> list[Route]:
    """Where this part is served, but for reads, which `read` answers."""

    def known(serve: Serve) -> Serve:
        async def guarded(request: Request) -> Response:
            if not request.headers.get("authorization", "").startswith("Bearer "):
                return refuse(401, "key")
            return (
                refuse(404, "type") if request.path_params.get("type", "notes") not in TYPES else await serve(request)
            )

        return guarded

    return [
        Route(OBJECTS + "/batch/upsert", known(portal.upsert), methods=["POST"]),
        Route(OBJECTS + "/search", known(portal.search), methods=["POST"]),
        Route(OBJECTS + "/{id}", known(portal.update), methods=["PATCH"]),
        Route(OBJECTS + "/{id}/associations/default/{to}/{other}", known(portal.associate), methods=["PUT"]),
        Route("/crm/lists/2026-03/{list}/memberships/add", known(portal.join), methods=["PUT"]),
    ]


class Portal:
    """What the portal holds: the ledger's records, the contacts that it began with and, until it ends, associations."""

    def __init__(self, ledger: Ledger, seeds: dict[str, dict[str, Any]], refuse: Refuse) -> None:
        self._ledger = ledger
        self._seeds = {number: _texts(seed["properties"]) for number, seed in seeds.items()}
        self._refuse = refuse
        self._linked: set[tuple[str, str, str, str]] = set()
        self._ids: dict[tuple[str, str, str], str] = {}
        for number, held in self._seeds.items():
            self._index("contacts", number, held)
        for kind in TYPES:
            for record in ledger.of(kind):
                self._index(kind, record.record_key, record.fields() or {})

    async def upsert(self, request: Request) -> Response:
        """All of them or, for a conflict or a property that is needed, none."""
        kind, lag = request.path_params["type"], exchange_of(request).faults.lag_ms / 1000
        inputs = orjson.loads(await request.body()).get("inputs", [])
        if not 0 < len(inputs) <= LARGEST or len({one["id"] for one in inputs}) < len(inputs):
            return self._refuse(400, "inputs")
        for one in inputs:
            if status := self._wrong(kind, self.found(kind, one["idProperty"], one["id"]), one["properties"]):
                return self._refuse(status, "input")
        return JSONResponse({**DONE, "results": [self._upserted(kind, one, lag) for one in inputs]})

    async def update(self, request: Request) -> Response:
        """Some properties of one record."""
        kind, number = request.path_params["type"], request.path_params["id"]
        properties = orjson.loads(await request.body())["properties"]
        if not self._exists(kind, number):
            return self._refuse(404, "unknown")
        if status := self._wrong(kind, number, properties):
            return self._refuse(status, "input")
        self._put(kind, number, properties, exchange_of(request).faults.lag_ms / 1000)
        return JSONResponse({"id": number, "properties": properties, **TIMES})

    async def search(self, request: Request) -> Response:
        """Records that all filters of some group let through: EQ, and NOT_HAS_PROPERTY. At most five groups."""
        asked, kind = orjson.loads(await request.body()), request.path_params["type"]
        groups = [group["filters"] for group in asked["filterGroups"]]
        if not 0 < len(groups) <= MOST_GROUPS:
            return self._refuse(400, "groups")
        found: list[tuple[str, Fields]] = [
            (record.record_key, held)
            for record in self._ledger.of(kind)
            if (held := self._searched(kind, record))
            and any(all(self._fits(kind, record.record_key, one, held) for one in filters) for filters in groups)
        ]
        for sort in asked.get("sorts", ()):
            descending = sort["direction"] == "DESCENDING"
            found.sort(key=lambda one: str(one[1].get(sort["propertyName"], "")), reverse=descending)
        shown = [{"id": number, "properties": held, **TIMES} for number, held in found[: asked.get("limit", 10)]]
        return JSONResponse({"total": len(found), "results": shown})

    def _searched(self, kind: str, record: Record) -> Fields | None:
        """With what HubSpot itself works out."""
        held = self._ledger.get(kind, record.record_key)
        if held is None:
            return None
        closed = {"hs_is_closed": str(held[1].get("dealstage", "").startswith("closed")).lower()}
        return {**held[1], "hs_lastmodifieddate": record.writes[-1].time, **(closed if kind == "deals" else {})}

    def _fits(self, kind: str, number: str, one: dict[str, str], held: Fields) -> bool:
        name = one["propertyName"]
        if name.startswith("associations."):
            return (kind, number, name.removeprefix("associations."), one["value"]) in self._linked
        value = held.get(name)
        return not value if one["operator"] == "NOT_HAS_PROPERTY" else bool(value == one["value"])

    async def associate(self, request: Request) -> Response:
        """Two records that are there."""
        at = request.path_params
        if not (self._exists(at["type"], at["id"]) and self._exists(at["to"], at["other"])):
            return self._refuse(404, "unknown")
        self._linked.add((at["type"], at["id"], _SINGULAR.get(at["to"], at["to"]), at["other"]))
        return JSONResponse({**DONE, "results": []})

    async def join(self, request: Request) -> Response:
        """Contacts that become members of a list."""
        ids = orjson.loads(await request.body())
        return JSONResponse({"recordsIdsAdded": ids, "recordIdsRemoved": [], "recordIdsMissing": []})

    def read(self, kind: str, field: str, value: str) -> dict[str, Any] | None:
        """What a read by a unique property sees now."""
        number = self.found(kind, field, value)
        held = self._ledger.get(kind, number) if number else None
        if number and held:
            return {"id": number, "properties": held[1], **TIMES}
        if number is None or kind != "contacts" or self._ledger.find(kind, number):
            return None
        return {"id": number, "properties": self._seeds[number], **TIMES}

    def found(self, kind: str, field: str, value: str) -> str | None:
        """The id of the record with this value; the index may name one that was cleared since."""
        number = self._ids.get((kind, field, value.lower()))
        return number if number and self._exists(kind, number) else None

    def _exists(self, kind: str, number: str) -> bool:
        return self._ledger.find(kind, number) is not None or (kind == "contacts" and number in self._seeds)

    def _wrong(self, kind: str, number: str | None, properties: Fields) -> int | None:
        email = properties.get("email")
        other = self.found(kind, "email", email) if kind == "contacts" and email else None
        if other and other != number:
            return 409
        needed = NEEDED.get(kind)
        return 400 if number is None and needed and not properties.get(needed) else None

    def _upserted(self, kind: str, one: dict[str, Any], lag: float) -> dict[str, Any]:
        number = self.found(kind, one["idProperty"], one["id"])
        made = number or str(int(blake2b(f"{kind}/{one['id']}".encode(), digest_size=6).hexdigest(), 16))
        self._put(kind, made, one["properties"], lag)
        trace = {"objectWriteTraceId": one["objectWriteTraceId"]} if "objectWriteTraceId" in one else {}
        return {"id": made, "new": number is None, "properties": one["properties"], "archived": False, **TIMES, **trace}

    def _put(self, kind: str, number: str, properties: Fields, lag: float) -> None:
        seed = self._seeds.get(number, {}) if kind == "contacts" and not self._ledger.find(kind, number) else {}
        self._ledger.put(kind, number, {**seed, **_texts(properties)}, lag)
        self._index(kind, number, properties)

    def _index(self, kind: str, number: str, properties: Fields) -> None:
        for field in UNIQUE:
            if properties.get(field):
                self._ids[kind, field, str(properties[field]).lower()] = number


def _texts(properties: Fields) -> Fields:
    return {name: str(value) for name, value in properties.items() if value is not None}
