"""Evidence on demand, and what evidence costs."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from revenueflow.api.deps import AppState, Principal, TraceId, require
from revenueflow.clock import utcnow
from revenueflow.db import controls, jobs_view, leads, spend
from revenueflow.domain.lead import Lead
from revenueflow.errors import Conflict, NotFound
from revenueflow.pipeline import demand

router = APIRouter(prefix="/v1", tags=["enrichment"])
Operator = Annotated[Principal, Depends(require("operator"))]
Reader = Annotated[Principal, Depends(require("reader", "operator", "auditor"))]


@router.post("/leads/{lead_id}/enrich", status_code=202, operation_id="enrichLead")
async def enrich_lead(
    lead_id: UUID,
    state: AppState,
    trace_id: TraceId,
    operator: Operator,
    refresh: Annotated[bool, Query(description="forget what providers have said of it: ask, and pay, again")] = False,
) -> dict[str, Any]:
    """Looks a lead up again, and scores and routes it by what is found; answers that are fresh are not paid again."""
    async with state.database.transaction() as session:
        row = await leads.get(session, lead_id)
        stopped = await jobs_view.stopped_of_lead(session, lead_id)
    if row is None or row["erased_at"]:
        raise NotFound("there is no lead with this id that has been captured")
    if stopped:
        raise Conflict("the lead waits for a person, or is dead; set it going again with POST /v1/leads/{id}/retry")
    if refresh:
        lead = Lead(id=lead_id, email=row["email"], domain=row["domain"], received_at=row["received_at"])
        await demand.forget_answers(state.direct, state.identity, lead)
    await demand.enrich(state.direct, [lead_id], actor=f"key:{operator.key_id}", trace_id=trace_id)
    state.poke()
    return {"lead_id": lead_id, "status": "queued"}


@router.get("/spend", operation_id="getSpend")
async def get_spend(
    state: AppState, _: Reader, days: Annotated[int, Query(ge=1, le=400, description="how many days back")] = 7
) -> dict[str, Any]:
    """US dollars that providers cost, by day, provider and campaign; and whether spending is stopped."""
    since = (utcnow() - timedelta(days=days - 1)).date().isoformat()
    async with state.database.transaction() as session:
        rows, switches = await spend.since(session, since), await controls.current(session)
    return {"stopped": any(one["name"] == spend.STOPPED for one in switches), "items": rows}
