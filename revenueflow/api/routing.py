"""Routing over HTTP: what other rules would have done with the leads of the last days."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError, field_validator

from revenueflow import defaults
from revenueflow.api import body
from revenueflow.api.deps import AppState, Principal, require
from revenueflow.api.replays import Moment
from revenueflow.api.reps import LONGEST, rules_of
from revenueflow.clock import utcnow
from revenueflow.defaults import key_paths
from revenueflow.errors import ConfigurationError, Fault, InvalidInput, MalformedInput, UnsupportedMedia
from revenueflow.pipeline.simulate import simulate
from revenueflow.routing.rules import RoutingRules
from revenueflow.sources import payload

router = APIRouter(prefix="/v1/routing", tags=["routing"])
Operator = Annotated[Principal, Depends(require("operator"))]
MOST = 10_000
MOST_CHARACTERS = 200_000
"""Of rules to try; those of a thousand territories have half of it."""


class Draft(BaseModel):
    """Rules to try: as an object or as TOML, else those in force. `labels`: the right owner of leads, by lead id."""

    model_config = ConfigDict(extra="forbid")

    rules: dict[str, JsonValue] | None = None
    rules_toml: str | None = Field(None, max_length=MOST_CHARACTERS)
    since: Moment | None = None
    days: int = Field(30, ge=1, le=366)
    labels: dict[str, str] = Field(default_factory=dict)
    limit: int = Field(MOST, ge=1, le=MOST)

    @field_validator("rules")
    @classmethod
    def _short(cls, rules: dict[str, JsonValue] | None) -> dict[str, JsonValue] | None:
        if rules and len(json.dumps(rules)) > MOST_CHARACTERS:
            raise ValueError(f"must have at most {MOST_CHARACTERS} characters")
        return rules

    @property
    def began(self) -> datetime:
        """From when on leads count."""
        return self.since or utcnow() - timedelta(days=self.days)


_EXAMPLE = {"rules_toml": 'version = "2"\n…', "days": 7, "labels": {"5d0f3a52-5b5e-5d1e-8a1c-1f2e3d4c5b6a": "ann"}}
_BODY = {
    "required": True,
    "content": {"application/json": {"schema": {"type": "object"}, "example": _EXAMPLE}},
}
_PROBLEMS: dict[int | str, dict[str, Any]] = {
    code: {"description": said, "content": {"application/problem+json": {}}}
    for code, said in {
        400: "Not JSON.", 413: "Over the cap.", 415: "Not application/json.",
        422: "Rules that can't be used, and where.",
    }.items()
}  # fmt: skip


@router.post("/simulate", operation_id="simulateRouting", openapi_extra={"requestBody": _BODY}, responses=_PROBLEMS)
async def simulate_routing(request: Request, state: AppState, _: Operator) -> dict[str, Any]:
    """Routes the leads of the last days by other rules: who would move, each rep's load, labels met.

    Writes nothing. One at a time: else 429.
    """
    body.refuse_encoded(request)
    raw = await body.read(request, LONGEST)
    if payload.media_type(request.headers.get("content-type", "")) != "application/json":
        raise UnsupportedMedia("send application/json")
    draft = _draft(raw)
    with state.trials.turn("a back-test or simulation"):
        # Looking for rules that can't be reached takes a while for a long table.
        present = rules_of(state)
        rules = await asyncio.to_thread(_rules, draft) or present
        return await simulate(state.database, rules, draft.began, draft.labels, limit=draft.limit, in_force=present)


def _draft(raw: bytes) -> Draft:
    try:
        return Draft.model_validate_json(raw)
    except ValidationError as error:
        found = error.errors(include_input=False, include_context=False, include_url=False)
    if found[0]["type"] == "json_invalid":
        raise MalformedInput("the body is not valid JSON", faults=(Fault("", "must be valid JSON"),))
    faults = tuple(Fault("".join(f"/{part}" for part in one["loc"][:1]), one["msg"]) for one in found)
    raise InvalidInput("the draft can't be used", faults=faults)


def _rules(draft: Draft) -> RoutingRules | None:
    if draft.rules_toml is not None:
        try:
            return defaults.parse(RoutingRules, draft.rules_toml, Path("rules_toml"))
        except ConfigurationError as error:
            faults = tuple(Fault(_pointer("rules_toml", *one.pointer.split(".")), one.detail) for one in error.faults)
            raise InvalidInput(error.detail, faults=faults or (Fault("/rules_toml", "is not valid TOML"),)) from None
    if draft.rules is None:
        return None
    try:
        return defaults.validated(RoutingRules, draft.rules)
    except ValidationError as error:
        found = key_paths.mistakes(RoutingRules, draft.rules, error)
        faults = tuple(Fault(_pointer("rules", *place), said) for place, said in found)
        raise InvalidInput("the rules can't be used", faults=faults) from None


def _pointer(*parts: str | int) -> str:
    return "".join(f"/{part}" for part in parts if part != "")
