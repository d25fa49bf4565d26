"""A person's data over HTTP: export, and erasing, by any of its leads."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from revenueflow.api import body
from revenueflow.api.deps import AppState, Principal, State, TraceId, require
from revenueflow.clock import rfc3339
from revenueflow.db.direct import Direct
from revenueflow.errors import Fault, InvalidInput
from revenueflow.pipeline import erasure, subject_access
from revenueflow.pipeline.erasure import Erased
from revenueflow.telemetry import logs

log = logs.get("privacy")
router = APIRouter(prefix="/v1/leads/{lead_id}/personal-data", tags=["privacy"])
Operator = Annotated[Principal, Depends(require("operator"))]
SHORTEST, LONGEST = 3, 1000
Reason = Annotated[str | None, Query(description="why, 3 to 1000 characters; it may also be in a JSON body")]
BODY = {
    "required": False,
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "properties": {"reason": {"type": "string", "minLength": SHORTEST, "maxLength": LONGEST}},
                "required": ["reason"],
                "additionalProperties": False,
            },
            "example": {"reason": "asked for it by mail, ticket 4711"},
        }
    },
}


class Asked(BaseModel):
    """The body of a request to erase."""

    model_config = ConfigDict(extra="forbid", strict=True)

    reason: str = Field(min_length=SHORTEST, max_length=LONGEST, pattern=r"^[^\x00]*$")


@router.get("", operation_id="exportPersonalData")
async def export_personal_data(lead_id: UUID, state: AppState, trace_id: TraceId, operator: Operator) -> dict[str, Any]:
    """All that is stored about the person of a lead, in every campaign. That it was read is in the audit trail."""
    async with _direct(state) as direct:
        return await subject_access.export(
            direct, state.identity, lead_id, actor=f"key:{operator.key_id}", trace_id=trace_id
        )


@router.delete("", operation_id="erasePersonalData", openapi_extra={"requestBody": BODY})
async def erase_personal_data(
    lead_id: UUID, request: Request, state: AppState, trace_id: TraceId, operator: Operator, reason: Reason = None
) -> dict[str, Any]:
    """Erases the person of a lead in every campaign, for a reason; sent again, it does what is left.

    Runs under way end. What is received of the person from now on waits for an operator. `copies` are the records in
    the CRM and elsewhere that hold the person still.
    """
    why = await _reason(request, state, reason)
    async with _direct(state) as direct:
        told = await erasure.erase(
            direct, state.identity, lead_id, reason=why, actor=f"key:{operator.key_id}", trace_id=trace_id
        )
    log.info("erased", leads=len(told.leads), rows=sum(told.erased.values()), runs_ended=told.runs_ended)
    return shown(told)


def shown(told: Erased) -> dict[str, Any]:
    """What became of it: counts by table, and the copies."""
    return {
        "lead_id": told.lead_id,
        "status": "unchanged" if told.unchanged else "erased",
        "erased_at": rfc3339(told.erased_at),
        "leads": told.leads,
        "runs_ended": told.runs_ended,
        "erased": told.erased,
        "copies": subject_access.copies_view(told.copies),
    }


async def _reason(request: Request, state: State, given: str | None) -> str:
    raw = await body.read(request, state.settings.api.body_limit)
    where = "/body" if raw else "/query"
    try:
        found = orjson.loads(raw) if raw else {"reason": given}
        return Asked.model_validate(found).reason
    except (orjson.JSONDecodeError, ValidationError):
        fault = Fault(f"{where}/reason", f"must say why, in {SHORTEST} to {LONGEST} characters")
        raise InvalidInput("a reason is needed", faults=(fault,)) from None


@asynccontextmanager
async def _direct(state: State) -> AsyncIterator[Direct]:
    # The ingress's own connections are in a hurry; this may wait for others.
    async with Direct(state.settings.database, application="privacy", size=2) as direct:
        yield direct
