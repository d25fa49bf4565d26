"""Why Gemini did not answer, in our words: what transport and status tell."""

from __future__ import annotations

from datetime import UTC
from email.utils import parsedate_to_datetime

import httpx2
from google.genai import errors

from revenueflow.clock import utcnow
from revenueflow.errors import UpstreamError, UpstreamRejected, UpstreamUnavailable


def upstream_error(upstream: str, error: Exception) -> UpstreamError:
    """The error in our tree: what another try may mend is UpstreamUnavailable."""
    if isinstance(error, errors.APIError):
        return _by_status(upstream, error)
    timed_out = isinstance(error, TimeoutError | httpx2.TimeoutException)
    return UpstreamUnavailable(upstream, "timeout" if timed_out else "unreachable")


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
