"""How a decision is sent, read strictly, and what OpenAPI says of it."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from revenueflow.domain.review import Decision
from revenueflow.errors import Fault, InvalidInput, MalformedInput, UnsupportedMedia
from revenueflow.sources import payload

_JSON = "application/json"


def read(raw: bytes, content_type: str) -> Decision:
    """The decision in a body. Raises UnsupportedMedia, MalformedInput, or InvalidInput with JSON Pointers."""
    if payload.media_type(content_type) != _JSON:
        raise UnsupportedMedia("send application/json")
    try:
        return Decision.model_validate_json(raw)
    except ValidationError as error:
        found = error.errors(include_input=False, include_context=False, include_url=False)
    if found[0]["type"] == "json_invalid":
        raise MalformedInput("the body is not valid JSON", faults=(Fault("", "must be valid JSON"),))
    raise InvalidInput("the decision can't be used", faults=tuple(_fault(one["loc"], one["msg"]) for one in found))


def _fault(path: tuple[int | str, ...], message: str) -> Fault:
    # Names below the first are the caller's own text: they are not repeated.
    known = path[:1] if path and path[0] in Decision.model_fields else ()
    return Fault("".join(f"/{part}" for part in known), message)


_ID = "019aa3f4-6f6b-7c1e-9a51-2f0c3f6f1d77"
_TOLD = {
    "review_id": _ID, "lead_id": "5d0f3a52-5b5e-5d1e-8a1c-1f2e3d4c5b6a", "decision": "edit",
    "decisions": {"C2": "edit", "C4": "reject"}, "run": "again", "replayed": False,
}  # fmt: skip
_PROBLEMS = {
    400: "Not JSON.", 404: "There is no such review.", 409: "Somebody else has decided it, or a later run was judged.",
    413: "Over the cap.", 415: "Not application/json.", 422: "Not valid.",
}  # fmt: skip
_OK = {"description": "Decided; `run` says when the lead is scored again.", "content": {_JSON: {"example": _TOLD}}}
DECIDED: dict[int | str, dict[str, Any]] = {
    200: _OK,
    **{code: {"description": said, "content": {"application/problem+json": {}}} for code, said in _PROBLEMS.items()},
}
_EXAMPLES: dict[str, Any] = {
    "accept all in question": {"value": {"decision": "accept", "reason": "their imprint says the same"}},
    "accept one": {"value": {"decision": "accept", "claims": ["C2"], "reason": "asked them on the phone"}},
    "put one right": {
        "value": {
            "decision": "edit",
            "edits": {"C2": {"value": 250, "statement": "The company has 250 employees."}},
            "reason": "annual report 2025",
        }
    },
    "reject": {"value": {"decision": "reject", "reason": "a different company of the same name"}},
}


def _inlined(schema: Any, parts: dict[str, Any]) -> Any:
    """A schema without references: the document that it becomes a part of has no place for them."""
    if isinstance(schema, list):
        return [_inlined(one, parts) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _inlined(parts[schema["$ref"].rpartition("/")[2]], parts)
    return {name: _inlined(one, parts) for name, one in schema.items() if name != "$defs"}


_SCHEMA = Decision.model_json_schema()
BODY: dict[str, Any] = {
    "required": True,
    "content": {_JSON: {"schema": _inlined(_SCHEMA, _SCHEMA["$defs"]), "examples": _EXAMPLES}},
}
