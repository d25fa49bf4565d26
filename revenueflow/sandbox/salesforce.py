"""Salesforce's wire: tokens, upserts of up to 200 records by an external id, reads by it, queries, a conversion.

Custom fields (`…__c`) are all there. What the real one refuses row by row is refused here too: a field that is missing
at a creation or unknown, a text that is too long, a key that is twice in a call, a record that a link does not find.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any, Final

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from revenueflow.sandbox.ledger import Fields, Ledger, Record
from revenueflow.sandbox.middleware import exchange_of

Serve = Callable[[Request], Awaitable[Response]]
TOKEN: Final = "sandbox-token"  # noqa: S105
CODES: Final = {
    400: "INVALID_FIELD", 401: "INVALID_SESSION_ID", 403: "REQUEST_LIMIT_EXCEEDED", 404: "NOT_FOUND",
    429: "REQUEST_LIMIT_EXCEEDED", 503: "SERVER_UNAVAILABLE",
}  # fmt: skip
STANDARD: Final = {
    "Lead": {"Email": 80, "FirstName": 40, "LastName": 80, "Phone": 40, "Company": 255, "Title": 128, "Status": 255},
    "Contact": {"Email": 80, "FirstName": 40, "LastName": 80, "Phone": 40, "Title": 128},
    "Account": {"Name": 255, "Website": 255},
    "Opportunity": {"Name": 120, "StageName": 255, "CloseDate": 10, "Amount": 20, "AccountId": 18},
    "Task": {"Subject": 255, "Description": 32000, "ActivityDate": 10, "Status": 255},
    "CampaignMember": {"CampaignId": 18, "Status": 255},
}
"""Types, their standard fields, and the length of each."""
NEEDED: Final = {
    "Lead": ("LastName", "Company"), "Contact": ("LastName",), "Account": ("Name",),
    "Opportunity": ("Name", "StageName", "CloseDate"), "CampaignMember": ("CampaignId", "Lead"),
}  # fmt: skip
FIXED: Final = {"CampaignMember": ("CampaignId", "Lead")}
LARGEST: Final = 200
QUERY: Final = re.compile(r"SELECT (?P<names>.*) FROM Account WHERE (?P<where>.*) LIMIT (?P<limit>\d+)")
OPPORTUNITIES: Final = re.compile(r", \(SELECT [\w, ]+ FROM Opportunities WHERE IsClosed = false [^)]*\)")
EQUAL: Final = re.compile(r"(\w+) = '([^']*)'")
ONE_OF: Final = re.compile(r"(\w+) IN \(([^)]*)\)")
EMPTY: Final = re.compile(r"AND (\w+) = null")


def refuse(status: int, reason: str) -> Response:
    """`[{"errorCode", "message"}]`."""
    code = CODES.get(status, "UNKNOWN_EXCEPTION")
    return JSONResponse([{"errorCode": code, "message": f"The request was refused ({reason})."}], status)


def app(ledger: Ledger) -> Starlette:
    """Serves what the module says, below /services."""
    org = _Org(ledger)
    data = "/services/data/{version}"
    return Starlette(
        routes=[
            Route("/services/oauth2/token", _token, methods=["POST"]),
            Route(data + "/composite/sobjects/{type}/{field}", _known(org.upsert), methods=["PATCH"]),
            Route(data + "/sobjects/{type}/{field}/{key}", _known(org.read)),
            Route(data + "/sobjects/{type}/{id}", _known(org.update), methods=["PATCH"]),
            Route(data + "/query", _known(org.query)),
            Route("/services/apexrest/revenueflow/v1/convert", _known(org.convert), methods=["POST"]),
        ]
    )


async def _token(request: Request) -> Response:
    form = await request.form()
    if form.get("grant_type") != "client_credentials" or not form.get("client_id") or not form.get("client_secret"):
        return JSONResponse({"error": "invalid_client", "error_description": "invalid client credentials"}, 400)
    url = f"{request.url.scheme}://{request.url.netloc}"
    return JSONResponse({"access_token": TOKEN, "instance_url": url, "token_type": "Bearer"})


def _known(serve: Serve) -> Serve:
    async def guarded(request: Request) -> Response:
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return refuse(401, "token")
        return await serve(request)

    return guarded


class _Org:
    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._keyed: dict[tuple[str, str], str] = {}

    def _place(self, kind: str, key: str) -> str:
        """Where the ledger has the record with this key: under the first that it had."""
        return self._keyed.get((kind, key), key)

    async def upsert(self, request: Request) -> Response:
        """Row by row; the answer is 200 whatever became of them."""
        kind, field = request.path_params["type"], request.path_params["field"]
        records = _records(await request.body())
        if kind not in STANDARD or not field.endswith("__c"):
            return refuse(404, "type or field")
        if not 0 < len(records) <= LARGEST:
            return refuse(400, "count")
        lag, keys = exchange_of(request).faults.lag_ms / 1000, [str(record.get(field, "")) for record in records]
        rows = [
            _failed("DUPLICATE_VALUE") if keys.count(key) > 1 else self._row(kind, field, record, lag)
            for key, record in zip(keys, records, strict=True)
        ]
        return JSONResponse(rows)

    async def read(self, request: Request) -> Response:
        """The fields that were asked for; null where unset."""
        kind = request.path_params["type"]
        found = self._ledger.get(kind, self._place(kind, request.path_params["key"])) if kind in STANDARD else None
        if found is None:
            return refuse(404, "unknown")
        names = request.query_params.get("fields", "Id").split(",")
        return JSONResponse(_shown(kind, found[0].id, {**found[1], **self._of_itself(kind, found[0])}, names))

    async def update(self, request: Request) -> Response:
        """One record by its id: 204. It may get a key."""
        kind = request.path_params["type"]
        found = next((one for one in self._ledger.of(kind) if one.id == request.path_params["id"]), None)
        given = orjson.loads(await request.body())
        if found is None:
            return refuse(404, "unknown")
        if any(self._unfit(kind, name, value) for name, value in given.items()):
            return refuse(400, "field")
        self._ledger.put(kind, found.record_key, given, exchange_of(request).faults.lag_ms / 1000)
        self._keyed |= {(kind, str(value)): found.record_key for name, value in given.items() if "Key__c" in name}
        return Response(status_code=204)

    async def query(self, request: Request) -> Response:
        """Accounts of which some field has a value and, of each that is found, its open opportunities."""
        match = QUERY.fullmatch(request.query_params.get("q", ""))
        if match is None:
            return refuse(400, "query")
        names = OPPORTUNITIES.sub("", match["names"])
        found = [
            _shown("Account", record.id, record.fields() or {}, names.split(", "))
            | ({"Opportunities": self._opportunities(record)} if names != match["names"] else {})
            for record in self._ledger.of("Account")
            if _is_asked_for(record.fields() or {}, match["where"])
        ][: int(match["limit"])]
        return JSONResponse({"totalSize": len(found), "done": True, "records": found})

    def _opportunities(self, account: Record) -> dict[str, Any] | None:
        """Null, as in the real one, if there is none."""
        named = ["OwnerId", "LastModifiedDate"]
        there = [
            _shown("Opportunity", one.id, held | {"LastModifiedDate": one.writes[-1].time}, named)
            for one in self._ledger.of("Opportunity")
            if self._is_of(held := one.fields() or {}, account) and not str(held.get("StageName")).startswith("Closed")
        ]
        there.sort(key=lambda one: str(one["LastModifiedDate"]), reverse=True)
        return {"totalSize": len(there), "done": True, "records": there} if there else None

    def _is_of(self, opportunity: Fields, account: Record) -> bool:
        link = opportunity.get("Account")
        keys = [value for name, value in link.items() if name != "attributes"] if isinstance(link, dict) else []
        places = [self._place("Account", str(key)) for key in keys]
        return account.record_key in places or opportunity.get("AccountId") == account.id

    async def convert(self, request: Request) -> Response:
        """Once: a lead that is converted is answered the same again."""
        asked = orjson.loads(await request.body())
        found = self._ledger.get("Lead", asked["recordKey"])
        if found is None:
            return refuse(400, "unknown lead")
        if not found[1].get("IsConverted"):
            name = asked.get("opportunityName")
            self._ledger.put("Lead", asked["recordKey"], {"IsConverted": True, "ConvertedOpportunity": name}, 0)
        return JSONResponse({"leadId": found[0].id})

    def _of_itself(self, kind: str, record: Record) -> Fields:
        """What no caller writes: when it was made, and of a lead the day of the last task that is closed."""
        days = [
            task["ActivityDate"]
            for one in self._ledger.of("Task")
            if kind == "Lead" and (task := one.fields() or {}).get("Status") == "Completed" and task.get("ActivityDate")
            if record.record_key in (task.get("Who") or {}).values()
        ]
        return {"CreatedDate": record.writes[0].time, "LastActivityDate": max(days, default=None)}

    def _row(self, kind: str, field: str, record: Fields, lag: float) -> dict[str, Any]:
        key = self._place(kind, str(record.get(field) or ""))
        held = self._ledger.find(kind, key)
        given = {name: value for name, value in record.items() if name != "attributes"}
        code = self._wrong(kind, given, (held.fields() or {}) if held else None) if key else "MISSING_ARGUMENT"
        if code:
            return _failed(code)
        made, status = self._ledger.put(kind, key, given, lag)
        return {"id": made.id, "success": True, "errors": [], "created": status == 201}

    def _wrong(self, kind: str, given: Fields, held: Fields | None) -> str | None:
        if held is None and any(not given.get(name) for name in NEEDED.get(kind, ())):
            return "REQUIRED_FIELD_MISSING"
        if held is not None and any(name in given for name in FIXED.get(kind, ())):
            return "INVALID_FIELD_FOR_INSERT_UPDATE"
        if held is not None and held.get("IsConverted"):
            return "CANNOT_UPDATE_CONVERTED_LEAD"
        return next((code for name, value in given.items() if (code := self._unfit(kind, name, value))), None)

    def _unfit(self, kind: str, name: str, value: Any) -> str | None:
        if isinstance(value, dict):
            there, key = value["attributes"]["type"], next(one for at, one in value.items() if at != "attributes")
            return None if self._ledger.find(there, self._place(there, str(key))) else "INVALID_FIELD"
        if name == "OwnerId" or name.endswith("__c"):
            return None
        if name not in STANDARD[kind]:
            return "INVALID_FIELD"
        return "STRING_TOO_LONG" if len(str(value)) > STANDARD[kind][name] else None


def _is_asked_for(held: Fields, where: str) -> bool:
    """Whether any of the values is there, and what must be empty is."""
    if any(held.get(name) for name in EMPTY.findall(where)):
        return False
    listed = [(name, value) for name, values in ONE_OF.findall(where) for value in re.findall("'([^']*)'", values)]
    return any(held.get(name) == value for name, value in (*EQUAL.findall(where), *listed))


def _records(body: bytes) -> list[Fields]:
    sent = orjson.loads(body)
    records = sent.get("records") if isinstance(sent, dict) else None
    return records if isinstance(records, list) else []


def _failed(code: str) -> dict[str, Any]:
    error = {"statusCode": code, "message": "The row was refused.", "fields": []}
    return {"success": False, "errors": [error]}


def _shown(kind: str, record_id: str, held: Fields, names: list[str]) -> dict[str, Any]:
    """Times come back as Salesforce writes them."""
    shown = {name: _as_read(held.get(name)) for name in names}
    return {"attributes": {"type": kind}, **shown, "Id": record_id}


def _as_read(value: Any) -> Any:
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", value):
        return value.replace("Z", ".000+0000")
    return value
