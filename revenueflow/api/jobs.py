"""Jobs over HTTP: what stands still, what could not be understood, and setting it going again."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

from revenueflow.api import body, replays, views
from revenueflow.api.deps import AppState, Principal, require
from revenueflow.db import dead_letters, deliveries, jobs_view
from revenueflow.db.dead_letters import STOPPED, Chosen
from revenueflow.errors import Conflict, NotFound
from revenueflow.pipeline.restart import NAMES, process_again, replay

router = APIRouter(prefix="/v1", tags=["jobs"])
Operator = Annotated[Principal, Depends(require("operator"))]
Limit = Annotated[int, Query(ge=1, le=500, description="most items in the answer")]
Cursor = Annotated[str | None, Query(max_length=500, description="next_cursor of the page before")]
Since = Annotated[replays.Moment | None, Query(description="only those that died since then (RFC 3339)")]
FromStep = Annotated[str | None, Query(pattern=f"^({'|'.join(NAMES)})$", description="the first step that runs again")]
SCORED = "score"
Fingerprint = Annotated[str | None, Query(pattern=replays.FINGERPRINT, description="only those with this error")]


@router.get("/dead-letters", operation_id="listDeadLetters", responses=replays.LISTED)
async def list_dead(
    request: Request,
    response: Response,
    state: AppState,
    _: Operator,
    limit: Limit = 100,
    cursor: Cursor = None,
    since: Since = None,
    fingerprint: Fingerprint = None,
) -> dict[str, Any]:
    """Dead jobs, newest first, and all of them grouped by what their errors have in common."""
    created_at, job_id = views.read_cursor(cursor, datetime, UUID) if cursor else (None, None)
    before = (created_at, job_id) if created_at and job_id else None
    chosen = Chosen(("dead",), since, fingerprint)
    async with state.database.transaction() as session:
        groups = await dead_letters.groups(session, chosen)
        rows = await jobs_view.listed(session, chosen, limit=limit + 1, before=before)
    last = rows[limit - 1] if len(rows) > limit else None
    following = views.cursor(last["created_at"], str(last["id"])) if last else None
    views.link_next(request, response, following)
    return {"groups": groups, "items": rows[:limit], "next_cursor": following}


@router.post(
    "/dead-letters/replay",
    status_code=202,
    operation_id="replayDeadLetters",
    openapi_extra={"requestBody": replays.BODY},
    responses=replays.REPLAYED,
)
async def replay_dead(request: Request, state: AppState, operator: Operator) -> dict[str, Any]:
    """Sets dead jobs going again: those named, all since a time, or all with the same error.

    They begin where they stopped, or at `from_step`: then this step and the later ones run again, with the original
    input. Poison jobs, which killed or hung their worker, are left alone unless they are named, or `poison` is true.
    """
    body.refuse_encoded(request)
    raw = await body.read(request, state.settings.api.body_limit)
    asked = replays.read(raw, request.headers.get("content-type", ""))
    told = await replay(
        state.database,
        Chosen(("dead",), asked.since, asked.fingerprint, asked.jobs),
        actor=f"key:{operator.key_id}",
        from_step=asked.from_step,
        poison=asked.poison,
        dry_run=asked.dry_run,
    )
    return {"replayed": len(told.jobs), "left": told.left, "jobs": told.jobs}


@router.get("/quarantine", operation_id="listQuarantine")
async def list_quarantine(state: AppState, _: Operator, limit: Limit = 100) -> dict[str, Any]:
    """Deliveries that could not be understood, without their content."""
    async with state.database.transaction() as session:
        return {"items": await deliveries.quarantined(session, limit)}


@router.post("/leads/{lead_id}/retry", status_code=202, operation_id="retryLead")
async def retry(lead_id: UUID, state: AppState, operator: Operator, from_step: FromStep = None) -> dict[str, Any]:
    """Sets a lead going again: a parked or dead one where it stopped, a processed one from its score on.

    Or from `from_step`. A processed lead makes its next run, by the profiles and rules that are in force now; what was
    paid for before that step is not paid again. Whom a person gave it to keeps it.
    """
    async with state.database.transaction() as session:
        ids = await jobs_view.stopped_of_lead(session, lead_id)
        if not ids and await deliveries.first_of_lead(session, lead_id) is None:
            raise NotFound("there is no lead with this id")
    actor = f"key:{operator.key_id}"
    told = await replay(state.database, Chosen(STOPPED, ids=ids), actor=actor, from_step=from_step) if ids else None
    job = None if ids else await process_again(state.database, lead_id, from_step or SCORED, actor=actor)
    started = told.jobs if told else [job] if job else []
    if not started:
        raise Conflict("a run of the lead is under way, the lead was erased, or it stopped before that step")
    return {"jobs": started}
