"""What HubSpot's answers mean for the ledger. Its messages hold values, and are never passed on."""

from __future__ import annotations

from typing import Final

from pydantic import JsonValue

from revenueflow.errors import UpstreamError, UpstreamRejected, UpstreamUnavailable
from revenueflow.resilience.upstream import Answer

NAME: Final = "hubspot"
QUOTA_PAUSE: Final = 900.0
"""Seconds. The daily limit ends at midnight in the portal's time zone, which we don't know."""
WINDOW: Final = 10.0
"""Seconds of the usual rate limit, if the answer does not say."""
CONFLICT: Final = "conflict"
READABLE: Final = (200, 201, 207, 400, 403, 404, 409, 423, 429, 477)

_REASONS: Final = frozenset(
    {"VALIDATION_ERROR", "MISSING_SCOPES", "OBJECT_NOT_FOUND", "INVALID_AUTHENTICATION", "EXPIRED_AUTHENTICATION"}
)


def code_in(data: JsonValue, status: int) -> str:
    """A short stable code for an error body, `{"status", "message", "correlationId", "category"}`."""
    category = data.get("category") if isinstance(data, dict) else None
    if status == 409 or category in ("CONFLICT", "OBJECT_ALREADY_EXISTS"):
        return CONFLICT
    return category.lower() if isinstance(category, str) and category in _REASONS else "rejected"


def error_of(answer: Answer) -> UpstreamError:
    """The error for an answer that says that nothing was executed."""
    if answer.status == 429:
        return _too_much(answer)
    if answer.status in (423, 477):  # locked for a moment, or the account is being moved
        return UpstreamUnavailable(NAME, "locked", retry_after=answer.retry_after)
    return UpstreamRejected(NAME, code_in(answer.data, answer.status))


def _too_much(answer: Answer) -> UpstreamUnavailable:
    policy = answer.data.get("policyName") if isinstance(answer.data, dict) else None
    if policy == "DAILY":
        return UpstreamUnavailable(NAME, "quota", retry_after=answer.retry_after or QUOTA_PAUSE)
    interval = answer.headers.get("x-hubspot-ratelimit-interval-milliseconds", "")
    window = int(interval) / 1000 if interval.isascii() and interval.isdigit() and len(interval) < 7 else WINDOW
    return UpstreamUnavailable(NAME, "rate_limited", retry_after=answer.retry_after or max(1.0, window))
