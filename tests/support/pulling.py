"""A Marketo that does what a test says, over real HTTP: its leads, its activities, and the errors that come first."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from revenueflow.privacy.identity import IdentityKey
from revenueflow.sources.marketo_pull import MarketoPull
from revenueflow.sources.marketo_rest import MarketoRest
from tests.support.vendor_server import VendorServer


def error(code: str) -> Response:
    """Marketo's envelope for an error."""
    return JSONResponse({"requestId": "r", "success": False, "errors": [{"code": code, "message": "no"}]})


def success(**said: Any) -> Response:
    """Marketo's envelope for an answer."""
    return JSONResponse({"requestId": "r", "success": True, **said})


def stamp(seconds_ago: float) -> str:
    """A time as Marketo writes it."""
    return (datetime.now(UTC) - timedelta(seconds=seconds_ago)).strftime("%Y-%m-%dT%H:%M:%SZ")


class ScriptedMarketo:
    """`pages` are lists of activities; `first` holds answers that come before all others to REST calls."""

    def __init__(self, server: VendorServer) -> None:
        self.server = server
        self.leads: dict[int, dict[str, Any]] = {}
        self.pages: list[list[dict[str, Any]]] = [[]]
        self.first: deque[Response] = deque()
        self.granted: list[str] = []
        self.void: set[str] = set()
        self.expires_in = 3599
        server.answer = self.answer

    def lead(self, number: int, *, seconds_ago: float = 0.0, page: int = 0, **fields: Any) -> dict[str, Any]:
        """A lead with one activity on a page."""
        self.leads[number] = {
            "id": number,
            "email": f"lead{number}@northwind-mills.example",
            "firstName": "Ann",
        } | fields
        while len(self.pages) <= page:
            self.pages.append([])
        activity = {"id": 1000 + number, "marketoGUID": f"guid-{number}", "leadId": number, "activityTypeId": 12,
                    "activityDate": stamp(seconds_ago)}  # fmt: skip
        self.pages[page].append(activity)
        return activity

    def rest_calls(self, name: str = "") -> list[dict[str, str]]:
        """The parameters of each REST call whose path ends so."""
        return [one.params for one in self.server.seen if "/rest/" in one.path and one.path.endswith(name)]

    async def answer(self, request: Request) -> Response:
        """As Marketo answers."""
        path = request.url.path
        if path == "/identity/oauth/token":
            self.granted.append(f"token-{len(self.granted) + 1}")
            return JSONResponse({"access_token": self.granted[-1], "expires_in": self.expires_in, "scope": "s"})
        if request.headers["authorization"].removeprefix("Bearer ") in self.void:
            return error("602")
        if self.first:
            return self.first.popleft()
        if path.endswith("pagingtoken.json"):
            return success(nextPageToken="0")
        if path.endswith("activities.json"):
            return self._page(int(request.query_params["nextPageToken"]))
        ids = [int(one) for one in request.query_params["filterValues"].split(",")]
        fields = request.query_params["fields"].split(",")
        found = [self.leads[one] for one in ids if one in self.leads]
        return success(result=[{name: lead.get(name) for name in fields} for lead in found])

    def _page(self, number: int) -> Response:
        items = self.pages[number] if number < len(self.pages) else []
        more = {"nextPageToken": str(number + 1), "moreResult": number + 1 < len(self.pages)}
        return success(**more, **({"result": items} if items else {}))

    def client(self) -> MarketoRest:
        """Ours, that pauses for no time at all."""
        return MarketoRest(self.server.url, "id", "secret", pause=0.0)

    def puller(self, direct: Any, key: IdentityKey, *, grace: float = 0.0, fields: Sequence[str] = ()) -> MarketoPull:
        """Ours, with an overlap of ten minutes."""
        return MarketoPull(self.client(), direct, key, types=(12, 2), grace=grace, overlap=600, fields=fields)
