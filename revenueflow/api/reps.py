"""Reps over HTTP: who there is, what they have, and a new list."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from revenueflow import defaults
from revenueflow.api import body
from revenueflow.api.deps import AppState, Principal, State, require
from revenueflow.errors import ConfigurationError, Fault, InvalidInput, MalformedInput, UnsupportedMedia
from revenueflow.pipeline import rep_changes
from revenueflow.routing import rep_file
from revenueflow.routing.reps import Rep
from revenueflow.routing.rules import RoutingRules
from revenueflow.sources import payload

router = APIRouter(prefix="/v1/reps", tags=["routing"])
Reader = Annotated[Principal, Depends(require("reader", "operator", "auditor"))]
Operator = Annotated[Principal, Depends(require("operator"))]
MOST = 10_000
LONGEST = 4_000_000
"""Bytes of a list of reps or a table of rules: more than a lead may have, from operators only."""


class RepList(BaseModel):
    """All reps that there are to be. `moves`: who gets the open leads of one who is not among them any more."""

    model_config = ConfigDict(extra="forbid")

    reps: tuple[Rep, ...] = Field(min_length=1, max_length=MOST)
    moves: dict[str, str] = Field(default_factory=dict, max_length=MOST)


_EXAMPLE = {
    "reps": [
        {"id": "jonas-keller", "name": "Jonas Keller", "email": "jonas@revenueflow.example", "country": "DE",
         "timezone": "Europe/Berlin", "languages": ["de", "en"], "capacity": 40,
         "leave": [{"first": "2026-12-21", "last": "2027-01-01"}], "covered_by": "lena-brandt"},
    ],
    "moves": {"ananya-rao": "inbound-queue"},
}  # fmt: skip
_BODY = {
    "required": True,
    "content": {
        "application/json": {"schema": {"type": "object", "required": ["reps"]}, "example": _EXAMPLE},
        "text/csv": {"schema": {"type": "string"}},
    },
}
_PROBLEMS: dict[int | str, dict[str, Any]] = {
    code: {"description": said, "content": {"application/problem+json": {}}}
    for code, said in {
        400: "Not JSON.", 409: "One who is not in the list has open leads, and `moves` does not say who gets them.",
        413: "Over the cap.", 415: "Neither JSON nor CSV.", 422: "Not valid.",
    }.items()
}  # fmt: skip


@router.get("", operation_id="listReps")
async def list_reps(state: AppState, _: Reader) -> dict[str, Any]:
    """The reps that leads are routed to, with how many open leads each has; `unknown`: what the rules name in vain."""
    return await rep_changes.shown(state.database, rules_of(state))


@router.put("", operation_id="putReps", openapi_extra={"requestBody": _BODY}, responses=_PROBLEMS)
async def put_reps(request: Request, state: AppState, operator: Operator) -> dict[str, Any]:
    """Replaces the list: who is not in it gets no more leads. Every process obeys within five seconds."""
    body.refuse_encoded(request)
    raw = await body.read(request, LONGEST)
    given = _read(raw, payload.media_type(request.headers.get("content-type", "")))
    actor = f"key:{operator.key_id}"
    return await rep_changes.put(state.database, rules_of(state), given.reps, given.moves, actor=actor, replace=True)


def rules_of(state: State) -> RoutingRules:
    """The routing rules of the file."""
    return defaults.load(RoutingRules, "routing.toml", state.settings.config_dir)


def _read(raw: bytes, media_type: str) -> RepList:
    if media_type == "text/csv":
        return _read_csv(raw)
    if media_type != "application/json":
        raise UnsupportedMedia("send application/json or text/csv")
    try:
        found = RepList.model_validate_json(raw)
    except ValidationError as error:
        faults = tuple(
            _fault(one["loc"], one["msg"]) for one in error.errors(include_input=False, include_context=False)
        )
        if any(one["type"] == "json_invalid" for one in error.errors(include_input=False)):
            raise MalformedInput("the body is not valid JSON") from None
        raise InvalidInput("the list can't be used", faults=faults) from None
    ids = [rep.id for rep in found.reps]
    if len(set(ids)) < len(ids):
        raise InvalidInput("the list can't be used", faults=(Fault("/reps", "an id is given more than once"),))
    return found


def _fault(path: tuple[int | str, ...], message: str) -> Fault:
    # Keys of `moves` are the caller's own text: they are not repeated.
    return Fault("".join(f"/{part}" for part in (path[:1] if path[:1] == ("moves",) else path)), message)


def _read_csv(raw: bytes) -> RepList:
    try:
        return RepList(reps=rep_file.read(raw.decode("utf-8-sig"), "the body"))
    except UnicodeDecodeError:
        raise InvalidInput("the body is not UTF-8") from None
    except ConfigurationError as error:
        raise InvalidInput(error.detail, faults=error.faults) from None
