"""What Salesforce's error codes mean for the ledger. Its messages hold values, and are never passed on."""

from __future__ import annotations

from typing import Final

from pydantic import JsonValue

from revenueflow.errors import UpstreamError, UpstreamRejected, UpstreamUnavailable

NAME: Final = "salesforce"
QUOTA_PAUSE: Final = 900.0
"""Seconds. The limit on requests counts the last 24 hours, so that it gives way little by little."""

LOCKED: Final = "UNABLE_TO_LOCK_ROW"
DUPLICATE_KEY: Final = "DUPLICATE_VALUE"
MISSING: Final = "REQUIRED_FIELD_MISSING"
FIXED: Final = "INVALID_FIELD_FOR_INSERT_UPDATE"

_UNAVAILABLE: Final = {
    "REQUEST_LIMIT_EXCEEDED": ("quota", QUOTA_PAUSE),
    "SERVER_UNAVAILABLE": ("server_error", None),
    LOCKED: ("locked", None),
    "TXN_SECURITY_METERING_ERROR": ("rate_limited", None),
    "EXCEEDED_ID_LIMIT": ("rate_limited", None),
    "QUERY_TIMEOUT": ("timeout", None),
}
_REJECTED: Final = frozenset(
    {
        DUPLICATE_KEY, MISSING, FIXED, "DUPLICATES_DETECTED", "FIELD_CUSTOM_VALIDATION_EXCEPTION", "STRING_TOO_LONG",
        "INVALID_EMAIL_ADDRESS", "INVALID_FIELD", "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "INVALID_TYPE",
        "INSUFFICIENT_ACCESS_OR_READONLY", "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", "ENTITY_IS_DELETED",
        "CANNOT_UPDATE_CONVERTED_LEAD", "INACTIVE_OWNER_OR_USER", "INVALID_CROSS_REFERENCE_KEY", "JSON_PARSER_ERROR",
        "API_DISABLED_FOR_ORG", "API_CURRENTLY_DISABLED", "STORAGE_LIMIT_EXCEEDED", "MALFORMED_ID", "NOT_FOUND",
        "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "INVALID_SESSION_ID", "MALFORMED_QUERY",
    }
)  # fmt: skip


def error_of(code: str) -> UpstreamError:
    """The error for a code. All of them are said of what was not executed."""
    if code in _UNAVAILABLE:
        reason, pause = _UNAVAILABLE[code]
        return UpstreamUnavailable(NAME, reason, retry_after=pause)
    return UpstreamRejected(NAME, code.lower() if code in _REJECTED else "rejected")


def code_in(data: JsonValue) -> str:
    """The first code of an error body, `[{"errorCode", "message", "fields"}]`; "" if it is none."""
    first = data[0] if isinstance(data, list) and data else None
    code = first.get("errorCode") if isinstance(first, dict) else None
    return code if isinstance(code, str) else ""
