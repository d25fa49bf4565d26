"""Aturiya's wire, as defaults/aturiya.toml describes it: two campaigns of people at the companies of companies.json."""

from __future__ import annotations

from typing import Any, Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from revenueflow.sandbox.directory import Directory, companies

LARGEST_PAGE: Final = 100
NAMES: Final = {"atr-operations": "Operations leaders, Q4", "atr-finance": "Finance leaders, Q4"}
MESSAGES: Final = {401: "Unauthorized", 402: "Quota exceeded", 404: "Campaign not found", 422: "Invalid request",
                   429: "Too many requests"}  # fmt: skip


def refuse(status: int, reason: str) -> Response:
    """`{"error": {"code", "message"}}`."""
    error = {"code": reason, "message": MESSAGES.get(status, "Internal error")}
    return JSONResponse({"error": error}, status, {"retry-after": "1"} if status == 429 else {})


def app(directory: Directory | None = None) -> Starlette:
    """Serves /v1/campaigns and /v1/campaigns/{id}/leads."""
    listed = _campaigns(directory or companies())

    async def campaigns(request: Request) -> Response:
        if fault := _fault(request):
            return fault
        rows = [{"id": id_, "name": NAMES[id_], "lead_count": len(leads)} for id_, leads in listed.items()]
        return JSONResponse(_page(request, "campaigns", rows))

    async def leads(request: Request) -> Response:
        if fault := _fault(request):
            return fault
        found = listed.get(request.path_params["id"])
        return refuse(404, "not_found") if found is None else JSONResponse(_page(request, "leads", found))

    return Starlette(routes=[Route("/v1/campaigns", campaigns), Route("/v1/campaigns/{id}/leads", leads)])


def _fault(request: Request) -> Response | None:
    asked = request.query_params
    if not request.headers.get("authorization", "").startswith("Bearer "):
        return refuse(401, "unauthorized")
    numbers = (asked.get("page", "1"), asked.get("per_page", "25"))
    if not (asked.get("user_id") and asked.get("agent_id")) or not all(one.isdecimal() for one in numbers):
        return refuse(422, "invalid")
    return None


def _page(request: Request, name: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    number = max(1, int(request.query_params.get("page", "1")))
    size = min(LARGEST_PAGE, max(1, int(request.query_params.get("per_page", "25"))))
    begin = (number - 1) * size
    following = number + 1 if begin + size < len(rows) else None
    return {name: rows[begin : begin + size], "page": number, "next_page": following, "total": len(rows)}


def _campaigns(directory: Directory) -> dict[str, list[dict[str, Any]]]:
    """Who has to do with money is in one campaign, everybody else in the other."""
    found: dict[str, list[dict[str, Any]]] = {id_: [] for id_ in NAMES}
    for company in directory.all():
        for person in company.get("people") or ():
            id_ = "atr-finance" if "financ" in str(person.get("role") or "").lower() else "atr-operations"
            found[id_].append(_lead(len(found[id_]) + 1, id_, company, person))
    return found


def _lead(number: int, campaign: str, company: dict[str, Any], person: dict[str, Any]) -> dict[str, Any]:
    truth = company.get("truth") or {}
    return {
        "id": f"{campaign}-{number:04}",
        "first_name": person.get("given_name"),
        "last_name": person.get("family_name"),
        "email": person.get("email"),
        "title": person.get("title"),
        "linkedin_url": None,
        "phone_numbers": [],
        "country": truth.get("country_name"),
        "city": truth.get("city"),
        "organization": {
            "name": company.get("name"),
            "website_url": f"https://www.{company['domain']}",
            "industry": truth.get("industry"),
            "estimated_num_employees": truth.get("headcount"),
        },
    }
