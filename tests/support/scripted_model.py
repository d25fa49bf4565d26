"""A model on Gemini's wire that claims what a test tells it to, over the evidence that it is shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import orjson
from pydantic import SecretStr
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from revenueflow.settings import AnalysisSettings
from tests.support.house import House
from tests.support.vendor_server import VendorServer

Pieces = list[dict[str, Any]]
Script = Callable[[Pieces], list[dict[str, Any]]]
Opine = Callable[[list[str]], dict[str, Any]]


class ScriptedModel(VendorServer):
    """`script` gets the numbered evidence of the prompt, and gives the claims of the answer.

    `opine` gets the texts of a prompt that asks for opinions on claims, and gives the whole answer.
    """

    def __init__(self, script: Script, opine: Opine | None = None) -> None:
        super().__init__()
        self.script = script
        self.opine = opine
        self.bodies: list[str] = []
        self.answer = self._write

    async def _write(self, request: Request) -> Response:
        body = await request.body()
        self.bodies.append(body.decode())
        sent = orjson.loads(body)
        texts = [part["text"] for content in sent["contents"] for part in content["parts"]]
        if self.opine and "<claims>\n" in texts[-1]:
            return _said(self.opine(texts))
        lines = [line for line in "\n".join(texts).splitlines() if line.startswith('{"id":"E')]
        return _said({"fit": 100, "intent": "high", "claims": self.script([orjson.loads(line) for line in lines])})


def _said(answer: dict[str, Any]) -> Response:
    candidate = {
        "content": {"role": "model", "parts": [{"text": orjson.dumps(answer).decode()}]},
        "finishReason": "STOP", "index": 0,
    }  # fmt: skip
    usage = {"promptTokenCount": 1, "candidatesTokenCount": 1, "totalTokenCount": 2}
    return JSONResponse({"candidates": [candidate], "usageMetadata": usage, "modelVersion": "scripted"})


@contextmanager
def scripted(home: House, script: Script, opine: Opine | None = None) -> Iterator[ScriptedModel]:
    """The house's model, as long as the block lasts; with `opine` it is asked for second opinions, too."""
    with ScriptedModel(script, opine) as model:
        key = SecretStr("scripted")
        analysis = AnalysisSettings(api_key=key, base_url=model.url, second_opinion=opine is not None)
        home.settings = home.settings.model_copy(update={"analysis": analysis})
        yield model


def claim(field: str, value: Any, statement: str, *cited: str | None, quote: str | None = None) -> dict[str, Any]:
    """A claim as a model writes it."""
    citations = [{"evidence_id": name} | ({"quote": quote} if quote else {}) for name in cited if name]
    return {"field": field, "value": value, "statement": statement, "citations": citations}


def of(pieces: Pieces, signal: str, provider: str | None = None) -> dict[str, Any]:
    """The first piece with this signal, by this provider if one is named."""
    return next(one for one in pieces if one["signal"] == signal and provider in (None, one["provider"]))
