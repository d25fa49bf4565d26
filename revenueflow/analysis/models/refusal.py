"""Why a model did not answer, in our words: what transport and status tell."""

from __future__ import annotations

from collections.abc import Mapping

import httpx2
from google.auth import exceptions as auth
from google.genai import errors

from revenueflow.analysis.base import Unusable
from revenueflow.errors import UpstreamError, UpstreamRejected, UpstreamUnavailable
from revenueflow.resilience.transport import TooLarge
from revenueflow.resilience.upstream import retry_after

GOOGLES = (TimeoutError, httpx2.HTTPError, errors.APIError, auth.GoogleAuthError)
"""What google-genai raises where Google does not answer as we want."""


def of_google(upstream: str, error: Exception) -> UpstreamError:
    """The error in our tree: what another try may mend is UpstreamUnavailable."""
    if isinstance(error, errors.APIError):
        headers = getattr(error.response, "headers", None) or {}
        bad_key = "API_KEY_INVALID" in str(error.details)  # with 400: only the reason in the details tells it apart
        return by_status(upstream, error.code, headers, bad_key=bad_key)
    if isinstance(error, auth.GoogleAuthError):
        return (
            UpstreamUnavailable(upstream, "unreachable") if error.retryable else UpstreamRejected(upstream, "bad_key")
        )
    return of_transport(upstream, error)


def of_transport(upstream: str, error: Exception) -> UpstreamError:
    """The error for an answer that did not come."""
    if isinstance(error, TooLarge):
        return Unusable(upstream, "answer_too_large")
    timed_out = isinstance(error, TimeoutError | httpx2.TimeoutException)
    return UpstreamUnavailable(upstream, "timeout" if timed_out else "unreachable")


def by_status(upstream: str, status: int, headers: Mapping[str, str], *, bad_key: bool = False) -> UpstreamError:
    """The error that a status code stands for; `headers` in small letters or any case."""
    wait = retry_after(headers)
    if status == 429:
        return UpstreamUnavailable(upstream, "rate_limited", retry_after=wait)
    if status in (408, 504):
        return UpstreamUnavailable(upstream, "timeout", retry_after=wait)
    if status == 424 or status >= 500:  # 424: Bedrock reached the model, and that failed
        return UpstreamUnavailable(upstream, "overloaded", retry_after=wait)
    return UpstreamRejected(upstream, "bad_key" if bad_key or status in (401, 403) else "bad_request")
