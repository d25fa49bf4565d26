"""The audit trail over HTTP, for auditors: events, proofs, and the last signed checkpoint."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

from revenueflow.api import views
from revenueflow.api.deps import AppState, Principal, require
from revenueflow.api.replays import Moment
from revenueflow.audit.events import plain
from revenueflow.audit.proof import proof
from revenueflow.clock import rfc3339
from revenueflow.db import audit_events, audit_log
from revenueflow.errors import NotFound

router = APIRouter(prefix="/v1/audit", tags=["audit"])

Auditor = Annotated[Principal, Depends(require("auditor"))]
Limit = Annotated[int, Query(ge=1, le=500, description="most items in the answer")]
Cursor = Annotated[str | None, Query(max_length=500, description="next_cursor of the page before")]
Since = Annotated[Moment | None, Query(description="only events since then (RFC 3339)")]
Lead = Annotated[UUID | None, Query(description="only events about this lead")]
Action = Annotated[str | None, Query(max_length=100, pattern=r"^[a-z_.]+$", description="such as crm.denied")]

_PROBLEM: dict[str, Any] = {"application/problem+json": {}}
_PROOF: dict[int | str, dict[str, Any]] = {
    404: {"description": "No sealed event has this id.", "content": _PROBLEM},
    503: {"description": "No checkpoint covers the event yet.", "content": _PROBLEM},
}


@router.get("", operation_id="listAuditEvents")
async def list_events(
    request: Request,
    response: Response,
    state: AppState,
    _: Auditor,
    limit: Limit = 100,
    cursor: Cursor = None,
    since: Since = None,
    lead_id: Lead = None,
    action: Action = None,
) -> dict[str, Any]:
    """Events, newest first. They hold ids, codes and counts, and no personal data."""
    before = views.read_cursor(cursor, datetime, UUID) if cursor else None
    async with state.database.transaction() as session:
        rows = await audit_events.page(
            session, limit=limit + 1, before=before, since=since, lead_id=lead_id, action=action
        )
    last = rows[limit - 1] if len(rows) > limit else None
    following = views.cursor(last["ts"], str(last["id"])) if last else None
    views.link_next(request, response, following)
    return {"items": [row | plain(row) for row in rows[:limit]], "next_cursor": following}


@router.get("/checkpoint", operation_id="getAuditCheckpoint", responses={404: _PROOF[404]})
async def last_checkpoint(state: AppState, _: Auditor) -> dict[str, Any]:
    """The last signed checkpoint. Keep it: nothing before it can be changed unseen then."""
    async with audit_log.opened(state.settings.database.url, application="api") as connection:
        found = await audit_log.last_checkpoint(connection)
    if found is None:
        raise NotFound("no checkpoint is signed yet; one is signed each minute")
    return {
        "tree_size": found["tree_size"],
        "root_hash": found["root_hash"].hex(),
        "note": found["note"],
        "created_at": rfc3339(found["created_at"]),
    }


@router.get("/{event_id}/proof", operation_id="proveAuditEvent", responses=_PROOF)
async def prove(event_id: UUID, state: AppState, _: Auditor) -> dict[str, Any]:
    """A proof that the event is in the signed trail: `docs/verify-audit.py` checks it with a public key alone."""
    async with audit_log.snapshot(state.settings.database.url, application="api") as connection:
        return await proof(connection, event_id)
