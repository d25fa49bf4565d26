"""Campaigns over HTTP: how their leads stand, and pulling them from where they are kept."""

from __future__ import annotations

from contextlib import aclosing
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from revenueflow.api import views
from revenueflow.api.deps import AppState, Principal, TraceId, require
from revenueflow.clock import rfc3339
from revenueflow.db import campaigns, leads
from revenueflow.domain.lead import LeadStatus
from revenueflow.errors import Conflict, NotFound, UpstreamRejected
from revenueflow.sources import aturiya, configured

router = APIRouter(prefix="/v1/campaigns", tags=["campaigns"])

Reader = Annotated[Principal, Depends(require("reader", "operator", "auditor"))]
Operator = Annotated[Principal, Depends(require("operator"))]
Limit = Annotated[int, Query(ge=1, le=200, description="most items in the answer")]
Cursor = Annotated[str | None, Query(max_length=500, description="next_cursor of the page before")]
# A campaign's name may hold slashes.
CampaignId = Annotated[str, Path(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]

_PULL: dict[int | str, dict[str, Any]] = {
    404: {"description": "Aturiya has no campaign with this id.", "content": {"application/problem+json": {}}},
    409: {"description": "Aturiya is not set up.", "content": {"application/problem+json": {}}},
    502: {"description": "Aturiya failed; what came before is kept.", "content": {"application/problem+json": {}}},
}


@router.get("", operation_id="listCampaigns")
async def list_campaigns(
    request: Request, response: Response, state: AppState, _: Reader, limit: Limit = 50, cursor: Cursor = None
) -> dict[str, Any]:
    """Campaigns by id, with their leads by status. Name, source and size at the source where a source told them."""
    after = views.read_cursor(cursor, str)[0] if cursor else ""
    async with state.database.transaction() as session:
        rows = await campaigns.page(session, limit=limit + 1, after=after)
    following = views.cursor(rows[limit - 1]["id"]) if len(rows) > limit else None
    views.link_next(request, response, following)
    return {"items": [_shown(row) for row in rows[:limit]], "next_cursor": following}


@router.get("/{campaign_id:path}/leads", operation_id="listCampaignLeads")
async def list_leads(
    campaign_id: CampaignId,
    request: Request,
    response: Response,
    state: AppState,
    _: Reader,
    limit: Limit = 50,
    cursor: Cursor = None,
    status: LeadStatus | None = None,
) -> dict[str, Any]:
    """The leads of a campaign, newest first."""
    received_at, lead_id = views.read_cursor(cursor, datetime, UUID) if cursor else (None, None)
    before = (received_at, lead_id) if received_at and lead_id else None
    async with state.database.transaction() as session:
        rows = await leads.page(session, limit=limit + 1, before=before, campaign_id=campaign_id, status=status)
        if not rows and not await campaigns.known(session, campaign_id):
            raise NotFound("there is no campaign with this id")
    last = rows[limit - 1] if len(rows) > limit else None
    following = views.cursor(last["received_at"], str(last["id"])) if last else None
    views.link_next(request, response, following)
    return {"items": [views.lead(row) for row in rows[:limit]], "next_cursor": following}


@router.post("/{campaign_id:path}/pull", operation_id="pullCampaign", responses=_PULL)
async def pull(
    campaign_id: CampaignId,
    state: AppState,
    trace_id: TraceId,
    _: Operator,
    limit: Annotated[int, Query(ge=1, le=100_000, description="most leads")] = 10_000,
) -> dict[str, Any]:
    """Pulls the leads of a campaign from Aturiya. Again, it stores only what has changed."""
    client = configured.aturiya(state.settings)
    if client is None:
        raise Conflict(f"there is no source to pull from: set {configured.ATURIYA_SETTINGS}")
    async with aclosing(client):
        try:
            pulled = await aturiya.pull_campaign(
                client, state.ingress, state.database, campaign_id, trace_id=trace_id, limit=limit
            )
        except UpstreamRejected as error:
            if error.reason == "not_found":
                raise NotFound("Aturiya has no campaign with this id") from None
            raise
        await aturiya.pull_names(client, state.database)
    return {
        "campaign_id": campaign_id,
        "leads": pulled.leads,
        "accepted": pulled.accepted,
        "duplicates": pulled.duplicates,
        "quarantined": pulled.quarantined,
        "complete": pulled.complete,
    }


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    return row | {"pulled_at": rfc3339(row["pulled_at"]) if row["pulled_at"] else None}
