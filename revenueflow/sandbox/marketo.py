"""Marketo's wire: tokens, paging tokens, activities and leads. Its errors are HTTP 200 with codes as text.

It knows no lead until `PUT /_sandbox/marketo/activities` adds some; see records.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime
from typing import Any, Final
from uuid import uuid4

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from revenueflow.sandbox.records import MarketoRecords

TOKEN: Final = "marketo-sandbox"  # noqa: S105 - nobody is kept out
PAGE: Final = 300
MESSAGES: Final = {
    "600": "Access token not specified",
    "601": "Access token invalid",
    "604": "Request timed out",
    "606": "Max rate limit '100' exceeded with in '20' secs",
    "607": "Daily quota reached",
    "608": "API Temporarily Unavailable",
    "611": "System error",
    "1003": "Required parameter is missing",
}
CODES: Final = {401: "601", 429: "606", 500: "611", 503: "608", 504: "604"}


def refuse(status: int, reason: str) -> Response:
    """`{"requestId", "success": false, "errors": [{"code", "message"}]}` with HTTP 200; else a plain 502."""
    code = "607" if reason == "quota" else CODES.get(status)
    return Response("Bad Gateway", 502) if code is None else _error(code)


def app(records: MarketoRecords) -> Starlette:
    """Serves /identity/oauth/token and /rest/v1/…"""

    async def token(request: Request) -> Response:
        asked = request.query_params
        if asked.get("grant_type") != "client_credentials" or not (
            asked.get("client_id") and asked.get("client_secret")
        ):
            return JSONResponse({"error": "unauthorized", "error_description": "No client with requested id"}, 401)
        return JSONResponse({"access_token": TOKEN, "token_type": "bearer", "expires_in": 3599, "scope": "api@sandbox"})

    async def paging(request: Request) -> Response:
        since = request.query_params.get("sinceDatetime")
        return _result(nextPageToken=_place(0, since)) if since else _error("1003")

    async def activities(request: Request) -> Response:
        place, types = request.query_params.get("nextPageToken"), request.query_params.get("activityTypeIds")
        return _result(**_page(records.activities, place, types)) if place and types else _error("1003")

    async def leads(request: Request) -> Response:
        asked = request.query_params
        if asked.get("filterType") != "id" or not asked.get("filterValues"):
            return _error("1003")
        ids = [int(value) for value in asked["filterValues"].split(",") if value.isdecimal()]
        fields = asked.get("fields", "id,email,firstName,lastName").split(",")
        found = [records.leads[one] for one in ids[:PAGE] if one in records.leads]
        return _result(result=[{name: lead.get(name) for name in fields} | {"id": lead["id"]} for lead in found])

    served = {"activities/pagingtoken": paging, "activities": activities, "leads": leads}
    return Starlette(
        routes=[
            Route("/identity/oauth/token", token),
            *(Route(f"/rest/v1/{name}.json", _authorised(serve)) for name, serve in served.items()),
        ]
    )


def _authorised(serve: Any) -> Any:
    async def checked(request: Request) -> Response:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer":
            return _error("600")
        answer: Response = await serve(request) if token == TOKEN else _error("601")
        return answer

    return checked


def _page(activities: list[dict[str, Any]], place: str, types: str) -> dict[str, Any]:
    begin, since = _read(place)
    wanted = {int(one) for one in types.split(",")}
    page = activities[begin : begin + PAGE]
    chosen = [one for one in page if one["activityTypeId"] in wanted and _moment(one["activityDate"]) >= since]
    more = begin + PAGE < len(activities)
    following = _place(begin + len(page), since.isoformat())
    return {"moreResult": more, "nextPageToken": following} | ({"result": chosen} if chosen else {})


def _place(begin: int, since: str) -> str:
    return urlsafe_b64encode(f"{begin} {since}".encode()).decode()


def _read(place: str) -> tuple[int, datetime]:
    begin, _, since = urlsafe_b64decode(place).decode().partition(" ")
    return int(begin), _moment(since)


def _moment(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _result(**said: Any) -> Response:
    return JSONResponse({"requestId": uuid4().hex[:12], "success": True, **said})


def _error(code: str) -> Response:
    errors = [{"code": code, "message": MESSAGES.get(code, "Error")}]
    return JSONResponse({"requestId": uuid4().hex[:12], "success": False, "errors": errors})
