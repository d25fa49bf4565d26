"""What sales did with a lead, over HTTP."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from pydantic import ValidationError

from revenueflow.api import body
from revenueflow.api.deps import AppState, Principal, TraceId, require
from revenueflow.clock import rfc3339
from revenueflow.domain.sales import SalesOutcome
from revenueflow.errors import Fault, InvalidInput, MalformedInput, UnsupportedMedia
from revenueflow.pipeline.outcomes import Told, record
from revenueflow.sources import payload

router = APIRouter(prefix="/v1/leads", tags=["leads"])
Operator = Annotated[Principal, Depends(require("operator"))]
_JSON = "application/json"
_EXAMPLES: dict[str, Any] = {
    "touched": {"value": {"outcome": "touched", "at": "2026-11-20T10:05:00Z"}},
    "won": {
        "value": {"outcome": "won", "at": "2026-12-01T16:00:00Z", "value_minor": 1_200_000, "currency": "EUR"},
    },
}
_SCHEMA = {
    "type": "object",
    "required": ["outcome", "at"],
    "additionalProperties": False,
    "properties": {
        "outcome": {"enum": ["touched", "meeting", "converted", "won", "lost"]},
        "at": {"type": "string", "format": "date-time"},
        "value_minor": {"type": "integer", "minimum": 0, "description": "in minor units, such as cents"},
        "currency": {"type": "string", "pattern": "^[A-Za-z]{3}$", "description": "ISO 4217"},
    },
}
_BODY = {"required": True, "content": {_JSON: {"schema": _SCHEMA, "examples": _EXAMPLES}}}
_PROBLEMS = {
    400: "Not JSON.", 404: "There is no such lead.", 409: "The lead is not processed yet, or was erased.",
    413: "Over the cap.", 415: "Not application/json.", 422: "Not valid, in the future, or before the lead came.",
}  # fmt: skip
_RESPONSES: dict[int | str, dict[str, Any]] = {
    code: {"description": said, "content": {"application/problem+json": {}}} for code, said in _PROBLEMS.items()
}


@router.post(
    "/{lead_id}/outcome",
    status_code=201,
    operation_id="recordOutcome",
    openapi_extra={"requestBody": _BODY},
    responses=_RESPONSES,
)
async def record_outcome(
    lead_id: UUID, request: Request, response: Response, state: AppState, trace_id: TraceId, operator: Operator
) -> dict[str, Any]:
    """Records that a lead was touched, met, converted, won or lost, and when. The first touch ends its timer.

    The same statement (outcome, time, value) again changes nothing and is answered 200 with `replayed`.
    """
    body.refuse_encoded(request)
    raw = await body.read(request, state.settings.api.body_limit)
    said = _read(raw, request.headers.get("content-type", ""))
    told = await record(state.database, lead_id, said, actor=f"key:{operator.key_id}", trace_id=trace_id)
    if told.replayed:
        response.status_code = 200
    return _shown(told)


def _read(raw: bytes, content_type: str) -> SalesOutcome:
    if payload.media_type(content_type) != _JSON:
        raise UnsupportedMedia("send application/json")
    try:
        return SalesOutcome.model_validate_json(raw)
    except ValidationError as error:
        found = error.errors(include_input=False, include_context=False, include_url=False)
    if found[0]["type"] == "json_invalid":
        raise MalformedInput("the body is not valid JSON", faults=(Fault("", "must be valid JSON"),))
    faults = tuple(_fault(one["loc"], one["msg"]) for one in found)
    raise InvalidInput("the outcome can't be used", faults=faults)


def _fault(path: tuple[int | str, ...], message: str) -> Fault:
    # A name that is not ours is the caller's own text: it is not repeated.
    known = path[:1] if path and path[0] in SalesOutcome.model_fields else ()
    return Fault("".join(f"/{part}" for part in known), message)


def _shown(told: Told) -> dict[str, Any]:
    touched = rfc3339(told.first_touch_at) if told.first_touch_at else None
    return told._asdict() | {"at": rfc3339(told.at), "first_touch_at": touched}
