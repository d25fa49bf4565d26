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


def _openapi(example: Any, answer: Any, *types: str) -> dict[str, Any]:
    schema = {"type": "array" if isinstance(example, list) else "object"}
    return {
        "requestBody": {
            "required": True,
            "content": {kind: {"schema": schema, "example": example} for kind in types},
        },
        "responses": {
            "202": {"description": "Kept.", "content": {"application/json": {"example": answer}}},
            "401": {"description": "Without its proof.", "content": {"application/problem+json": {}}},
            "413": {"description": "Over the cap.", "content": {"application/problem+json": {}}},
            "503": {"description": "Not kept; send it again.", "content": {"application/problem+json": {}}},
        },
    }


MARKETO_OPENAPI = _openapi(_MARKETO, ANSWER, "application/json", "application/x-www-form-urlencoded")
LEAD_OPENAPI = _openapi(_LEAD, ANSWER, "application/json", "application/x-www-form-urlencoded")
HUBSPOT_OPENAPI = _openapi(_HUBSPOT, {"accepted": 1, "duplicates": 0, "quarantined": 0}, "application/json")
_FILE = {"type": "object", "required": ["file"], "properties": {"file": {"type": "string", "format": "binary"}}}
IMPORT_OPENAPI: dict[str, Any] = {
    "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": _FILE}}},
}
V1_LEAD_OPENAPI = _openapi(_LEAD, ANSWER, "application/json")
