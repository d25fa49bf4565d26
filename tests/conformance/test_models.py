"""What every model does, whoever serves it: the same answers, the same failures, over real HTTP."""

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

from revenueflow.analysis.base import Unusable
from revenueflow.domain.lead import Intent
from revenueflow.errors import UpstreamError, UpstreamRejected, UpstreamUnavailable
from revenueflow.resilience.http import ANSWER_CAP
from tests.support.dialects.models import ANSWER, MODEL, SECRETS, WIRES, Model, Wire
from tests.support.vendor_server import VendorServer
from tests.unit.analysis.evidence import prompt

GOOD = orjson.dumps(ANSWER).decode()


@pytest.fixture(params=WIRES, ids=lambda wire: wire.name)
def wire(request: pytest.FixtureRequest) -> Wire:
    found: Wire = request.param
    return found


@pytest.fixture
def server() -> Iterator[VendorServer]:
    with VendorServer() as one:
        yield one


@pytest.fixture
async def model(wire: Wire, server: VendorServer) -> AsyncIterator[Model]:
    one = wire.make(server.url, 5, 2)
    yield one
    await one.aclose()


def answers(server: VendorServer, *replies: Response) -> list[Any]:
    """Gives the replies in turn, the last one again and again; collects the bodies that arrive."""
    bodies: list[Any] = []

    async def answer(request: Request) -> Response:
        bodies.append(orjson.loads(await request.body()))
        return replies[min(len(bodies), len(replies)) - 1]

    server.answer = answer
    return bodies


async def failure(model: Model) -> UpstreamError:
    with pytest.raises(UpstreamError) as caught:
        await model.analyse(prompt())
    assert not [secret for secret in (*SECRETS, "secret-looking", "240") if secret in str(caught.value)]
    return caught.value


async def refused(server: VendorServer, model: Model, body: Any) -> tuple[type, str, int]:
    answers(server, JSONResponse(body))
    found = await failure(model)
    return type(found), found.reason, len(server.seen)


async def test_a_good_answer(wire: Wire, server: VendorServer, model: Model) -> None:
    bodies = answers(server, JSONResponse(wire.said(GOOD)))
    found = await model.analyse(prompt())
    assert (found.analyst, found.model, found.fit, found.intent) == (wire.name, MODEL, 70, Intent.MEDIUM)
    assert (found.input_tokens, found.output_tokens) == (900, 100)
    assert [(claim.id, claim.value) for claim in found.claims] == [("C1", 240)]
    (seen,) = server.seen
    assert (seen.method, seen.path) == ("POST", wire.path)
    sent = orjson.dumps(bodies[0]).decode()
    for part in (prompt().system, prompt().user):
        assert orjson.dumps(part).decode() in sent
    assert '"technology_absent"' in sent and "8192" in sent


@pytest.mark.parametrize("how", ["truncated", "blocked"])
@pytest.mark.parametrize("text", [GOOD, '{"fit": 70, "inte'])
async def test_an_answer_that_ended_early(wire: Wire, server: VendorServer, model: Model, text: str, how: str) -> None:
    assert await refused(server, model, wire.ended(text, how)) == (Unusable, how, 1)


async def test_what_an_unusable_answer_cost_is_told(wire: Wire, server: VendorServer, model: Model) -> None:
    answers(server, JSONResponse(wire.ended(GOOD, "truncated")))
    found = await failure(model)
    assert isinstance(found, Unusable)
    assert found.usage == (900, 100)


@pytest.mark.parametrize("which", range(5))
async def test_nothing_in_the_answer(wire: Wire, server: VendorServer, model: Model, which: int) -> None:
    body = wire.nothing[which % len(wire.nothing)]
    assert await refused(server, model, body) == (Unusable, "empty", 1)


@pytest.mark.parametrize("which", range(7))
async def test_what_only_this_service_says(wire: Wire, server: VendorServer, model: Model, which: int) -> None:
    body, reason = wire.extra[which % len(wire.extra)]
    assert await refused(server, model, body) == (Unusable, reason, 1)


@pytest.mark.parametrize(
    "text",
    [
        "I am sorry, I can't.",
        '{"fit": 700, "intent": "high", "claims": []}',
        '{"fit": 70}',
        '{"fit": 70, "intent": "high", "claims": [], "route": "owner-1"}',
        '[{"fit": 70}]',
    ],
)
async def test_an_answer_that_is_not_of_our_form(wire: Wire, server: VendorServer, model: Model, text: str) -> None:
    assert await refused(server, model, wire.said(text)) == (Unusable, "schema_invalid", 1)


@pytest.mark.parametrize("body", [b"<html>", b"\xff\xfe", b'{"output": {', b"[1, 2]", b'"text"'])
async def test_malformed_json_with_a_good_status(server: VendorServer, model: Model, body: bytes) -> None:
    answers(server, Response(body, media_type="application/json"))
    found = await failure(model)
    assert isinstance(found, Unusable)
    assert found.reason in ("schema_invalid", "empty")


async def test_a_huge_answer_is_cut_and_not_asked_for_again(wire: Wire, server: VendorServer, model: Model) -> None:
    answers(server, JSONResponse(wire.said("x" * (ANSWER_CAP + 1))))
    found = await failure(model)
    assert (type(found), found.reason, len(server.seen)) == (Unusable, "answer_too_large", 1)


async def test_a_wrong_credential(wire: Wire, server: VendorServer, model: Model) -> None:
    status, body, headers = wire.bad_key
    answers(server, JSONResponse(body, status, headers))
    found = await failure(model)
    assert (type(found), found.reason, len(server.seen)) == (UpstreamRejected, "bad_key", 1)


@pytest.mark.parametrize("status", [400, 404, 413])
async def test_a_refusal_is_not_tried_again(server: VendorServer, model: Model, status: int) -> None:
    answers(server, JSONResponse({"message": "secret-looking"}, status_code=status))
    found = await failure(model)
    assert (type(found), found.reason, len(server.seen)) == (UpstreamRejected, "bad_request", 1)


@pytest.mark.parametrize(
    ("status", "reason"), [(500, "overloaded"), (502, "overloaded"), (503, "overloaded"), (429, "rate_limited")]
)
async def test_an_outage_is_tried_twice(server: VendorServer, model: Model, status: int, reason: str) -> None:
    answers(server, Response("<html>no</html>", status_code=status))
    found = await failure(model)
    assert (type(found), found.reason, len(server.seen)) == (UpstreamUnavailable, reason, 2)


@pytest.mark.parametrize("status", [408, 504])
async def test_a_time_out_over_there_is_not_tried_again(server: VendorServer, model: Model, status: int) -> None:
    answers(server, Response("", status_code=status))
    found = await failure(model)
    assert (type(found), found.reason, len(server.seen)) == (UpstreamUnavailable, "timeout", 1)


async def test_the_second_try_may_succeed(wire: Wire, server: VendorServer, model: Model) -> None:
    answers(server, Response("", status_code=503), JSONResponse(wire.said(GOOD)))
    assert (await model.analyse(prompt())).fit == 70


async def test_a_short_retry_after_is_obeyed(wire: Wire, server: VendorServer, model: Model) -> None:
    limited = JSONResponse({}, status_code=429, headers={"Retry-After": "1"})
    answers(server, limited, JSONResponse(wire.said(GOOD)))
    before = time.monotonic()
    assert (await model.analyse(prompt())).fit == 70
    assert time.monotonic() - before >= 1


@pytest.mark.parametrize("as_date", [False, True])
async def test_a_long_retry_after_is_handed_on_at_once(server: VendorServer, model: Model, as_date: bool) -> None:
    headers = {"Retry-After": format_datetime(datetime.now(UTC) + timedelta(hours=1)) if as_date else "3600"}
    answers(server, JSONResponse({}, status_code=429, headers=headers))
    found = await failure(model)
    assert (found.reason, len(server.seen)) == ("rate_limited", 1)
    assert found.retry_after == pytest.approx(3600, abs=60)


async def test_a_slow_answer_is_cut_and_not_paid_twice(wire: Wire, server: VendorServer) -> None:
    released = asyncio.Event()

    async def answer(_: Request) -> Response:
        await asyncio.wait_for(released.wait(), 5)
        return JSONResponse(wire.said(GOOD))

    server.answer = answer
    model = wire.make(server.url, 0.3, 2)
    found = await failure(model)
    await model.aclose()
    assert (type(found), found.reason, len(server.seen)) == (UpstreamUnavailable, "timeout", 1)


async def test_nobody_there(wire: Wire) -> None:
    model = wire.make("http://127.0.0.1:9", 2, 2)
    found = await failure(model)
    await model.aclose()
    assert (type(found), found.reason) == (UpstreamUnavailable, "unreachable")
