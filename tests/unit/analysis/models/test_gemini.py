"""What only Google says; what all models have in common is in tests/conformance/test_models.py."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from google.auth.exceptions import RefreshError, TransportError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from revenueflow.analysis.models.gemini import Gemini
from revenueflow.analysis.models.refusal import of_google
from revenueflow.analysis.models.vertex import Vertex
from revenueflow.analysis.schema import ANSWER_SCHEMA
from revenueflow.errors import UpstreamRejected, UpstreamUnavailable
from tests.support.dialects.models import ANSWER
from tests.support.vendor_server import VendorServer
from tests.unit.analysis.evidence import prompt

USAGE = {"promptTokenCount": 900, "candidatesTokenCount": 80, "thoughtsTokenCount": 20}


def said(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"candidates": [{"content": {"parts": parts}, "finishReason": "STOP"}], "usageMetadata": USAGE}


GOOD = said({"text": orjson.dumps(ANSWER).decode()})


@pytest.fixture
def server() -> Iterator[VendorServer]:
    with VendorServer() as one:
        yield one


def answers(server: VendorServer, body: Any) -> list[Any]:
    bodies: list[Any] = []

    async def answer(request: Request) -> Response:
        bodies.append(orjson.loads(await request.body()))
        return JSONResponse(body)

    server.answer = answer
    return bodies


async def test_the_request(server: VendorServer) -> None:
    bodies = answers(server, GOOD)
    gemini = Gemini(api_key="key-1", model="m", base_url=server.url, most_output_tokens=4096)
    for _ in range(2):
        await gemini.analyse(prompt())
    await gemini.aclose()
    assert server.seen[0].headers["x-goog-api-key"] == "key-1"
    assert bodies[0] == bodies[1]
    assert bodies[0]["generationConfig"] == {
        "temperature": 0.0,
        "maxOutputTokens": 4096,
        "responseMimeType": "application/json",
        "responseJsonSchema": ANSWER_SCHEMA,
    }
    assert [part["text"] for part in bodies[0]["contents"][0]["parts"]] == [prompt().user]
    assert [part["text"] for part in bodies[0]["systemInstruction"]["parts"]] == [prompt().system]
    assert bodies[0].keys() == {"contents", "systemInstruction", "generationConfig"}


async def test_what_the_model_says_to_itself_is_not_its_answer(server: VendorServer) -> None:
    answers(server, said({"text": "Hm.", "thought": True}, {"text": orjson.dumps(ANSWER).decode()}))
    gemini = Gemini(api_key="key-1", model="m", base_url=server.url)
    found = await gemini.analyse(prompt())
    await gemini.aclose()
    assert (found.fit, found.output_tokens) == (70, 100)


async def test_vertex_in_a_project_without_credentials_is_a_wrong_key(server: VendorServer) -> None:
    vertex = Vertex(project="p-1", location="europe-west4", model="m", base_url=server.url, timeout=5)
    with pytest.raises(UpstreamRejected) as caught:
        await vertex.analyse(prompt())
    await vertex.aclose()
    assert (caught.value.upstream, caught.value.reason, server.seen) == ("vertex", "bad_key", [])


@pytest.mark.parametrize(
    ("error", "kind", "reason"),
    [
        (TransportError("no", retryable=True), UpstreamUnavailable, "unreachable"),  # type: ignore[no-untyped-call]
        (RefreshError("no"), UpstreamRejected, "bad_key"),  # type: ignore[no-untyped-call]
    ],
)
def test_credentials_that_can_not_be_renewed(error: Exception, kind: type, reason: str) -> None:
    found = of_google("vertex", error)
    assert (type(found), found.reason) == (kind, reason)
