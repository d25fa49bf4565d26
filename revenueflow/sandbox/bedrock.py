"""Bedrock's wire: Converse, answered by the same fake model, as a call of the tool that the request demands."""

from __future__ import annotations

from typing import Any, Final

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from revenueflow.sandbox.gemini import CHARACTERS_PER_TOKEN
from revenueflow.sandbox.gemini_model import write
from revenueflow.sandbox.middleware import exchange_of

ERRORS: Final = {
    400: "ValidationException",
    403: "AccessDeniedException",
    404: "ResourceNotFoundException",
    408: "ModelTimeoutException",
    424: "ModelErrorException",
    429: "ThrottlingException",
    500: "InternalServerException",
    503: "ServiceUnavailableException",
}


def refuse(status: int, reason: str) -> Response:
    """`{"message"}`, and the kind of error in a header."""
    headers = {"x-amzn-errortype": ERRORS.get(status, "InternalServerException")}
    return JSONResponse({"message": f"The request was not served: {reason}."}, status, headers)


def app() -> Starlette:
    """Serves POST /model/{modelId}/converse."""
    return Starlette(routes=[Route("/model/{model:path}/converse", _converse, methods=["POST"])])


async def _converse(request: Request) -> Response:
    if not request.headers.get("authorization", "").startswith(("AWS4-HMAC-SHA256 Credential=", "Bearer ")):
        return refuse(403, "credential")
    sent = _parsed(await request.body())
    parts = _texts(sent) if sent else []
    if sent is None or not parts:
        return refuse(400, "input")
    exchange = exchange_of(request)
    tool = _tool(sent)
    written = write(
        parts,
        exchange.dice,
        structured=tool is not None,
        invent_rate=exchange.faults.invent_rate,
        obey_attacker=exchange.faults.obey_attacker,
    )
    exchange.text, exchange.entry.invented = written.text, list(written.invented)
    block: dict[str, Any] = {"text": written.text}
    if tool:
        block = {"toolUse": {"toolUseId": "tooluse_1", "name": tool, "input": orjson.loads(written.text)}}
    return JSONResponse(_answer(block, "tool_use" if tool else "end_turn", parts, written.text))


def _parsed(body: bytes) -> dict[str, Any] | None:
    try:
        sent = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return sent if isinstance(sent, dict) and isinstance(sent.get("messages"), list) else None


def _texts(sent: dict[str, Any]) -> list[str]:
    blocks = [*sent.get("system", []), *(block for one in sent["messages"] for block in one.get("content", []))]
    return [block["text"] for block in blocks if isinstance(block, dict) and isinstance(block.get("text"), str)]


def _tool(sent: dict[str, Any]) -> str | None:
    """The tool that must be called."""
    choice = (sent.get("toolConfig") or {}).get("toolChoice") or {}
    name = (choice.get("tool") or {}).get("name")
    return name if isinstance(name, str) else None


def _answer(block: dict[str, Any], ending: str, parts: list[str], text: str) -> dict[str, Any]:
    asked = sum(map(len, parts)) // CHARACTERS_PER_TOKEN + 1
    answered = len(text) // CHARACTERS_PER_TOKEN + 1
    return {
        "output": {"message": {"role": "assistant", "content": [block]}},
        "stopReason": ending,
        "usage": {"inputTokens": asked, "outputTokens": answered, "totalTokens": asked + answered},
        "metrics": {"latencyMs": 1},
    }
