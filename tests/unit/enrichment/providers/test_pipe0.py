"""What only pipe0 does: runs that are polled, pipes that an account may lack."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence

import orjson
import pytest
from pydantic import JsonValue
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from revenueflow.enrichment.base import Findings, Question, Status
from revenueflow.enrichment.providers.pipe0 import Pipe0
from revenueflow.errors import OutcomeUnknown, UpstreamRejected
from tests.support.dialects.pipe0 import RUN, answer
from tests.support.vendor_server import VendorServer, fixed

PIPE = "company:overview@2"
KEYS = [f"x{number}.example" for number in range(10)]
NEW = [Question(key) for key in KEYS]
UNDER_WAY = [Question(key, RUN) for key in KEYS]
PROCESSING: JsonValue = {"id": RUN, "status": "processing", "errors": [], "records": {}}


@pytest.fixture(scope="module")
def server() -> Iterator[VendorServer]:
    with VendorServer() as one:
        yield one


@pytest.fixture
async def pipe0(server: VendorServer) -> AsyncIterator[Pipe0]:
    server.seen.clear()
    one = Pipe0("key", base_url=server.url)
    yield one
    await one.aclose()


async def ask(pipe0: Pipe0, questions: Sequence[Question], name: str = "company") -> Sequence[Findings]:
    return await pipe0.look_up(next(one for one in pipe0.lookups if one.name == name), questions)


def refusing(*errors: JsonValue, status: str = "failed") -> JsonValue:
    return {"id": RUN, "status": status, "errors": list(errors), "records": {}}


async def test_ten_are_run_apart_and_polled_together(pipe0: Pipe0, server: VendorServer) -> None:
    server.answer = fixed(200, PROCESSING)
    for questions in (NEW, UNDER_WAY):
        findings = await ask(pipe0, questions)
        assert {(one.status, one.handle) for one in findings} == {(Status.PENDING, RUN)}
        assert all(one.retry_after for one in findings)
    server.answer = fixed(200, answer(PIPE, [(key, {"company_name": key}) for key in KEYS[:7]] + [(KEYS[7], None)]))
    findings = await ask(pipe0, UNDER_WAY)
    assert [fact.value for one in findings for fact in one.facts] == KEYS[:7]
    assert [(one.status, one.reason) for one in findings[7:]] == [
        (Status.NOT_FOUND, None),
        (Status.FAILED, "malformed"),
        (Status.FAILED, "malformed"),
    ]
    assert [seen.path for seen in server.seen] == ["/v1/pipes/run", *[f"/v1/pipes/check/{RUN}"] * 2]


async def test_a_run_that_takes_longer_is_polled(pipe0: Pipe0, server: VendorServer) -> None:
    server.answer = fixed(408, {"id": RUN, "type": "timeout"})
    (findings,) = await ask(pipe0, NEW[:1])
    assert (findings.status, findings.handle) == (Status.PENDING, RUN)
    server.answer = fixed(408, None)
    with pytest.raises(OutcomeUnknown):
        await ask(pipe0, NEW[:1])


@pytest.mark.parametrize("status", [200, 400])
@pytest.mark.parametrize("path", ["pipes.0.pipe_id", "$.pipes[0].pipe_id", "/pipes/0", ["pipes", 0, "pipe_id"]])
async def test_a_pipe_that_the_account_does_not_have(
    pipe0: Pipe0, server: VendorServer, status: int, path: JsonValue
) -> None:
    server.answer = fixed(status, refusing({"code": "x", "message": "?", "path": path}))
    findings = await ask(pipe0, NEW[:2], "jobs")
    assert [(one.status, one.reason) for one in findings] == [(Status.FAILED, "not_in_plan")] * 2


@pytest.mark.parametrize(("status", "reason"), [(400, "bad_request"), (422, "invalid")])
async def test_another_fault_of_ours_is_a_refusal(pipe0: Pipe0, server: VendorServer, status: int, reason: str) -> None:
    server.answer = fixed(status, refusing({"code": "x", "message": "?", "path": "input.0"}))
    with pytest.raises(UpstreamRejected) as caught:
        await ask(pipe0, NEW[:1])
    assert caught.value.reason == reason


async def test_a_run_that_ends_without_credits(pipe0: Pipe0, server: VendorServer) -> None:
    server.answer = fixed(200, refusing({"code": "InsufficientCredits", "message": "?", "path": ""}))
    with pytest.raises(UpstreamRejected) as caught:
        await ask(pipe0, UNDER_WAY)
    assert caught.value.reason == "quota"


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [(200, refusing(), "run_failed"), (200, refusing(status="canceled"), "run_failed"), (404, None, "expired")],
)
async def test_a_run_that_came_to_nothing(
    pipe0: Pipe0, server: VendorServer, status: int, body: JsonValue, reason: str
) -> None:
    server.answer = fixed(status, body)
    assert [(one.status, one.reason) for one in await ask(pipe0, UNDER_WAY[:2])] == [(Status.FAILED, reason)] * 2


async def test_a_source_that_failed_is_not_a_company_that_is_unknown(pipe0: Pipe0, server: VendorServer) -> None:
    body = orjson.loads(orjson.dumps(answer(PIPE, [(KEYS[0], {"company_name": None})])))
    (record,) = body["records"].values()
    record["fields"]["company_name"]["status"] = "failed"
    server.answer = fixed(200, body)
    (findings,) = await ask(pipe0, NEW[:1])
    assert (findings.status, findings.reason) == (Status.FAILED, "source_failed")


async def test_one_failing_poll_does_not_cost_what_another_call_found(pipe0: Pipe0, server: VendorServer) -> None:
    async def answers(request: Request) -> Response:
        if request.method == "GET":
            return JSONResponse({}, 401)
        return JSONResponse(answer(PIPE, [(KEYS[0], {"headcount": 7})]))

    server.answer = answers
    findings = await ask(pipe0, [UNDER_WAY[1], NEW[0]])
    assert [(one.status, one.reason) for one in findings] == [(Status.FAILED, "bad_key"), (Status.FOUND, None)]
