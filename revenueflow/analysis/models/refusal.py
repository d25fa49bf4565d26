"""Why Gemini did not answer, in our words: transport, status, and an answer that ended badly."""

from __future__ import annotations

from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final

import httpx2
from google.genai import errors, types

from revenueflow.clock import utcnow
from revenueflow.errors import UpstreamError, UpstreamRejected, UpstreamUnavailable

BLOCKED: Final = frozenset(
    {"SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "MODEL_ARMOR", "LANGUAGE"}
)


def upstream_error(upstream: str, error: Exception) -> UpstreamError:
    """The error in our tree: what another try may mend is UpstreamUnavailable."""
    if isinstance(error, errors.APIError):
        return _by_status(upstream, error)
    timed_out = isinstance(error, TimeoutError | httpx2.TimeoutException)
    return UpstreamUnavailable(upstream, "timeout" if timed_out else "unreachable")


def finished(upstream: str, response: types.GenerateContentResponse) -> str:
    """The text of a complete answer. Raises UpstreamRejected: blocked, empty, truncated or schema_invalid."""
    feedback = response.prompt_feedback
    if feedback and feedback.block_reason:
        raise UpstreamRejected(upstream, "blocked")
    if not response.candidates:
        raise UpstreamRejected(upstream, "empty")
    reason = response.candidates[0].finish_reason
    if reason is not types.FinishReason.STOP:
        raise UpstreamRejected(upstream, _ending(reason.value if reason else ""))
    text = response.text
    if not text or not text.strip():
        raise UpstreamRejected(upstream, "empty")
    return text


def _ending(finish_reason: str) -> str:
    if finish_reason in BLOCKED:
        return "blocked"
    return (
        "truncated" if finish_reason in ("MAX_TOKENS", "", "FINISH_REASON_UNSPECIFIED") else "schema_invalid"
    )


def _by_status(upstream: str, error: errors.APIError) -> UpstreamError:
    wait = _retry_after(error)
    if error.code == 429:
        return UpstreamUnavailable(upstream, "rate_limited", retry_after=wait)
    if error.code in (408, 504):
        return UpstreamUnavailable(upstream, "timeout", retry_after=wait)
    if error.code >= 500:
        return UpstreamUnavailable(upstream, "overloaded", retry_after=wait)
    return UpstreamRejected(upstream, "bad_key" if _bad_key(error) else "bad_request")


def _bad_key(error: errors.APIError) -> bool:
    """Google answers 400 INVALID_ARGUMENT to a wrong key; only the reason in `details` tells it apart."""
    return error.code in (401, 403) or "API_KEY_INVALID" in str(error.details)


def _retry_after(error: errors.APIError) -> float | None:
    """Seconds, from the header: a number or an HTTP date."""
    headers = getattr(error.response, "headers", None)
    value = headers.get("Retry-After") if headers else None
    if not value:
        return None
    if value.strip().isdigit():
        return float(value)
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, ((at if at.tzinfo else at.replace(tzinfo=UTC)) - utcnow()).total_seconds())
