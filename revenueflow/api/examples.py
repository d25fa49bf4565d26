"""What OpenAPI says of the routes that read their body themselves."""

from __future__ import annotations

from typing import Any

ANSWER = {
    "lead_id": "5d0f3a52-5b5e-5d1e-8a1c-1f2e3d4c5b6a",
    "delivery_id": "c3b1a7de-0f4e-5c55-9d3a-7a6b5c4d3e2f",
    "status": "accepted",
    "duplicate": False,
}
_LEAD: dict[str, Any] = {
    "email": "dana@harborlight.example",
    "name": "Dana Reyes",
    "jobTitle": "VP Operations",
    "company": "Harborlight",
    "country": "US",
    "message": "We need pricing for 40 seats this quarter.",
}
_MARKETO: dict[str, Any] = {
    "Email Address": "dana@harborlight.example",
    "First Name": "Dana",
    "Last Name": "Reyes",
    "Job Title": "VP Operations",
    "Company Name": "Harborlight",
    "Country": "United States",
    "campaignId": "default",
}
_HUBSPOT: list[dict[str, Any]] = [
    {
        "objectId": 101,
        "eventId": 1,
        "subscriptionId": 7,
        "portalId": 62515,
        "appId": 54321,
        "occurredAt": 1795000000000,
        "subscriptionType": "contact.creation",
        "attemptNumber": 0,
    }
]


def _problems(said: dict[str, str]) -> dict[str, Any]:
    return {code: {"description": text, "content": {"application/problem+json": {}}} for code, text in said.items()}


_PROBLEMS = _problems(
    {
        "401": "Without its proof.",
        "408": "The body did not arrive in time; the connection is closed.",
        "413": "Over the cap.",
        "429": "Without proof, too often; wait for Retry-After. On /v1 also: too many requests with this key.",
        "503": "Not kept; send it again.",
    }
)
_ENCODED = _problems({"415": "Of another content type, or with a content-encoding."})


def _openapi(example: Any, answer: Any, *types: str) -> dict[str, Any]:
    schema = {"type": "array" if isinstance(example, list) else "object"}
    return {
        "requestBody": {
            "required": True,
            "content": {kind: {"schema": schema, "example": example} for kind in types},
        },
        "responses": {
            "202": {"description": "Kept.", "content": {"application/json": {"example": answer}}},
            **_PROBLEMS,
        },
    }


MARKETO_OPENAPI = _openapi(_MARKETO, ANSWER, "application/json", "application/x-www-form-urlencoded")
LEAD_OPENAPI = _openapi(_LEAD, ANSWER, "application/json", "application/x-www-form-urlencoded")
HUBSPOT_OPENAPI = _openapi(_HUBSPOT, {"accepted": 1, "duplicates": 0, "quarantined": 0}, "application/json")
_IMPORT = "019f3a52-5b5e-7d1e-8a1c-1f2e3d4c5b6a"
_IMPORTED = {
    "id": _IMPORT,
    "rows": 1200,
    "accepted": 1187,
    "duplicates": 0,
    "quarantined": 0,
    "rejected": 13,
    "rejects": f"/v1/imports/{_IMPORT}/rejects",
}
_UPLOAD: dict[str, Any] = {
    "type": "object",
    "required": ["file"],
    "properties": {
        "map": {"type": "string", "description": "JSON object {column: field}; `ignore` is no field."},
        "campaign": {"type": "string", "description": "The campaign of all rows."},
        "file": {"type": "string", "format": "binary", "description": "A CSV with a header; the last part."},
    },
}
IMPORT_OPENAPI: dict[str, Any] = {
    "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": _UPLOAD}}},
    "responses": {
        "200": {"description": "With dry_run: columns, first rows as understood, counts and rejects."},
        "202": {"description": "Kept.", "content": {"application/json": {"example": _IMPORTED}}},
        **_PROBLEMS,
        **_ENCODED,
    },
}
V1_LEAD_OPENAPI = _openapi(_LEAD, ANSWER, "application/json")
V1_LEAD_OPENAPI["responses"] |= _ENCODED
