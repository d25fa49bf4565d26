"""Gemini over real HTTP on loopback: what it answers, and how it fails."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import orjson
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from revenueflow.analysis.models.gemini import Gemini
from revenueflow.domain.lead import Intent
from revenueflow.errors import UpstreamError, UpstreamRejected, UpstreamUnavailable
from tests.support.vendor_server import VendorServer
from tests.unit.analysis.evidence import prompt

ANSWER = {
    "fit": 70,
    "intent": "medium",
    "claims": [{"field": "headcount", "value": 240, "statement": "It has 240.", "citations": [{"evidence_id": "E1"}]}],
}
USAGE = {"promptTokenCount": 900, "candidatesTokenCount": 80, "thoughtsTokenCount": 20}


def said(text: str, finish: str = "STOP") -> dict[str, Any]:
    candidate = {"content": {"role": "model", "parts": [{"text": text}]}, "finishReason": finish, "index": 0}
    return {"candidates": [candidate], "usageMetadata": USAGE, "modelVersion": "gemini-test"}


GOOD = said(orjson.dumps(ANSWER).decode())


def error(code: int, status: str, **extra: Any) -> dict[str, Any]:
    return {"error": {"code": code, "status": status, "message": "secret-looking text", **extra}}


@pytest.fixture
def server() -> Iterator[VendorServer]:
    with VendorServer() as one:
        yield one


@pytest.fixture
async def gemini(server: VendorServer) -> AsyncIterator[Gemini]:
    model = Gemini(api_key="key-1", model="gemini-test", base_url=server.url, timeout=5)
    yield model
    await model.aclose()


def answers(server: VendorServer, *replies: Response) -> list[Any]:
    """Gives the replies in turn, the last one again and again; collects the bodies that arrive."""
    bodies: list[Any] = []

    async def answer(request: Request) -> Response:
        bodies.append(orjson.loads(await request.body()))
        return replies[min(len(bodies), len(replies)) - 1]

    server.answer = answer
    return bodies


async def failure(gemini: Gemini) -> UpstreamError:
    with pytest.raises(UpstreamError) as caught:
        await gemini.analyse(prompt())
    assert "secret-looking" not in str(caught.value)
    assert "key-1" not in str(caught.value)
    return caught.value


async def test_a_good_answer(server: VendorServer, gemini: Gemini) -> None:
    bodies = answers(server, JSONResponse(GOOD))
    found = await gemini.analyse(prompt())
    assert (found.analyst, found.model, found.fit, found.intent) == (
        "gemini",
        "gemini-test",
        70,
        Intent.MEDIUM,
    )
    assert (found.input_tokens, found.output_tokens) == (900, 100)
    assert [(claim.id, claim.value) for claim in found.claims] == [("C1", 240)]
    (seen,) = server.seen
    assert (seen.method, seen.path) == ("POST", "/v1beta/models/gemini-test:generateContent")
    assert seen.headers["x-goog-api-key"] == "key-1"
    config = bodies[0]["generationConfig"]
    assert config["responseMimeType"] == "application/json"
    assert config["responseJsonSchema"]["required"] == ["fit", "intent", "claims"]
    assert bodies[0]["contents"][0]["parts"][0]["text"] == prompt().user
    assert bodies[0]["systemInstruction"]["parts"][0]["text"] == prompt().system
    assert "tools" not in bodies[0]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (said('{"fit": 70, "inte', "MAX_TOKENS"), "truncated"),
        (said(orjson.dumps(ANSWER).decode(), "MAX_TOKENS"), "truncated"),
        ({"promptFeedback": {"blockReason": "SAFETY"}}, "blocked"),
        (said("", "SAFETY"), "blocked"),
        (said("", "RECITATION"), "blocked"),
        ({"candidates": [], "usageMetadata": USAGE}, "empty"),
        ({}, "empty"),
        (said("  "), "empty"),
        ({"candidates": [{"finishReason": "STOP"}]}, "empty"),
        (said("I am sorry, I can't."), "schema_invalid"),
        (said('{"fit": 700, "intent": "high", "claims": []}'), "schema_invalid"),
        (said('{"fit": 70}'), "schema_invalid"),
        (said("{}", "OTHER"), "schema_invalid"),
        ({"candidates": "many"}, "schema_invalid"),
    ],
)
async def test_a_bad_answer_is_refused_with_its_reason_and_not_paid_twice(
    server: VendorServer, gemini: Gemini, body: dict[str, Any], reason: str
) -> None:
    answers(server, JSONResponse(body))
    found = await failure(gemini)
    assert (isinstance(found, UpstreamRejected), found.reason) == (True, reason)
    assert len(server.seen) == 1


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (400, error(400, "INVALID_ARGUMENT"), "bad_request"),
        (400, error(400, "INVALID_ARGUMENT", details=[{"reason": "API_KEY_INVALID"}]), "bad_key"),
        (401, error(401, "UNAUTHENTICATED"), "bad_key"),
        (403, error(403, "PERMISSION_DENIED"), "bad_key"),
        (404, error(404, "NOT_FOUND"), "bad_request"),
    ],
)
async def test_a_refusal_is_not_tried_again(
    server: VendorServer, gemini: Gemini, status: int, body: dict[str, Any], reason: str
) -> None:
    answers(server, JSONResponse(body, status_code=status))
    found = await failure(gemini)
    assert (type(found), found.reason, len(server.seen)) == (UpstreamRejected, reason, 1)


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (JSONResponse(error(500, "INTERNAL"), status_code=500), "overloaded"),
        (JSONResponse(error(503, "UNAVAILABLE"), status_code=503), "overloaded"),
        (Response("<html>bad gateway</html>", status_code=502), "overloaded"),
        (JSONResponse(error(429, "RESOURCE_EXHAUSTED"), status_code=429), "rate_limited"),
    ],
)
async def test_an_outage_is_tried_twice(server: VendorServer, gemini: Gemini, reply: Response, reason: str) -> None:
    answers(server, reply)
    found = await failure(gemini)
    assert (type(found), found.reason, len(server.seen)) == (UpstreamUnavailable, reason, 2)


async def test_the_second_try_may_succeed(server: VendorServer, gemini: Gemini) -> None:
    answers(server, JSONResponse(error(503, "UNAVAILABLE"), status_code=503), JSONResponse(GOOD))
    assert (await gemini.analyse(prompt())).fit == 70


async def test_a_short_retry_after_is_obeyed(server: VendorServer, gemini: Gemini) -> None:
    limited = JSONResponse(error(429, "RESOURCE_EXHAUSTED"), status_code=429, headers={"Retry-After": "1"})
    answers(server, limited, JSONResponse(GOOD))
    before = time.monotonic()
    assert (await gemini.analyse(prompt())).fit == 70
    assert time.monotonic() - before >= 1


@pytest.mark.parametrize("as_date", [False, True])
async def test_a_long_retry_after_is_handed_on_at_once(server: VendorServer, gemini: Gemini, as_date: bool) -> None:
    headers = {"Retry-After": format_datetime(datetime.now(UTC) + timedelta(hours=1)) if as_date else "3600"}
    answers(server, JSONResponse(error(429, "RESOURCE_EXHAUSTED"), status_code=429, headers=headers))
    found = await failure(gemini)
    assert (found.reason, len(server.seen)) == ("rate_limited", 1)
    assert found.retry_after == pytest.approx(3600, abs=60)


@pytest.mark.parametrize("body", [b"<html>", b"", b"\xff\xfe", b'{"candidates": [', b"[1, 2]", b'"text"'])
async def test_garbage_with_a_good_status(server: VendorServer, gemini: Gemini, body: bytes) -> None:
    answers(server, Response(body, media_type="application/json"))
    found = await failure(gemini)
    assert found.reason in ("schema_invalid", "empty")


async def test_what_the_model_says_to_itself_is_not_its_answer(server: VendorServer, gemini: Gemini) -> None:
    parts = [{"text": "Hm.", "thought": True}, {"text": orjson.dumps(ANSWER).decode()}]
    answers(server, JSONResponse({"candidates": [{"content": {"parts": parts}, "finishReason": "STOP"}]}))
    found = await gemini.analyse(prompt())
    assert (found.fit, found.input_tokens) == (70, 0)


async def test_a_slow_answer_is_cut_and_not_paid_twice(server: VendorServer) -> None:
    released = asyncio.Event()

    async def answer(_: Request) -> Response:
        await asyncio.wait_for(released.wait(), 5)
        return JSONResponse(GOOD)

    server.answer = answer
    gemini = Gemini(api_key="key-1", model="gemini-test", base_url=server.url, timeout=0.2)
    before = time.monotonic()
    found = await failure(gemini)
    await gemini.aclose()
    assert (type(found), found.reason, len(server.seen)) == (UpstreamUnavailable, "timeout", 1)
    assert time.monotonic() - before < 3


async def test_nobody_there(server: VendorServer) -> None:
    gemini = Gemini(api_key="key-1", model="gemini-test", base_url="http://127.0.0.1:9", timeout=2)
    found = await failure(gemini)
    await gemini.aclose()
    assert (type(found), found.reason) == (UpstreamUnavailable, "unreachable")
