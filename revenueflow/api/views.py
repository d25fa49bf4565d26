"""What callers are shown of a lead, and how pages are told apart."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
from starlette.requests import Request
from starlette.responses import Response

from revenueflow.clock import rfc3339
from revenueflow.domain.lead import LeadStatus
from revenueflow.errors import Fault, InvalidInput
from revenueflow.pipeline.results import waterfall

_PLAIN = (
    "id", "campaign_id", "status", "version", "email", "name", "phone", "company", "domain", "title", "country",
    "time_zone", "source", "message", "stage", "score", "tier", "intent", "fit", "profile", "score_factors",
    "routing_rule", "routing_reason", "analysis_verdict", "crm_id", "signals_missed", "completeness", "facts",
    "summary", "review_id", "not_understood", "stopped_because",
)  # fmt: skip
_TIMES = ("received_at", "updated_at", "processed_at", "first_touch_at", "erased_at")
_OF_JOB = {"dead": LeadStatus.DEAD, "parked": LeadStatus.PARKED}


def lead(row: Mapping[str, Any]) -> dict[str, Any]:
    """A lead as it is stored."""
    owner = {"id": row["owner_id"], "name": row["owner_name"]} if row["owner_id"] else None
    review = row["status"] == LeadStatus.PARKED or row["review_id"] is not None
    times = {name: rfc3339(row[name]) if row[name] else None for name in _TIMES}
    told = {"owner": owner, "needs_review": review, "cost_usd": round(row["cost"], 6)}
    factors = waterfall(row["score_factors"])
    return {name: row[name] for name in _PLAIN} | times | told | {"score_factors": factors}


def uncaptured(lead_id: UUID, first: Mapping[str, Any]) -> dict[str, Any]:
    """A lead of which only deliveries are known."""
    empty: dict[str, Any] = dict.fromkeys((*_PLAIN, *_TIMES, "owner")) | {
        "score_factors": [],
        "signals_missed": [],
        "not_understood": [],
        "facts": {},
        "cost_usd": 0.0,
    }
    status = _OF_JOB.get(first["state"] or "", LeadStatus.ACCEPTED)
    known = {
        "id": lead_id,
        "campaign_id": first["parsed"]["campaign_id"],
        "status": status,
        "version": 0,
        "received_at": rfc3339(first["received_at"]),
        "needs_review": status == LeadStatus.PARKED,
        "stopped_because": first["error_class"] if first["state"] in _OF_JOB else None,
    }
    return empty | known


def json(value: Any) -> Response:
    """An answer of JSON; times are RFC 3339."""
    return Response(orjson.dumps(value, default=str, option=orjson.OPT_UTC_Z), media_type="application/json")


def cursor(*parts: object) -> str:
    """An opaque cursor."""
    values = [rfc3339(part) if isinstance(part, datetime) else part for part in parts]
    return urlsafe_b64encode(orjson.dumps(values, default=str)).rstrip(b"=").decode()


def read_cursor(text: str, *kinds: type) -> list[Any]:
    """The parts of a cursor that we gave. Raises InvalidInput."""
    try:
        values = orjson.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        return [_as(kind, value) for kind, value in zip(kinds, values, strict=True)]
    except (Base64Error, ValueError, TypeError, OverflowError):
        fault = Fault("/query/cursor", "must be a next_cursor of an earlier answer")
        raise InvalidInput("the cursor is not one of ours", faults=(fault,)) from None


def _as(kind: type, value: Any) -> Any:
    if kind is int and isinstance(value, int) and abs(value) < 2**31:
        return value
    if kind is int or not isinstance(value, str) or "\0" in value:
        raise ValueError("not what we gave")
    return datetime.fromisoformat(value).astimezone(UTC) if kind is datetime else kind(value)


def link_next(request: Request, response: Response, following: str | None) -> None:
    """Names the next page, of `following` as its cursor, in a Link field (RFC 8288); the last page has none."""
    if following:
        url = request.url.include_query_params(cursor=following)
        response.headers["Link"] = f'<{url.path}?{url.query}>; rel="next"'
