"""A JSON body under the cap, read strictly into a model, and what OpenAPI says of it."""

from __future__ import annotations

from functools import partial
from typing import Any, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from revenueflow.api import body
from revenueflow.api.deps import state_of
from revenueflow.defaults import key_paths
from revenueflow.errors import Fault, InvalidInput, MalformedInput, UnsupportedMedia
from revenueflow.sources import payload

_JSON = "application/json"
M = TypeVar("M", bound=BaseModel)


async def taken(request: Request, limit: int | None = None) -> bytes:
    """The bytes of the body, up to REVENUEFLOW_BODY_LIMIT or `limit`. Raises TooLarge, TooSlow, UnsupportedMedia."""
    body.refuse_encoded(request)
    raw = await body.read(request, limit or state_of(request).settings.api.body_limit)
    if payload.media_type(request.headers.get("content-type", "")) != _JSON:
        raise UnsupportedMedia("send application/json")
    return raw


def parsed(raw: bytes, model: type[M]) -> M:
    """What it says. Raises MalformedInput, or InvalidInput with JSON Pointers."""
    try:
        return model.model_validate_json(raw)
    except ValidationError as error:
        found = error.errors(include_input=False, include_context=False, include_url=False)
        told = [said for _, said in key_paths.mistakes(model, None, error)]
    if found[0]["type"] == "json_invalid":
        raise MalformedInput("the body is not valid JSON", faults=(Fault("", "must be valid JSON"),))
    raise InvalidInput("the request can't be used", faults=tuple(map(partial(_fault, model), found, told)))


def openapi(model: type[BaseModel], example: Any) -> dict[str, Any]:
    """What a route that reads this model says of its body."""
    content = {_JSON: {"schema": model.model_json_schema(), "example": example}}
    problems = {"400": "Not JSON.", "413": "Over the cap.", "415": "Not application/json.", "422": "Not valid."}
    told = {code: {"description": said, "content": {"application/problem+json": {}}} for code, said in problems.items()}
    return {"requestBody": {"required": True, "content": content}, "responses": told}


def _fault(model: type[BaseModel], error: ErrorDetails, said: str) -> Fault:
    # Names that are not ours are the caller's own text.
    known = [part for part in error["loc"][:1] if part in model.model_fields]
    pointer = "".join(f"/{part}" for part in (*known, *(one for one in error["loc"][1:] if isinstance(one, int))))
    return Fault(pointer if known else "", said)
