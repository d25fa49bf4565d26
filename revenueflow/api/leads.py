"""Leads over HTTP: send one, find one, and see everything that happened to it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import APIRouter, Depends, Query, Request, Response

from revenueflow.api import body, views
from revenueflow.api.deps import AppState, Principal, TraceId, require
from revenueflow.api.examples import V1_LEAD_OPENAPI
from revenueflow.api.idempotency import REPLAYED, IdempotencyKey, of_caller
from revenueflow.api.webhooks import answer
from revenueflow.clock import rfc3339
from revenueflow.db import deliveries, leads, routed, timeline
from revenueflow.db.timeline import Place
from revenueflow.domain.lead import LeadStatus
from revenueflow.errors import IdempotencyMismatch, NotFound
from revenueflow.sources import api as source

router = APIRouter(prefix="/v1/leads", tags=["leads"])

Sender = Annotated[Principal, Depends(require("ingest", "operator"))]
Reader = Annotated[Principal, Depends(require("reader", "operator", "auditor"))]
Limit = Annotated[int, Query(ge=1, le=200, description="most items in the answer")]
Cursor = Annotated[str | None, Query(max_length=500, description="next_cursor of the page before")]


@router.post("", status_code=202, operation_id="createLead", openapi_extra=V1_LEAD_OPENAPI)
async def create_lead(
    request: Request,
    state: AppState,
    trace_id: TraceId,
    sender: Sender,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Takes a lead. It is on disk when the answer comes; the same Idempotency-Key gives the same answer."""
    body.refuse_encoded(request)
    raw = await body.read(request, state.settings.api.body_limit)
    content_type, key = request.headers.get("content-type", ""), of_caller(sender, idempotency_key)
    arrival = source.read(raw, content_type, key, state.settings.config_dir)
    receipt = (await state.ingress.accept([arrival], trace_id))[0]
    if receipt.status == "mismatch":
        raise IdempotencyMismatch("this Idempotency-Key was used for another body; use a new key for a new request")
    headers, told = {"Location": f"/v1/leads/{receipt.lead_id}"}, answer(receipt)
    if idempotency_key and receipt.duplicate:  # the answer that was given, or was lost on its way, the first time
        headers[REPLAYED] = "true"
        told |= {"status": "accepted", "duplicate": False}
    return Response(orjson.dumps(told), 202, headers, media_type="application/json")


@router.get("", operation_id="listLeads")
async def list_leads(
    request: Request,
    response: Response,
    state: AppState,
    _: Reader,
    limit: Limit = 50,
    cursor: Cursor = None,
    campaign: Annotated[str | None, Query(max_length=200, pattern=r"^[^\x00]*$")] = None,
    status: LeadStatus | None = None,
) -> dict[str, Any]:
    """Leads, newest first."""
    received_at, lead_id = views.read_cursor(cursor, datetime, UUID) if cursor else (None, None)
    before = (received_at, lead_id) if received_at and lead_id else None
    async with state.database.transaction() as session:
        rows = await leads.page(session, limit=limit + 1, before=before, campaign_id=campaign, status=status)
    last = rows[limit - 1] if len(rows) > limit else None
    following = views.cursor(last["received_at"], str(last["id"])) if last else None
    views.link_next(request, response, following)
    return {"items": [views.lead(row) for row in rows[:limit]], "next_cursor": following}


@router.get("/{lead_id}", operation_id="getLead")
async def get_lead(lead_id: UUID, state: AppState, _: Reader) -> dict[str, Any]:
    """One lead; known from its 202 on. `routing`: every rule that was tried, and every rep with why not."""
    async with state.database.transaction() as session:
        if row := await leads.get(session, lead_id):
            return views.lead(row) | {"routing": await routed.way(session, lead_id)}
        first = await deliveries.first_of_lead(session, lead_id)
    if first is None:
        raise NotFound("there is no lead with this id")
    return views.uncaptured(lead_id, first) | {"routing": None}


@router.get("/{lead_id}/timeline", operation_id="getLeadTimeline")
async def get_timeline(
    lead_id: UUID,
    request: Request,
    response: Response,
    state: AppState,
    _: Reader,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
    cursor: Cursor = None,
) -> dict[str, Any]:
    """Everything that happened to a lead, in order: evidence, claims, verdicts, score, rule, writes, audit."""
    after = Place(*views.read_cursor(cursor, datetime, int, str)) if cursor else timeline.START
    async with state.database.transaction() as session:
        items = await timeline.page(session, lead_id, after=after, limit=limit + 1)
    if not items and not cursor:
        raise NotFound("there is no lead with this id")
    last = items[limit - 1] if len(items) > limit else None
    following = views.cursor(last["at"], last["rank"], last["sort"]) if last else None
    views.link_next(request, response, following)
    return {"items": [_item(item) for item in items[:limit]], "next_cursor": following}


def _item(item: dict[str, Any]) -> dict[str, Any]:
    return {"type": item["type"], "at": rfc3339(item["at"]), "id": item["id"], "data": item["data"]}
