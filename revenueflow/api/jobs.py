"""Jobs over HTTP: what stands still, what could not be understood, and setting it going again."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from revenueflow.api.deps import AppState, Principal, require
from revenueflow.db import deliveries, jobs_view
from revenueflow.errors import Conflict, NotFound
from revenueflow.pipeline.restart import restart

router = APIRouter(prefix="/v1", tags=["jobs"])
Operator = Annotated[Principal, Depends(require("operator"))]
Limit = Annotated[int, Query(ge=1, le=500)]


@router.get("/dead-letters", operation_id="listDeadLetters")
async def list_dead(state: AppState, _: Operator, limit: Limit = 100) -> dict[str, Any]:
    """Dead jobs, newest first, with the kind of their last error."""
    async with state.database.transaction() as session:
        return {"items": await jobs_view.listed(session, states=["dead"], limit=limit)}


@router.get("/quarantine", operation_id="listQuarantine")
async def list_quarantine(state: AppState, _: Operator, limit: Limit = 100) -> dict[str, Any]:
    """Deliveries that could not be understood, without their content."""
    async with state.database.transaction() as session:
        return {"items": await deliveries.quarantined(session, limit)}


@router.post("/leads/{lead_id}/retry", status_code=202, operation_id="retryLead")
async def retry(lead_id: UUID, state: AppState, operator: Operator) -> dict[str, Any]:
    """Sets a parked or dead lead going again, from the step where it stopped."""
    async with state.database.transaction() as session:
        ids = await jobs_view.stopped_of_lead(session, lead_id)
        if not ids and await deliveries.first_of_lead(session, lead_id) is None:
            raise NotFound("there is no lead with this id")
        reopened = await restart(session, ids, actor=f"key:{operator.key_id}")
    if not reopened:
        raise Conflict("the lead has no parked or dead job, or another one is under way")
    return {"jobs": [str(job) for job in reopened]}
