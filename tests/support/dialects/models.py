"""How each model's service says the same things on its wire."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import orjson

from revenueflow.analysis.base import Analyst
from revenueflow.analysis.models.aws import Keys
from revenueflow.analysis.models.bedrock import Bedrock
from revenueflow.analysis.models.gemini import Gemini
from revenueflow.analysis.models.vertex import Vertex

ANSWER = {
    "fit": 70,
    "intent": "medium",
    "claims": [{"field": "headcount", "value": 240, "statement": "It has 240.", "citations": [{"evidence_id": "E1"}]}],
}
MODEL = "test-model:1"
ACCESS = Keys("AKIDEXAMPLE", "wJalrXUtnFEMI-EXAMPLE-KEY", "session-token")
SECRETS = ("key-1", ACCESS.secret, "session-token")


class Model(Analyst, Protocol):
    """An analyst with connections."""

    async def aclose(self) -> None:
        """Closes them."""


@dataclass(frozen=True)
class Wire:
    """A service: how its client is made (URL, time-out, tries), and how it puts what is to be said."""

    name: str
    path: str
    make: Callable[[str, float, int], Model]
    said: Callable[[str], dict[str, Any]]
    """A complete answer with this text."""
    ended: Callable[[str, str], dict[str, Any]]
    """A text, and how it ended: truncated, blocked."""
    nothing: tuple[dict[str, Any], ...]
    """Answers without any content."""
    bad_key: tuple[int, dict[str, Any], dict[str, str]]
    """Status, body and headers for a wrong credential."""
    extra: tuple[tuple[dict[str, Any], str], ...] = ()
    """Further answers of its own, with the reason that they are refused for."""


GOOGLES_USAGE = {"promptTokenCount": 900, "candidatesTokenCount": 80, "thoughtsTokenCount": 20}


def _google(text: str, finish: str = "STOP") -> dict[str, Any]:
    candidate = {"content": {"role": "model", "parts": [{"text": text}]}, "finishReason": finish, "index": 0}
    return {"candidates": [candidate], "usageMetadata": GOOGLES_USAGE, "modelVersion": "m-1"}


def _google_ended(text: str, how: str) -> dict[str, Any]:
    return _google(text, {"truncated": "MAX_TOKENS", "blocked": "SAFETY"}[how])


GOOGLES_NOTHING: tuple[dict[str, Any], ...] = (
    {}, {"candidates": [], "usageMetadata": GOOGLES_USAGE}, {"candidates": [{"finishReason": "STOP"}]}, _google("  "),
)  # fmt: skip
GOOGLES_EXTRA: tuple[tuple[dict[str, Any], str], ...] = (
    ({"promptFeedback": {"blockReason": "SAFETY"}}, "blocked"),
    (_google("", "RECITATION"), "blocked"),
    (_google("{}", "OTHER"), "schema_invalid"),
    ({"candidates": "many"}, "schema_invalid"),
)


def _google_error(code: int, status: str, **more: Any) -> dict[str, Any]:
    return {"error": {"code": code, "status": status, "message": "secret-looking text", **more}}


def _bedrock(
    content: list[dict[str, Any]], ending: str = "tool_use", usage: dict[str, int] | None = None
) -> dict[str, Any]:
    return {
        "output": {"message": {"role": "assistant", "content": content}},
        "stopReason": ending,
        "usage": usage or {"inputTokens": 900, "outputTokens": 100, "totalTokens": 1000},
        "metrics": {"latencyMs": 5},
    }


def _tool(given: Any, name: str = "answer") -> dict[str, Any]:
    return {"toolUse": {"toolUseId": "t1", "name": name, "input": given}}


def _bedrock_said(text: str) -> dict[str, Any]:
    """As a tool's input; a text that is no JSON can only be a text."""
    try:
        return _bedrock([_tool(orjson.loads(text))])
    except orjson.JSONDecodeError:
        return _bedrock([{"text": text}], "end_turn")


def _bedrock_ended(text: str, how: str) -> dict[str, Any]:
    return _bedrock([{"text": text}], {"truncated": "max_tokens", "blocked": "guardrail_intervened"}[how])


THOUGHT = {"reasoningContent": {"reasoningText": {"text": "Hm.", "signature": "s"}}}
WIRES = (
    Wire(
        "gemini",
        f"/v1beta/models/{MODEL}:generateContent",
        lambda url, timeout, tries: Gemini(api_key="key-1", model=MODEL, base_url=url, timeout=timeout, tries=tries),
        _google,
        _google_ended,
        GOOGLES_NOTHING,
        (400, _google_error(400, "INVALID_ARGUMENT", details=[{"reason": "API_KEY_INVALID"}]), {}),
        GOOGLES_EXTRA,
    ),
    Wire(
        "vertex",
        f"/v1beta1/publishers/google/models/{MODEL}:generateContent",
        lambda url, timeout, tries: Vertex(api_key="key-1", model=MODEL, base_url=url, timeout=timeout, tries=tries),
        _google,
        _google_ended,
        GOOGLES_NOTHING,
        (401, _google_error(401, "UNAUTHENTICATED"), {}),
        GOOGLES_EXTRA,
    ),
    Wire(
        "bedrock",
        f"/model/{MODEL}/converse",
        lambda url, timeout, tries: Bedrock(
            keys=ACCESS, region="eu-central-1", model=MODEL, base_url=url, timeout=timeout, tries=tries
        ),
        _bedrock_said,
        _bedrock_ended,
        ({}, _bedrock([]), _bedrock([], "end_turn"), _bedrock([{"text": " "}], "end_turn"), _bedrock([_tool({})])),
        (403, {"message": "secret-looking text"}, {"x-amzn-errortype": "UnrecognizedClientException:http://internal"}),
        (
            (_bedrock([], "content_filtered"), "blocked"),
            (_bedrock([], "model_context_window_exceeded"), "truncated"),
            (_bedrock([], "malformed_tool_use"), "schema_invalid"),
            (_bedrock([_tool(ANSWER, "other_tool")]), "schema_invalid"),
            (_bedrock([_tool([1])]), "schema_invalid"),
            (_bedrock([THOUGHT]), "empty"),
            ({"output": {"message": {"content": "x"}}}, "schema_invalid"),
        ),
    ),
)
