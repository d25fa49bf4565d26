"""All upstreams in one lean process, for measuring ours: the vendors' wire, canned answers, a fixed latency each.

    python -m bench.upstreams --port 9000 --enrich 0.15 --model 1.2 --crm 0.03

Plain ASGI: about 0.1 ms of processor time for a request. `PUT /latency {"enrich", "model", "crm"}` changes latencies
(seconds) while it runs; `GET` tells them, and how many requests each upstream has got. Addresses: /clearbit, /hunter,
/gemini, /crm, /slack below the port. Half of the companies are of a kind that becomes hot leads.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs

import orjson
import uvicorn

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Answer = tuple[int, bytes]

COMPANY = {
    "name": "Larkvale Systems",
    "description": "Larkvale Systems offers a workflow platform for back-office teams and works from Austin.",
    "category": {"industry": "Computer Software"},
    "foundedYear": 2010,
    "geo": {"city": "Austin", "country": "United States"},
    "metrics": {"employees": 240, "raised": 18_000_000},
    "tech": ["Intercom", "HubSpot", "Datadog"],
}
SMALL_COMPANY = COMPANY | {
    "name": "Brackenford Tools",
    "description": "Brackenford Tools repairs garden machines for households in and around Leeds.",
    "category": {"industry": "Retail"},
    "geo": {"city": "Leeds", "country": "United Kingdom"},
    "metrics": {"employees": 9, "raised": None},
    "tech": [],
}
PERSON = {"employment": {"title": "VP Operations", "role": "operations", "seniority": "executive"}}
SMALL = ("brackenford-tools.example", "ostwind-logistik.example")
COUNTRIES = {"United States": "US", "United Kingdom": "GB"}
CLAIMS: dict[str, tuple[str, Callable[[Any], Any], str]] = {
    "industry": ("industry", lambda value: value, "The company is in {}."),
    "headcount": ("headcount", lambda value: value, "The company has {} employees."),
    "country": ("country", COUNTRIES.get, "The company is in the {}."),
    "technologies": ("technology", lambda value: value[0], "The company uses {}."),
    "founded_year": ("founded_year", lambda value: value, "The company was founded in {}."),
    "funding_total": ("funding_amount", lambda value: value, "The company has raised ${:,}."),
}
"""By the signal of a piece of evidence: the claim's field, its value, and its statement."""


class Upstreams:
    """The ASGI app. Records of the CRM are kept for as long as it runs."""

    def __init__(self, latency: dict[str, float]) -> None:
        self._latency = latency
        self._records: dict[str, dict[str, Any]] = {}
        self._numbers = itertools.count(1)
        self._seen: Counter[str] = Counter()
        self._routes: dict[str, tuple[str, Callable[[Scope, bytes], Answer]]] = {
            "clearbit": ("enrich", self._clearbit),
            "hunter": ("enrich", self._hunter),
            "gemini": ("model", self._gemini),
            "crm": ("crm", self._crm),
            "slack": ("slack", self._slack),
            "latency": ("none", self._set_latency),
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        name = scope["path"].split("/", 2)[1]
        kind, answer = self._routes[name]
        self._seen[name] += 1
        body = b""
        while (message := await receive())["type"] == "http.request":
            body += message["body"]
            if not message.get("more_body"):
                break
        if latency := self._latency.get(kind):
            await asyncio.sleep(latency)
        status, content = answer(scope, body)
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(content))]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    def _set_latency(self, _: Scope, body: bytes) -> Answer:
        if body:
            self._latency = orjson.loads(body)
        return 200, orjson.dumps({"latency": self._latency, "requests": self._seen})

    def _clearbit(self, scope: Scope, _: bytes) -> Answer:
        return 200, orjson.dumps(PERSON if "/people/" in scope["path"] else _company(scope))

    def _hunter(self, scope: Scope, _: bytes) -> Answer:
        return 200, orjson.dumps({"data": PERSON if "/people/" in scope["path"] else _company(scope)})

    def _gemini(self, _: Scope, body: bytes) -> Answer:
        prompt = orjson.loads(body)["contents"][0]["parts"][0]["text"]
        text = orjson.dumps({"fit": 80, "intent": "medium", "claims": _claims(prompt)}).decode()
        return 200, orjson.dumps(
            {
                "candidates": [
                    {"content": {"parts": [{"text": text}], "role": "model"}, "finishReason": "STOP", "index": 0}
                ],
                "usageMetadata": {"promptTokenCount": 900, "candidatesTokenCount": 300, "totalTokenCount": 1200},
                "modelVersion": "bench",
                "responseId": "bench",
            }
        )

    def _crm(self, scope: Scope, body: bytes) -> Answer:
        path = scope["path"]
        known = self._records.get(path)
        if scope["method"] == "GET":
            return (200, orjson.dumps(known)) if known else (404, b'{"error":"not_found"}')
        record = known or {"id": f"crm-{next(self._numbers)}", "fields": {}}
        record["fields"] |= orjson.loads(body)["fields"]
        self._records[path] = record
        return 200 if known else 201, orjson.dumps(record)

    def _slack(self, _: Scope, body: bytes) -> Answer:
        stamp = f"1700000000.{next(self._numbers):06}"
        message = {"type": "message", "text": orjson.loads(body).get("text", ""), "ts": stamp}
        return 200, orjson.dumps({"ok": True, "channel": "C0BENCH", "ts": stamp, "message": message})


def _company(scope: Scope) -> dict[str, Any]:
    query = parse_qs(scope["query_string"].decode())
    domain = (query.get("domain") or ["larkvale-systems.example"])[0]
    return (SMALL_COMPANY if domain in SMALL else COMPANY) | {"domain": domain}


def _claims(prompt: str) -> list[dict[str, Any]]:
    """One for each signal that stands in the evidence, with the id and the words of its first vendor's piece."""
    claims: dict[str, dict[str, Any]] = {}
    for line in prompt.splitlines():
        if not line.startswith('{"id"'):
            continue
        piece = orjson.loads(line)
        known = CLAIMS.get(piece["signal"])
        if known is None or piece["trust"] == "self_reported" or piece["signal"] in claims:
            continue
        field, value_of, statement = known
        shown = piece["value"][0] if isinstance(piece["value"], list) else piece["value"]
        citation = {"evidence_id": piece["id"], "json_path": piece["path"], "quote": str(shown)}
        claims[piece["signal"]] = {
            "field": field,
            "value": value_of(piece["value"]),
            "statement": statement.format(shown),
            "citations": [citation],
        }
    return list(claims.values())


def main() -> None:
    """Serves until it is ended."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--port", type=int, default=9000)
    for kind in ("enrich", "model", "crm"):
        parser.add_argument(f"--{kind}", type=float, default=0.0, help="seconds")
    args = parser.parse_args()
    app = Upstreams({"enrich": args.enrich, "model": args.model, "crm": args.crm})
    uvicorn.run(
        app, port=args.port, loop="uvloop", http="httptools", lifespan="off", access_log=False, log_level="warning",
        backlog=2048,
    )  # fmt: skip


if __name__ == "__main__":
    main()
