"""The fake CRM: PUT and GET on /records/{type}/{record_key}."""

from __future__ import annotations

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from revenueflow.sandbox.ledger import Fields, Ledger
from revenueflow.sandbox.middleware import exchange_of

TITLES = {400: "bad_request", 401: "unauthorized", 404: "not_found", 429: "rate_limited"}


def refuse(status: int, reason: str) -> Response:  # noqa: ARG001
    """`{"error"}`."""
    headers = {"retry-after": "1"} if status in (429, 503) else {}
    return JSONResponse({"error": TITLES.get(status, f"status_{status}")}, status, headers)


def app(ledger: Ledger) -> Starlette:
    """PUT `{"fields": {…}}` merges: 201 or 200; GET: 200 or 404; both answer `{"id", "fields"}`."""

    async def serve(request: Request) -> Response:
        token = request.headers.get("authorization", "").removeprefix("Bearer ").strip()
        if not token:
            return refuse(401, "key")
        key = request.path_params["type"], request.path_params["record_key"]
        return await _put(request, key) if request.method == "PUT" else _get(key)

    async def _put(request: Request, key: tuple[str, str]) -> Response:
        fields = _fields(await request.body())
        if fields is None:
            return refuse(400, "input")
        record, status = ledger.put(*key, fields, exchange_of(request).faults.lag_ms / 1000)
        return JSONResponse({"id": record.id, "fields": record.fields()}, status)

    def _get(key: tuple[str, str]) -> Response:
        found = ledger.get(*key)
        return JSONResponse({"id": found[0].id, "fields": found[1]}) if found else refuse(404, "unknown")

    return Starlette(routes=[Route("/records/{type}/{record_key}", serve, methods=["PUT", "GET"])])


def _fields(body: bytes) -> Fields | None:
    try:
        sent = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    fields = sent.get("fields") if isinstance(sent, dict) else None
    return fields if isinstance(fields, dict) else None
