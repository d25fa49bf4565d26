"""Gemini's wire: generateContent, answered by the fake model in gemini_model."""

from __future__ import annotations

from typing import Any, Final

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from revenueflow.sandbox.gemini_model import Written, write
from revenueflow.sandbox.middleware import exchange_of

STATUSES: Final = {
    400: ("INVALID_ARGUMENT", "Request contains an invalid argument."),
    401: ("UNAUTHENTICATED", "Request had invalid authentication credentials."),
    403: (
        "PERMISSION_DENIED",
        "Method doesn't allow unregistered callers (callers without established identity).",
    ),
    404: ("NOT_FOUND", "Requested entity was not found."),
    429: (
        "RESOURCE_EXHAUSTED",
        "You exceeded your current quota, please check your plan and billing details.",
    ),
    500: ("INTERNAL", "An internal error has occurred."),
    503: ("UNAVAILABLE", "The model is overloaded. Please try again later."),
    504: ("DEADLINE_EXCEEDED", "The service is unable to finish processing within the deadline."),
}
CHARACTERS_PER_TOKEN: Final = 4


def refuse(status: int, reason: str) -> Response:  # noqa: ARG001
    """`{"error": {"code", "message", "status"}}`."""
    name, message = STATUSES.get(status, ("UNKNOWN", "Unknown error."))
    headers = {"retry-after": "1"} if status in (429, 503) else {}
    return JSONResponse({"error": {"code": status, "message": message, "status": name}}, status, headers)


def app() -> Starlette:
    """Serves POST /{v1|v1beta}/models/{model}:generateContent."""
    path = "/models/{model}:generateContent"
    return Starlette(routes=[Route(f"/{version}{path}", _with_key, methods=["POST"]) for version in ("v1", "v1beta")])


async def _with_key(request: Request) -> Response:
    return await generate(request) if request.headers.get("x-goog-api-key") else refuse(403, "key")


async def generate(request: Request) -> Response:
    """Answers whoever asks."""
    sent = _parsed(await request.body())
    parts = _texts(sent) if sent else None
    if sent is None or not parts:
        return refuse(400, "input")
    exchange = exchange_of(request)
    written = write(
        parts,
        exchange.dice,
        structured=_structured(sent),
        invent_rate=exchange.faults.invent_rate,
        obey_attacker=exchange.faults.obey_attacker,
    )
    exchange.text, exchange.entry.invented = written.text, list(written.invented)
    response_id = f"{int(exchange.dice.roll('response') * 2**60):x}"
    return JSONResponse(_answer(written, parts, request.path_params["model"], response_id))


def _parsed(body: bytes) -> dict[str, Any] | None:
    try:
        sent = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return sent if isinstance(sent, dict) and isinstance(sent.get("contents"), list) else None


def _texts(sent: dict[str, Any]) -> list[str] | None:
    """All text of the system instruction and the contents; None for what has not the form of a prompt."""
    system = sent.get("systemInstruction") or sent.get("system_instruction") or {}
    contents = [system, *sent["contents"]]
    if not all(isinstance(content, dict) for content in contents):
        return None
    parts = [part for content in contents for part in content.get("parts") or ()]
    if not all(isinstance(part, dict) for part in parts):
        return None
    return [part["text"] for part in parts if isinstance(part.get("text"), str)]


def _structured(sent: dict[str, Any]) -> bool:
    asked = sent.get("generationConfig") or {}
    schema = asked.get("responseJsonSchema") or asked.get("responseSchema")
    return bool(schema) or asked.get("responseMimeType") == "application/json"


def _answer(written: Written, parts: list[str], model: str, response_id: str) -> dict[str, Any]:
    asked = sum(map(len, parts)) // CHARACTERS_PER_TOKEN + 1
    answered = len(written.text) // CHARACTERS_PER_TOKEN + 1
    return {
        "candidates": [
            {
                "content": {"parts": [{"text": written.text}], "role": "model"},
                "finishReason": "STOP",
                "index": 0,
            }
        ],
        "usageMetadata": {
            "promptTokenCount": asked,
            "candidatesTokenCount": answered,
            "totalTokenCount": asked + answered,
        },
        "modelVersion": model,
        "responseId": response_id,
    }
