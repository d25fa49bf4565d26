"""The wire of HubSpot's webhooks journal: pages of addresses, and the files behind them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from revenueflow.sandbox.records import JournalFiles

BATCH: Final = "/webhooks-journal/journal/2026-03/batch"
TOKEN: Final = "hubspot-journal-sandbox"  # noqa: S105 - nobody is kept out
SECONDS: Final = 1800


def routes(journal: JournalFiles, refuse: Callable[[int, str], Response]) -> list[Route]:
    """The journal, its files (which need no key, like those that HubSpot gives addresses of), and tokens for it."""

    async def token(request: Request) -> Response:
        async with request.form() as form:
            good = (
                form.get("grant_type") == "client_credentials" and form.get("client_id") and form.get("client_secret")
            )
        return (
            JSONResponse({"access_token": TOKEN, "expires_in": SECONDS, "token_type": "bearer"})
            if good
            else refuse(400, "grant")
        )

    async def page(request: Request) -> Response:
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return refuse(401, "key")
        try:
            files = journal.after(request.path_params.get("offset"), request.path_params["count"])
        except ValueError:
            return refuse(404, "unknown")
        now = _now()
        results = [_listed(request, file) for file in files]
        return JSONResponse({"status": "COMPLETE", "results": results, "startedAt": now, "completedAt": now})

    async def file(request: Request) -> Response:
        found = next((one for one in journal.files if one["offset"] == request.path_params["offset"]), None)
        if found is None:
            return refuse(404, "unknown")
        return JSONResponse({"offset": found["offset"], "publishedAt": _now(), "journalEvents": found["events"]})

    return [
        Route("/oauth/v1/token", token, methods=["POST"]),
        Route(BATCH + "/earliest/{count:int}", page),
        Route(BATCH + "/{offset}/next/{count:int}", page),
        Route("/_journal/{offset}.json", file),
    ]


def _listed(request: Request, file: dict[str, Any]) -> dict[str, str]:
    url = file["url"] or f"{request.base_url}_journal/{file['offset']}.json"
    return {"url": url, "currentOffset": file["offset"], "expiresAt": _now(600)}


def _now(later: float = 0) -> str:
    return (datetime.now(UTC) + timedelta(seconds=later)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
