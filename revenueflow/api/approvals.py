"""Approvals over HTTP: calls that wait for a person, and the person's decision."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from revenueflow.api import body, views
from revenueflow.api.deps import AppState, Principal, require
from revenueflow.db import approvals
from revenueflow.errors import Fault, InvalidInput, NotFound
from revenueflow.mcp.approvals import Decision, decide, shown

router = APIRouter(prefix="/v1/approvals", tags=["approvals"])
Operator = Annotated[Principal, Depends(require("operator"))]
Limit = Annotated[int, Query(ge=1, le=500, description="most items in the answer")]
Cursor = Annotated[str | None, Query(max_length=500, description="next_cursor of the page before")]
State = Annotated[
    Literal["pending", "approved", "used", "denied", "expired", "withdrawn"] | None, Query(description="only these")
]
DECISIONS: dict[str, Decision] = {"approve": "approved", "deny": "denied"}

_PROBLEM: dict[str, Any] = {"application/problem+json": {}}
_NONE: dict[int | str, dict[str, Any]] = {404: {"description": "No approval has this id.", "content": _PROBLEM}}
_DECIDED: dict[int | str, dict[str, Any]] = {
    **_NONE,
    403: {"description": "The rule asks for another role, or it is the caller's own call.", "content": _PROBLEM},
    409: {"description": "Somebody has decided, or the time is over.", "content": _PROBLEM},
    422: {"description": "The body is no decision.", "content": _PROBLEM},
}


class DecisionBody(BaseModel):
    """What a person says to one call."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"decision": "approve"}]})

    decision: Literal["approve", "deny"] = Field(description="approve lets this one call be made, once")


_BODY: dict[str, Any] = {
    "requestBody": {"required": True, "content": {"application/json": {"schema": DecisionBody.model_json_schema()}}}
}


@router.get("", operation_id="listApprovals")
async def list_approvals(
    request: Request,
    response: Response,
    state: AppState,
    _: Operator,
    limit: Limit = 100,
    cursor: Cursor = None,
    which: Annotated[State, Query(alias="state")] = None,
) -> dict[str, Any]:
    """Approvals, newest first, with what would be written."""
    before = views.read_cursor(cursor, UUID)[0] if cursor else None
    async with state.database.transaction() as session:
        rows = await approvals.page(session, limit=limit + 1, state=which, before=before)
    following = views.cursor(str(rows[limit - 1]["id"])) if len(rows) > limit else None
    views.link_next(request, response, following)
    return {"items": [shown(row) for row in rows[:limit]], "next_cursor": following}


@router.get("/{approval_id}", operation_id="getApproval", responses=_NONE)
async def get_approval(approval_id: UUID, state: AppState, _: Operator) -> dict[str, Any]:
    """One approval, with what would be written."""
    async with state.database.transaction() as session:
        found = await approvals.get(session, approval_id)
    if found is None:
        raise NotFound("there is no approval with this id")
    return shown(found)


@router.post("/{approval_id}/decision", operation_id="decideApproval", responses=_DECIDED, openapi_extra=_BODY)
async def decide_approval(approval_id: UUID, request: Request, state: AppState, operator: Operator) -> dict[str, Any]:
    """Approves or denies one call. The job that waits for it goes on at once; an agent makes its call again."""
    body.refuse_encoded(request)
    raw = await body.read(request, state.settings.api.body_limit)
    try:
        given = DecisionBody.model_validate_json(raw)
    except ValidationError:
        fault = Fault("/decision", "must be approve or deny")
        raise InvalidInput(
            'the body must be {"decision": "approve"} or {"decision": "deny"}', faults=(fault,)
        ) from None
    told = await decide(
        state.database,
        approval_id,
        DECISIONS[given.decision],
        by=f"key:{operator.key_id}",
        role=operator.role,
    )
    state.poke()
    return shown(told)
