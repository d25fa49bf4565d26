"""What every enrichment provider must do, over real HTTP, in each of its lookups, whatever its vendor's wire is."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence

import orjson
import pytest

from revenueflow.domain.evidence import Trust
from revenueflow.enrichment.base import EnrichmentProvider, Findings, Question, Status
from revenueflow.errors import OutcomeUnknown, UpstreamError, UpstreamRejected, UpstreamUnavailable
from tests.support import enrichment_dialects as wires
from tests.support.dialects import WIRES
from tests.support.enrichment_dialects import Wire
from tests.support.vendor_server import Answerer, VendorServer, fixed


@pytest.fixture(scope="module")
def server() -> Iterator[VendorServer]:
    with VendorServer() as one:
        yield one


@pytest.fixture(params=WIRES, ids=lambda wire: wire.id)
def wire(request: pytest.FixtureRequest) -> Wire:
    return request.param


@pytest.fixture
async def provider(wire: Wire, server: VendorServer) -> AsyncIterator[EnrichmentProvider]:
    server.seen.clear()
    one = wire.make(server.url)
    yield one
    await one.aclose()  # type: ignore[attr-defined]


def these(some: Iterable[Wire]) -> pytest.MarkDecorator:
    """Only for those of the wires that have the case."""
    return pytest.mark.parametrize("wire", [pytest.param(one, id=one.id) for one in some], indirect=True)


class Asking:
    """Asks one provider, of a server that answers as it is told."""

    def __init__(self, wire: Wire, provider: EnrichmentProvider, server: VendorServer) -> None:
        self.wire, self.provider, self.server = wire, provider, server
        self.key = wire.key(provider)

    def answers(self, answerer: Answerer) -> None:
        self.server.answer = self.wire.serving(answerer)

    def knows(self, record: object) -> None:
        self.answers(self.wire.found({self.key: record}))  # type: ignore[dict-item]

    async def one(self, handle: str | None = None) -> Findings:
        (findings,) = await self.many([Question(self.key, handle or self.wire.under_way)])
        return findings

    async def many(self, questions: Sequence[Question]) -> Sequence[Findings]:
        return await self.provider.look_up(self.wire.of(self.provider), questions)

    async def fails(self) -> UpstreamError:
        with pytest.raises(UpstreamError) as caught:
            await self.one()
        assert caught.value.upstream == self.wire.vendor
        told = f"{caught.value!r} {caught.value.detail}"
        assert wires.KEY not in told and self.key not in told
        return caught.value

    @property
    def calls(self) -> int:
        return len(self.wire.asked(self.server))


@pytest.fixture
def asking(wire: Wire, provider: EnrichmentProvider, server: VendorServer) -> Asking:
    return Asking(wire, provider, server)


def lost(wire: Wire) -> type[UpstreamError]:
    """The error for an answer that did not come: a call that may have cost something is not simply repeated."""
    return UpstreamUnavailable if wire.reads else OutcomeUnknown


async def test_every_lookup_is_tried(wire: Wire, provider: EnrichmentProvider) -> None:
    tried = {(one.lookup, one.largest) for one in WIRES if one.vendor == wire.vendor}
    assert {(one.name, one.largest) for one in provider.lookups} == tried


async def test_found(wire: Wire, asking: Asking, server: VendorServer) -> None:
    asking.knows(wire.record)
    findings = await asking.one()
    root = wire.root(asking.key)
    assert findings.status is Status.FOUND
    assert {fact.signal: (fact.path, fact.value) for fact in findings.facts} == {
        signal: (f"{root}.{path}", value) for signal, (path, value) in wire.facts.items()
    }
    assert findings.refused == ()
    assert [wire.authorised(seen) for seen in wire.asked(server)] == [True]


async def test_says_what_it_may_know(wire: Wire, provider: EnrichmentProvider) -> None:
    assert set(wire.facts) | set(wire.refused) <= wire.of(provider).signals
    assert (provider.name, provider.trust) == (wire.vendor, Trust.VENDOR)


async def test_no_personal_data_in_facts(wire: Wire, asking: Asking) -> None:
    asking.knows(wire.record)
    told = orjson.dumps((await asking.one()).model_dump(mode="json")).decode()
    assert [word for word in wires.PERSONAL if word in told] == []


async def test_the_key_is_in_no_address(wire: Wire, asking: Asking, server: VendorServer) -> None:
    asking.knows(wire.record)
    await asking.one()
    assert server.seen
    assert [seen for seen in server.seen if wires.KEY in seen.path or wires.KEY in str(seen.params)] == []


async def test_not_found(asking: Asking) -> None:
    asking.answers(asking.wire.found({}))
    findings = await asking.one()
    assert (findings.status, findings.facts) == (Status.NOT_FOUND, ())


async def test_found_but_empty_is_not_found(asking: Asking) -> None:
    asking.knows({})
    assert (await asking.one()).status is Status.NOT_FOUND


@these(wire for wire in WIRES if "pending" in wire.errors)
async def test_pending_and_then_found(wire: Wire, asking: Asking) -> None:
    asking.answers(wires.once_then(wire.errors["pending"], wire.found({asking.key: wire.record})))
    findings = await asking.one()
    assert findings.status is Status.PENDING
    assert findings.retry_after
    assert findings.retry_after > 0
    assert findings.handle == wire.handle
    assert asking.calls == 1
    assert (await asking.one(findings.handle)).status is Status.FOUND
    assert asking.calls == 2


async def test_rate_limited_once_is_tried_again(wire: Wire, asking: Asking) -> None:
    asking.answers(wires.once_then(wire.errors["rate_limited"], wire.found({asking.key: wire.record})))
    assert (await asking.one()).status is Status.FOUND
    assert asking.calls == 2


async def test_rate_limited_for_good_is_unavailable(wire: Wire, asking: Asking) -> None:
    asking.answers(wire.errors["rate_limited"])
    error = await asking.fails()
    assert (type(error), error.reason) == (UpstreamUnavailable, "rate_limited")


@pytest.mark.parametrize("case", ["quota", "bad_key"])
async def test_a_refusal_is_not_repeated(case: str, wire: Wire, asking: Asking) -> None:
    asking.answers(wire.errors[case])
    error = await asking.fails()
    assert (type(error), error.reason) == (UpstreamRejected, case)
    assert asking.calls == 1 + (case == "bad_key" and bool(wire.beside))


async def test_server_error(wire: Wire, asking: Asking) -> None:
    asking.answers(fixed(503, {}))
    error = await asking.fails()
    assert (type(error), error.reason) == (lost(wire), "server_error")
    assert (asking.calls > 1) == wire.reads


async def test_time_out(wire: Wire, asking: Asking) -> None:
    asking.answers(wires.never)
    error = await asking.fails()
    assert (type(error), error.reason) == (lost(wire), "timeout")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [(wires.malformed, "malformed"), (wires.not_an_object, "malformed"), (wires.huge, "answer_too_large")],
    ids=["malformed", "not_an_object", "huge"],
)
async def test_an_answer_that_cannot_be_used(answer: Answerer, reason: str, wire: Wire, asking: Asking) -> None:
    asking.answers(answer)
    error = await asking.fails()
    assert (type(error), error.reason) == (UpstreamRejected if wire.reads else OutcomeUnknown, reason)
    assert asking.calls == 1


async def test_values_of_the_wrong_type_cost_only_themselves(wire: Wire, asking: Asking) -> None:
    asking.knows(wire.broken)
    findings = await asking.one()
    assert {item.signal: item.reason for item in findings.refused} == wire.refused
    assert {fact.signal for fact in findings.facts} == set(wire.facts) - set(wire.refused)


@these(wire for wire in WIRES if wire.largest > 1 and not wire.under_way)
async def test_many_questions_in_one_call(wire: Wire, asking: Asking) -> None:
    keys = [wire.key(asking.provider, number) for number in range(min(wire.largest, 9))]
    asking.answers(wire.found(dict.fromkeys(keys[:3], wire.record)))
    findings = await asking.many([Question(key) for key in keys])
    assert [one.status for one in findings] == [Status.FOUND] * 3 + [Status.NOT_FOUND] * (len(keys) - 3)
    assert asking.calls == 1
