"""What every CRM provider must do, over real HTTP: one effect per key, and errors that the ledger can rely on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import uuid4

import pytest

from revenueflow.crm.base import Crm, CrmRecord
from revenueflow.domain.action import record_key, shared_record_key
from revenueflow.errors import OutcomeUnknown, UpstreamError, UpstreamRejected, UpstreamUnavailable
from revenueflow.mcp.tools import TOOLS
from tests.support import enrichment_dialects as answers
from tests.support.crm_dialects import DIALECTS, SECRET, TIMEOUT, Dialect, lead_of
from tests.support.sandbox_http import Sandbox, running
from tests.support.tool_calls import DOMAIN, SAMPLES
from tests.support.vendor_server import Answerer, VendorServer, fixed

CANARY = "canary.person@canary.example"


@pytest.fixture(scope="module")
def server() -> Iterator[VendorServer]:
    with VendorServer() as one:
        yield one


@pytest.fixture(params=DIALECTS, ids=lambda one: one.name)
def dialect(request: pytest.FixtureRequest) -> Dialect:
    return request.param


class There:
    """A provider, and what it speaks to in the sandbox."""

    def __init__(self, dialect: Dialect, crm: Crm, sandbox: Sandbox) -> None:
        self.dialect, self.crm, self.sandbox = dialect, crm, sandbox
        self.lead, self.key = lead_of()

    def fields(self, tool: str = "upsert_lead", **changes: Any) -> dict[str, Any]:
        args = {"lead_id": str(self.lead), **SAMPLES[tool].args, **changes}
        return TOOLS[tool].fields(TOOLS[tool].args.model_validate(args))

    async def put(self, **changes: Any) -> CrmRecord:
        return await self.crm.put("lead", self.key, self.fields(**changes))

    async def held(self) -> dict[str, Any] | None:
        found = await self.crm.get("lead", self.key)
        return found.fields if found else None

    async def breaks(self, **faults: Any) -> None:
        await self.sandbox.break_(self.dialect.upstream, **faults)

    async def records(self) -> list[dict[str, Any]]:
        return await self.sandbox.records(self.dialect.upstream)


@pytest.fixture
async def there(dialect: Dialect) -> AsyncIterator[There]:
    async with running() as sandbox:
        crm, upstream = dialect.make(sandbox.urls[dialect.upstream], 5.0)
        one = There(dialect, crm, sandbox)
        await one.held()  # a token is not what these tests are about
        yield one
        await upstream.aclose()


async def test_what_is_written_is_read_back(there: There) -> None:
    made = await there.put(email="d@x.example", headcount=240, company="Larkvale")
    found = await there.crm.get("lead", there.key)
    assert found is not None
    assert found.crm_id == made.crm_id
    wanted = there.crm.normal("lead", there.fields(email="d@x.example", headcount=240, company="Larkvale"))
    assert wanted.items() <= found.fields.items()
    assert (wanted["email"], wanted["headcount"], wanted["name"]) == ("d@x.example", 240, "Dana Reyes")


async def test_every_tool_writes_what_it_can_read_back(there: There) -> None:
    for name, tool in TOOLS.items():
        if tool.reads or not tool.exposed:
            continue
        fields, kind = there.fields(name), tool.object_type
        key = shared_record_key(kind, DOMAIN) if tool.shared else record_key(there.lead, kind)
        made = await there.crm.put(kind, key, fields)
        found = await there.crm.get(kind, key)
        assert found is not None, name
        assert found.crm_id == made.crm_id
        wanted = there.crm.normal(kind, fields)
        assert wanted, name
        assert wanted.items() <= found.fields.items(), name


async def test_what_is_not_there_is_none(there: There) -> None:
    assert await there.crm.get("lead", uuid4()) is None
    assert await there.crm.get("task", uuid4()) is None


async def test_an_update_leaves_other_fields(there: There) -> None:
    await there.put(phone="+1 512 555 0143")
    await there.crm.put("lead", there.key, there.fields("set_lead_score"))
    held = await there.held()
    assert held is not None
    assert (held["phone"], held["score"], held["score_reason"]) == ("+1 512 555 0143", 70, "r")
    assert len(await there.records()) == 1


async def test_the_same_key_twice_is_one_record(there: There) -> None:
    first, second = await there.put(), await there.put()
    assert first.crm_id == second.crm_id
    assert len(await there.records()) == 1


async def test_the_same_key_at_the_same_moment_is_one_record(there: There) -> None:
    made = await asyncio.gather(*(there.put(title=str(number)) for number in range(8)))
    assert len({record.crm_id for record in made}) == 1
    assert len(await there.records()) == 1


async def test_many_records_share_calls_and_each_gets_its_own(there: There) -> None:
    leads = [lead_of(number) for number in range(1, 301)]
    before = len(await there.sandbox.requests(there.dialect.upstream))

    async def one(lead: Any, key: Any) -> CrmRecord:
        return await there.crm.put("lead", key, there.fields() | {"lead_id": str(lead), "title": str(lead)})

    made = await asyncio.gather(*(one(*lead) for lead in leads))
    assert len({record.crm_id for record in made}) == 300
    calls = len(await there.sandbox.requests(there.dialect.upstream)) - before
    assert calls <= 300 / there.dialect.largest + 8
    for lead, key in leads[::60]:
        found = await there.crm.get("lead", key)
        assert found is not None
        assert found.fields["title"] == str(lead)


@pytest.mark.parametrize("fault", [{}, {"status": 503}], ids=["no answer", "503"])
async def test_an_answer_that_is_lost_after_the_commit(there: There, fault: dict[str, int]) -> None:
    await there.breaks(lose_answer_rate=1, **fault)
    with pytest.raises(OutcomeUnknown):
        await there.put(company="Larkvale")
    await there.breaks()
    held = await there.held()
    assert held is not None
    assert there.crm.normal("lead", there.fields(company="Larkvale")).items() <= held.items()
    await there.put(company="Larkvale")
    assert len(await there.records()) == 1


async def test_a_server_error_before_the_commit(there: There) -> None:
    await there.breaks(error_rate=1, status=503)
    with pytest.raises(OutcomeUnknown):
        await there.put()
    with pytest.raises(UpstreamUnavailable):
        await there.held()
    await there.breaks()
    assert await there.held() is None


async def test_an_index_that_lags_makes_no_second_record(there: There) -> None:
    await there.breaks(lag_ms=60_000)
    first = await there.put()
    assert await there.held() is None
    second = await there.put()
    assert first.crm_id == second.crm_id
    assert len(await there.records()) == 1


async def test_a_refusal_is_not_repeated(there: There) -> None:
    await there.breaks(error_rate=1, status=400)
    with pytest.raises(UpstreamRejected):
        await there.put()
    await there.breaks()
    assert await there.held() is None


class Answered:
    """A provider that speaks to a server which answers as it is told."""

    def __init__(self, dialect: Dialect, crm: Crm, server: VendorServer) -> None:
        self.dialect, self.crm, self.server = dialect, crm, server
        self.lead, self.key = lead_of()

    def answers(self, answerer: Answerer) -> None:
        async def answer(request: Any) -> Any:
            return await self.dialect.beside.get(request.url.path, answerer)(request)

        self.server.answer = answer

    async def fails(self, *, reading: bool) -> UpstreamError:
        fields = {"lead_id": str(self.lead), "campaign_id": "default", "email": CANARY, "name": CANARY}
        asked = self.crm.get("lead", self.key) if reading else self.crm.put("lead", self.key, fields)
        with pytest.raises(UpstreamError) as caught:
            await asked
        told = f"{caught.value!r} {caught.value.detail} {caught.value.reason}"
        assert caught.value.upstream == self.dialect.name
        assert SECRET not in told
        assert CANARY not in told
        return caught.value

    @property
    def calls(self) -> int:
        return len([one for one in self.server.seen if one.path not in self.dialect.beside])


@pytest.fixture
async def answered(dialect: Dialect, server: VendorServer) -> AsyncIterator[Answered]:
    server.seen.clear()
    crm, upstream = dialect.make(server.url, TIMEOUT)
    yield Answered(dialect, crm, server)
    await upstream.aclose()


UNUSABLE = [answers.malformed, answers.not_an_object, answers.huge, fixed(200, {"id": 7}), fixed(200, [{"id": 7}])]


@pytest.mark.parametrize("answer", UNUSABLE, ids=["malformed", "not an object", "huge", "other", "other in a list"])
async def test_an_answer_that_can_not_be_used(answer: Answerer, answered: Answered) -> None:
    """A write with such an answer may have been made; a read with it told nothing, and is not "absent"."""
    answered.answers(answer)
    assert type(await answered.fails(reading=False)) is OutcomeUnknown
    assert answered.calls == 1
    assert type(await answered.fails(reading=True)) is UpstreamRejected


async def test_time_out(answered: Answered) -> None:
    answered.answers(answers.never)
    error = await answered.fails(reading=False)
    assert (type(error), error.reason, answered.calls) == (OutcomeUnknown, "timeout", 1)
    assert type(await answered.fails(reading=True)) is UpstreamUnavailable


@pytest.mark.parametrize("reading", [False, True])
async def test_used_too_much(answered: Answered, reading: bool) -> None:
    """Clearly not executed, and worth another try at the time that the vendor, or what is known of it, says."""
    answered.answers(answered.dialect.quota)
    error = await answered.fails(reading=reading)
    assert type(error) is UpstreamUnavailable
    assert error.retry_after is not None
    assert error.retry_after >= 1


@pytest.mark.parametrize("reading", [False, True])
async def test_a_key_that_is_refused_is_no_loop(answered: Answered, reading: bool) -> None:
    answered.answers(fixed(401, [{"errorCode": "INVALID_SESSION_ID", "message": CANARY}]))
    error = await answered.fails(reading=reading)
    assert (type(error), error.reason, answered.calls) == (UpstreamRejected, "bad_key", answered.dialect.refused)


@pytest.mark.parametrize("reading", [False, True])
async def test_nobody_there(dialect: Dialect, reading: bool) -> None:
    crm, upstream = dialect.make("http://127.0.0.1:1", TIMEOUT)
    asked = crm.get("lead", uuid4()) if reading else crm.put("lead", uuid4(), {"lead_id": str(uuid4())})
    with pytest.raises(UpstreamUnavailable):
        await asked
    await upstream.aclose()
