"""What a replay is asked with, read strictly, and what OpenAPI says of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)
from pydantic_core import ErrorDetails, PydanticCustomError

from revenueflow.errors import Fault, InvalidInput, MalformedInput, UnsupportedMedia
from revenueflow.pipeline.restart import MOST, NAMES
from revenueflow.sources import payload

FINGERPRINT = "^[0-9a-f]{12}$"
_JSON = "application/json"


def _text(value: object) -> object:
    """A time is RFC 3339: a number of seconds would be taken too."""
    if isinstance(value, datetime) or (isinstance(value, str) and "T" in value.upper()):
        return value
    raise PydanticCustomError("rfc3339", "must be a time as in RFC 3339")


def _in_utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise PydanticCustomError("rfc3339", "must be in the years 1 to 9999 of UTC") from None


def _step(value: str) -> str:
    if value not in NAMES:
        raise PydanticCustomError("step", f"must be one of: {', '.join(NAMES)}")
    return value


Moment = Annotated[AwareDatetime, Field(strict=False), BeforeValidator(_text), AfterValidator(_in_utc)]


class ReplayRequest(BaseModel):
    """Which dead jobs, from which step. `jobs` stands alone; `since` and `fingerprint` may be combined."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    jobs: Annotated[list[UUID], Field(min_length=1, max_length=1000)] | None = None
    since: Moment | None = None
    fingerprint: Annotated[str, Field(pattern=FINGERPRINT)] | None = None
    from_step: Annotated[str, AfterValidator(_step), Field(json_schema_extra={"enum": list(NAMES)})] | None = None
    poison: bool = False
    dry_run: bool = False

    @model_validator(mode="after")
    def _one_selection(self) -> Self:
        if (self.jobs is not None) == (self.since is not None or self.fingerprint is not None):
            raise PydanticCustomError("selection", "must have either jobs, or since or fingerprint")
        return self


def read(raw: bytes, content_type: str) -> ReplayRequest:
    """The request in a body. Raises UnsupportedMedia, MalformedInput, or InvalidInput with JSON Pointers."""
    if payload.media_type(content_type) != _JSON:
        raise UnsupportedMedia("send application/json")
    try:
        return ReplayRequest.model_validate_json(raw)
    except ValidationError as error:
        found = error.errors(include_input=False, include_context=False, include_url=False)
    if found[0]["type"] == "json_invalid":
        raise MalformedInput("the body is not valid JSON", faults=(Fault("", "must be valid JSON"),))
    raise InvalidInput("the request can't be used", faults=tuple(_fault(one) for one in found))


def _fault(error: ErrorDetails) -> Fault:
    place = "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in error["loc"])
    return Fault(place, error["msg"])


_ID = "019aa3f4-6f6b-7c1e-9a51-2f0c3f6f1d77"
_GROUP: dict[str, Any] = {
    "fingerprint": "3f2a9c01d4be", "state": "dead", "step": "record", "error_class": "crm_unavailable",
    "poison": False, "count": 12, "oldest": "2026-11-21T05:00:00Z", "newest": "2026-11-21T05:20:00Z", "example": _ID,
}  # fmt: skip
_ITEM: dict[str, Any] = {
    "id": _ID, "lead_id": "5d0f3a52-5b5e-5d1e-8a1c-1f2e3d4c5b6a", "state": "dead", "step": "record", "attempt": 5,
    "error_class": "crm_unavailable", "fingerprint": "3f2a9c01d4be", "poison": False,
}  # fmt: skip


def _answers(status: int, description: str, example: Any, problems: dict[int, str]) -> dict[int | str, dict[str, Any]]:
    answers: dict[int | str, dict[str, Any]] = {
        code: {"description": said, "content": {"application/problem+json": {}}} for code, said in problems.items()
    }
    return {status: {"description": description, "content": {_JSON: {"example": example}}}} | answers


LISTED = _answers(
    200,
    "A page of dead jobs.",
    {"groups": [_GROUP], "items": [_ITEM], "next_cursor": None},
    {422: "A parameter is not valid."},
)
REPLAYED = _answers(
    202,
    f"Set going again, {MOST} at the most, or left alone for these reasons.",
    {"replayed": 1, "left": {"another_run": 1}, "jobs": [_ID]},
    {400: "Not JSON.", 413: "Over the cap.", 415: "Not application/json.", 422: "Not valid."},
)
_EXAMPLES: dict[str, Any] = {
    "named": {"value": {"jobs": [_ID]}},
    "since": {"value": {"since": "2026-11-21T05:00:00Z", "dry_run": True}},
    "same error": {"value": {"fingerprint": "3f2a9c01d4be", "from_step": "analyse"}},
}
BODY: dict[str, Any] = {
    "required": True,
    "content": {_JSON: {"schema": ReplayRequest.model_json_schema(), "examples": _EXAMPLES}},
}
