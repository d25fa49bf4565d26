"""What only Apollo does: waterfalls whose results are polled for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence

import pytest
from pydantic import JsonValue

from revenueflow.domain.evidence import Signal
from revenueflow.enrichment.base import Findings, Question, Status
from revenueflow.enrichment.providers.apollo import Apollo
from revenueflow.errors import OutcomeUnknown, UpstreamRejected
from tests.support.dialects.apollo import CALLBACK, REQUEST
from tests.support.vendor_server import VendorServer, fixed

EMAILS = ["ada@a.example", "Bob@b.example", "eve@c.example"]
NEW = [Question(email) for email in EMAILS]
UNDER_WAY = [Question(email, str(REQUEST)) for email in EMAILS]


@pytest.fixture(scope="module")
def server() -> Iterator[VendorServer]:
    with VendorServer() as one:
        yield one


@pytest.fixture
async def apollo(server: VendorServer) -> AsyncIterator[Apollo]:
    server.seen.clear()
    one = Apollo("key", base_url=server.url, webhook_url=CALLBACK)
    yield one
    await one.aclose()


async def ask(apollo: Apollo, questions: Sequence[Question], name: str = "email") -> Sequence[Findings]:
    return await apollo.look_up(next(one for one in apollo.lookups if one.name == name), questions)


async def test_a_waterfall_is_started_once_and_then_polled(apollo: Apollo, server: VendorServer) -> None:
    server.answer = fixed(200, {"status": "success", "waterfall": {"status": "accepted"}, "request_id": REQUEST})
    findings = await ask(apollo, NEW)
    assert {(one.status, one.handle) for one in findings} == {(Status.PENDING, str(REQUEST))}
    assert server.seen[0].params == {"run_waterfall_email": "true", "webhook_url": CALLBACK}
    server.answer = fixed(404, {"error_code": "result_pending", "retry_after_seconds": 17})
    assert {(one.status, one.retry_after) for one in await ask(apollo, UNDER_WAY)} == {(Status.PENDING, 17.0)}
    found: JsonValue = [
        {"id": "2", "emails": [{"email": "bob@b.example", "email_status": "invalid"}]},
        {"id": "1", "email": "ada@a.example", "email_status": "verified"},
    ]
    server.answer = fixed(200, {"people": found})
    findings = await ask(apollo, UNDER_WAY)
    assert [[(fact.signal, fact.path, fact.value) for fact in one.facts] for one in findings] == [
        [(Signal.EMAIL_STATUS, "$.people[1].email_status", "valid")],
        [(Signal.EMAIL_STATUS, "$.people[0].emails[0].email_status", "invalid")],
        [],
    ]
    polls = [seen.path for seen in server.seen[1:]]
    assert polls == [f"/api/v1/webhook_result/{REQUEST}"] * 2


@pytest.mark.parametrize(
    ("status", "code", "reason"),
    [
        (410, "request_id_expired", "expired"),
        (404, "request_id_unknown", "unknown_handle"),
        (400, "invalid_request_id", "unknown_handle"),
    ],
)
async def test_a_result_that_is_gone(apollo: Apollo, server: VendorServer, status: int, code: str, reason: str) -> None:
    server.answer = fixed(status, {"error_code": code})
    assert [(one.status, one.reason) for one in await ask(apollo, UNDER_WAY)] == [(Status.FAILED, reason)] * 3


async def test_an_answer_that_names_no_request(apollo: Apollo, server: VendorServer) -> None:
    server.answer = fixed(200, {"status": "success"})
    with pytest.raises(OutcomeUnknown):
        await ask(apollo, NEW)


async def test_without_a_callback_there_are_no_waterfalls() -> None:
    apollo = Apollo("key")
    assert [one.name for one in apollo.lookups] == ["company", "person"]
    await apollo.aclose()


@pytest.mark.parametrize(("status", "reason"), [(403, "not_in_plan"), (200, "invalid")])
async def test_a_bulk_call_that_is_refused(apollo: Apollo, server: VendorServer, status: int, reason: str) -> None:
    server.answer = fixed(status, {"status": "failed", "error_code": "API_INACCESSIBLE"})
    with pytest.raises(UpstreamRejected) as caught:
        await ask(apollo, NEW, "person")
    assert caught.value.reason == reason
