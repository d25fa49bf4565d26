"""HubSpot's wire: reading one record, on the dated path and on v3; the CRM API; the journal and its tokens."""

from __future__ import annotations

from typing import Any, Final
from uuid import uuid4

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from revenueflow.sandbox import hubspot_journal
from revenueflow.sandbox.hubspot_crm import Portal, routes
from revenueflow.sandbox.ledger import Ledger
from revenueflow.sandbox.records import JournalFiles

USUAL: Final = ("createdate", "email", "firstname", "hs_object_id", "lastmodifieddate", "lastname")
MADE: Final = "2026-10-01T08:00:00.000Z"
CATEGORIES: Final = {
    400: ("VALIDATION_ERROR", "The request is not valid."),
    401: ("INVALID_AUTHENTICATION", "Authentication credentials not found."),
    403: ("MISSING_SCOPES", "This app hasn't been granted all required scopes."),
    404: ("OBJECT_NOT_FOUND", "Object not found."),
    409: ("CONFLICT", "Contact already exists."),
    429: ("RATE_LIMITS", "You have reached your ten_secondly_rolling limit."),
}


def refuse(status: int, reason: str) -> Response:
    """`{"status": "error", "message", "correlationId", "category"}`; 429 with `policyName`."""
    category, message = CATEGORIES.get(status, ("INTERNAL_ERROR", "Something went wrong."))
    error = {"status": "error", "message": message, "correlationId": str(uuid4()), "category": category}
    if status == 429:
        error |= {
            "errorType": "RATE_LIMIT",
            "policyName": "DAILY" if reason == "quota" else "TEN_SECONDLY_ROLLING",
        }
    return JSONResponse(error, status, {"retry-after": "1"} if status == 429 else {})


def app(contacts: dict[str, dict[str, Any]], journal: JournalFiles, ledger: Ledger) -> Starlette:
    """Serves /crm/objects/2026-09/{type}/{id}, /crm/v3/objects/contacts/{id}, the journal, and hubspot_crm's."""
    portal = Portal(ledger, contacts, refuse)

    async def serve(request: Request) -> Response:
        if not request.headers.get("authorization", "").startswith("Bearer "):
            return refuse(401, "key")
        number, kind = request.path_params["id"], request.path_params.get("type", "contacts")
        if field := request.query_params.get("idProperty"):
            contact = portal.read(kind, field, number)
        else:
            contact = contacts.get(number) if kind == "contacts" else None
        if contact is None:
            return refuse(404, "unknown")
        return JSONResponse(_shown(contact, request.query_params.getlist("properties")))

    paths = ("/crm/objects/2026-09/{type}/{id}", "/crm/v3/objects/contacts/{id}")
    return Starlette(
        routes=[
            *routes(portal, refuse),
            *hubspot_journal.routes(journal, refuse),
            *(Route(path, serve) for path in paths),
        ]
    )


def _shown(contact: dict[str, Any], asked: list[str]) -> dict[str, Any]:
    """The properties that were asked for, null where unset; all values are text, as HubSpot sends them."""
    held = {
        "createdate": MADE, "lastmodifieddate": MADE, "hs_object_id": contact["id"], **contact["properties"],
    }  # fmt: skip
    names = [name.strip() for part in asked for name in part.split(",") if name.strip()] or list(USUAL)
    always = ("createdate", "hs_object_id", "lastmodifieddate")
    properties = {name: _text(held.get(name)) for name in (*always, *names)}
    return {
        "id": str(contact["id"]),
        "properties": properties,
        "createdAt": held["createdate"],
        "updatedAt": held["lastmodifieddate"],
        "archived": False,
    }


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
