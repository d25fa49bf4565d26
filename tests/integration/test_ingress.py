"""Accepted means kept: the exact answer to every arrival, one commit for a group, one job for a lead."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import asyncpg
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from revenueflow.db.direct import Direct
from revenueflow.devserver.cluster import DatabaseUrls
from revenueflow.domain.lead import LeadForm
from revenueflow.errors import InvalidInput, Unavailable
from revenueflow.privacy.identity import IdentityKey, delivery_id
from revenueflow.settings import DatabaseSettings
from revenueflow.sources import generic
from revenueflow.sources.aliases import Understood
from revenueflow.sources.arrival import Arrival, identify
from revenueflow.sources.ingress import Ingress
from revenueflow.sources.storing import Receipt
from tests.support import sql
from tests.support.proxy import Proxy

KEY = IdentityKey(b"k" * 32)
TRACE = "t" * 32


def lead(key: str, who: str = "dana", *, source: str = "webhook", note: str = "", campaign: str = "default") -> Arrival:
    body = orjson.dumps({"email": f"{who}@x.example", "message": note, "campaign": campaign})
    return generic.arrival(source, body, "application/json", key)


def garbage(key: str, body: bytes = b"{") -> Arrival:
    return generic.arrival("webhook", body, "application/json", key)


@asynccontextmanager
async def ingress(url: str) -> AsyncIterator[Ingress]:
    async with Direct(DatabaseSettings(url=url), application="test", lock_timeout=0.5) as direct:
        yield Ingress(direct, KEY)


@dataclass(slots=True)
class Door:
    """An ingress and what it left behind."""

    ingress: Ingress
    urls: DatabaseUrls

    async def answers(self, *arrivals: Arrival) -> list[str]:
        return [receipt.status for receipt in await self.ingress.accept(arrivals, TRACE)]

    def rows(self, query: str) -> list[dict[str, Any]]:
        return sql.rows(self.urls.app_url, query)

    def jobs(self) -> dict[UUID, tuple[str, int, int]]:
        found = self.rows("SELECT lead_id, state, run_version, wanted_version FROM jobs")
        return {row["lead_id"]: (row["state"], row["run_version"], row["wanted_version"]) for row in found}

    def outcomes(self) -> list[str]:
        return sorted(row["outcome"] for row in self.rows("SELECT outcome FROM deliveries"))


@pytest.fixture
async def door(database: DatabaseUrls) -> AsyncIterator[Door]:
    async with ingress(database.app_url) as one:
        yield Door(one, database)


def lead_of(arrival: Arrival) -> UUID:
    found = identify(arrival, KEY).lead_id
    assert found
    return found


async def test_an_answer_holds_the_computed_ids(door: Door) -> None:
    one = lead("a")
    (receipt,) = await door.ingress.accept([one], TRACE)
    known = identify(one, KEY)
    assert receipt == Receipt(known.delivery_id, known.lead_id, "accepted")
    (stored,) = door.rows("SELECT * FROM deliveries")
    assert (stored["id"], stored["lead_id"], stored["raw"], stored["trace_id"]) == (
        known.delivery_id, known.lead_id, one.raw, TRACE,
    )  # fmt: skip
    assert (stored["identity_key"], stored["outcome"], stored["reason"]) == (known.identity_key, "accepted", None)
    assert orjson.loads(stored["parsed"])["form"] == {"email": "dana@x.example"}
    assert door.jobs() == {known.lead_id: ("ready", 1, 1)}


async def test_one_by_one(door: Door) -> None:
    assert await door.answers(lead("a")) == ["accepted"]
    assert await door.answers(lead("a")) == ["duplicate"]
    assert door.jobs() == {lead_of(lead("a")): ("ready", 1, 1)}
    assert await door.answers(lead("a", note="other")) == ["conflict"]
    assert await door.answers(lead("a", note="other")) == ["duplicate"]
    assert await door.answers(lead("a")) == ["duplicate"]
    assert door.jobs() == {lead_of(lead("a")): ("ready", 1, 2)}
    assert await door.answers(lead("b")) == ["accepted"]
    assert door.jobs() == {lead_of(lead("a")): ("ready", 1, 3)}
    assert await door.answers(garbage("c")) == ["quarantined"]
    assert await door.answers(garbage("c")) == ["duplicate"]
    assert await door.answers(garbage("a")) == ["quarantined"]
    assert door.jobs() == {lead_of(lead("a")): ("ready", 1, 3)}
    assert door.outcomes() == ["accepted", "accepted", "conflict", "quarantined", "quarantined"]


async def test_within_one_batch(door: Door) -> None:
    answers = await door.answers(
        lead("a"), garbage("g"), lead("a"), lead("a", note="x"), lead("b"), lead("a", note="x"), garbage("g"),
        lead("a", note="y"), lead("c", "eve"), garbage("g", b"["),
    )  # fmt: skip
    assert answers == [
        "accepted", "quarantined", "duplicate", "conflict", "accepted", "duplicate", "duplicate", "conflict",
        "accepted", "quarantined",
    ]  # fmt: skip
    # The other bodies are written after the first: a run that began in between would not have seen them.
    assert door.jobs() == {lead_of(lead("a")): ("ready", 1, 2), lead_of(lead("c", "eve")): ("ready", 1, 1)}


async def test_one_key_in_two_sources_is_two_deliveries(door: Door) -> None:
    assert await door.answers(lead("a"), lead("a", source="marketo")) == ["accepted", "accepted"]


async def test_our_api_stores_nothing_for_a_key_used_twice(door: Door) -> None:
    first, other = lead("k", source="api"), lead("k", "eve", source="api")
    assert await door.answers(first, other, first, other) == ["accepted", "mismatch", "duplicate", "mismatch"]
    assert await door.answers(other, first) == ["mismatch", "duplicate"]
    assert door.outcomes() == ["accepted"]
    assert list(door.jobs()) == [lead_of(first)]


async def test_a_conflict_is_kept_under_key_and_hash(door: Door) -> None:
    other = lead("a", "eve")
    await door.ingress.accept([lead("a")], TRACE)
    (receipt,) = await door.ingress.accept([other], TRACE)
    key = f"a#{other.digest().hex()}"
    assert (receipt.delivery_id, receipt.lead_id) == (delivery_id("webhook", key), lead_of(other))
    assert door.jobs()[lead_of(other)] == ("ready", 1, 1)


async def test_what_was_in_quarantine_and_is_understood_now_is_processed(door: Door) -> None:
    """The same bytes again, with the right content type this time: a lead that must not be called a duplicate."""
    body = b"email=dana%40x.example"
    wrong = generic.arrival("webhook", body, "application/json", None)
    right = generic.arrival("webhook", body, "application/x-www-form-urlencoded", None)
    assert wrong.delivery_key == right.delivery_key
    assert await door.answers(wrong, right, right) == ["quarantined", "conflict", "duplicate"]
    (again,) = await door.ingress.accept([right], TRACE)
    assert (again.status, again.lead_id) == ("duplicate", lead_of(right))
    assert door.jobs() == {lead_of(right): ("ready", 1, 1)}
    assert await door.answers(wrong) == ["duplicate"]


async def test_a_duplicate_names_the_lead_that_was_stored(door: Door) -> None:
    """Also if the key of identities, or a table of names, was changed meanwhile."""
    await door.ingress.accept([lead("a")], TRACE)
    async with Direct(DatabaseSettings(url=door.urls.app_url), application="test") as direct:
        later = Ingress(direct, IdentityKey(b"other" * 8))
        (receipt,) = await later.accept([lead("a")], TRACE)
    assert (receipt.status, receipt.lead_id) == ("duplicate", lead_of(lead("a")))


async def test_an_empty_delivery_holds_nothing(door: Door) -> None:
    assert await door.ingress.accept([], TRACE) == []
    one, nothing = await asyncio.gather(door.answers(lead("a")), door.answers())
    assert (one, nothing) == (["accepted"], [])


@pytest.mark.parametrize(
    ("state", "extra", "after"),
    [
        ("leased", ", lease_until = now() + interval '1 minute'", {("leased", 1, 2)}),
        ("parked", ", step = 'capture'", {("ready", 1, 2)}),
        ("parked", ", step = 'record'", {("parked", 1, 2)}),
        ("done", "", {("done", 1, 1), ("ready", 2, 2)}),
        ("dead", "", {("dead", 1, 1), ("ready", 2, 2)}),
    ],
)
async def test_a_live_job_is_told_and_an_ended_one_followed(
    door: Door, state: str, extra: str, after: set[tuple[str, int, int]]
) -> None:
    await door.answers(lead("a"))
    door.rows(f"UPDATE jobs SET state = '{state}'{extra}")
    await door.answers(lead("b"))
    found = door.rows("SELECT state, run_version, wanted_version FROM jobs")
    assert {tuple(row.values()) for row in found} == after


async def test_what_is_kept_and_not_processed_at_once_is_audited(door: Door) -> None:
    await door.answers(lead("a"), garbage("g"), lead("a", note="x"), lead("a"))
    trail = door.rows("SELECT action, outcome, actor, detail, trace_id FROM audit_trail ORDER BY outcome")
    assert [(row["action"], row["outcome"], row["actor"], row["trace_id"]) for row in trail] == [
        ("delivery.received", "conflict", "ingress", TRACE), ("delivery.received", "quarantined", "ingress", TRACE),
    ]  # fmt: skip
    assert orjson.loads(trail[1]["detail"])["reason"] == "malformed_json"
    assert "x.example" not in str(trail)


async def test_concurrent_requests_for_one_key_have_one_winner(door: Door) -> None:
    statuses = await asyncio.gather(*(door.answers(lead("a")) for _ in range(40)))
    assert sorted(status for (status,) in statuses) == ["accepted", *["duplicate"] * 39]
    assert door.jobs() == {lead_of(lead("a")): ("ready", 1, 1)}


async def test_two_processes_that_get_the_same_at_once(door: Door) -> None:
    """Keys in opposite orders and conflicts under the same keys: neither waits for the other in a circle."""
    async with ingress(door.urls.app_url) as other:
        for round_ in range(10):
            one = [lead(f"{round_}-{n}", f"p{n}", note=str(n % 3)) for n in range(20)]
            two = [lead(f"{round_}-{n}", f"p{n}", note=str(n % 2)) for n in reversed(range(20))]
            first, second = await asyncio.gather(door.ingress.accept(one, TRACE), other.accept(two, TRACE))
            statuses = [receipt.status for receipt in (*first, *second)]
            assert statuses.count("accepted") == 20
            same = sum(n % 3 == n % 2 for n in range(20))
            assert (statuses.count("duplicate"), statuses.count("conflict")) == (same, 20 - same)
    assert len(door.jobs()) == 20
    assert {(state, run) for state, run, _ in door.jobs().values()} == {("ready", 1)}


async def test_many_at_once_share_commits_and_keep_their_order(door: Door) -> None:
    batches = [[lead(f"{n}-{m}", f"p{n}") for m in range(3)] for n in range(300)]
    receipts = await asyncio.gather(*(door.ingress.accept(batch, TRACE) for batch in batches))
    for batch, answer in zip(batches, receipts, strict=True):
        assert [r.delivery_id for r in answer] == [delivery_id(a.source, a.delivery_key) for a in batch]
    commits = sql.value(door.urls.app_url, "SELECT count(DISTINCT received_at) FROM deliveries")
    assert commits < 30
    assert len(door.jobs()) == 300


async def test_a_row_that_postgres_refuses_is_kept_in_quarantine_and_does_not_cost_its_group(door: Door) -> None:
    refused = Arrival("webhook", "nul", b"{}", "", Understood(form=LeadForm(email="dana@x.example", message="\0")))
    statuses = await asyncio.gather(door.answers(lead("a")), door.answers(refused), door.answers(lead("b", "eve")))
    assert statuses == [["accepted"], ["quarantined"], ["accepted"]]
    assert await door.answers(refused, lead("c", "zoe")) == ["duplicate", "accepted"]
    (kept,) = door.rows("SELECT raw, reason, lead_id, parsed FROM deliveries WHERE outcome = 'quarantined'")
    assert kept == {"raw": b"{}", "reason": "database_refused", "lead_id": None, "parsed": None}


async def test_our_api_is_told_that_a_row_was_refused(door: Door) -> None:
    refused = Arrival("api", "nul", b"{}", "", Understood(form=LeadForm(email="dana@x.example", message="\0")))
    one, other = await asyncio.gather(
        door.answers(refused), door.answers(lead("a", source="api")), return_exceptions=True
    )
    assert isinstance(one, InvalidInput)
    assert other == ["accepted"]


async def test_a_lead_whose_row_is_held_does_not_hold_up_the_others(database: DatabaseUrls) -> None:
    held, free = lead("a"), lead("b", "eve")
    settings_ = DatabaseSettings(url=database.app_url)
    async with Direct(settings_, application="test", lock_timeout=0.2) as direct:
        one = Ingress(direct, KEY)
        await one.accept([held], TRACE)
        holder = await asyncpg.connect(database.app_url)
        async with holder.transaction():
            await holder.execute("SELECT FROM jobs FOR UPDATE")
            again = lead("c", note="more")
            results = await asyncio.gather(
                one.accept([again], TRACE), one.accept([free], TRACE), return_exceptions=True
            )
            assert isinstance(results[0], Unavailable)
            assert results[0].retry_after
            assert not isinstance(results[1], BaseException)
            assert results[1][0].status == "accepted"
        await holder.close()
        assert (await one.accept([again], TRACE))[0].status == "accepted"


async def test_postgres_away_promises_nothing_and_the_next_try_gets_the_same_ids(door: Door) -> None:
    await door.answers(lead("before"))
    arrivals = [lead("a"), lead("b", "eve")]
    with sql.away(door.urls):
        tries = await asyncio.gather(*(door.ingress.accept([a], TRACE) for a in arrivals), return_exceptions=True)
        assert [type(one) for one in tries] == [Unavailable, Unavailable]
        assert all(isinstance(one, Unavailable) and one.retry_after for one in tries)
    receipts = await door.ingress.accept(arrivals, TRACE)
    assert [r.status for r in receipts] == ["accepted", "accepted"]
    assert [r.lead_id for r in receipts] == [lead_of(a) for a in arrivals]


async def test_a_poke_that_fails_strands_nobody(database: DatabaseUrls) -> None:
    def poke() -> None:
        raise RuntimeError("the doorbell is broken")

    reported: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context))
    async with Direct(DatabaseSettings(url=database.app_url), application="test") as direct:
        one = Ingress(direct, KEY, poke)
        async with asyncio.timeout(10):
            receipts = await asyncio.gather(*(one.accept([lead(str(n))], TRACE) for n in range(5)))
            receipts += await asyncio.gather(*(one.accept([lead(str(n))], TRACE) for n in range(5)))
    assert [receipt.status for (receipt,) in receipts] == ["accepted"] * 5 + ["duplicate"] * 5
    assert "the doorbell is broken" in str(reported)


async def test_a_port_where_nobody_listens() -> None:
    async with ingress("postgresql://u:p@127.0.0.1:1/x") as nowhere:
        with pytest.raises(Unavailable):
            await nowhere.accept([lead("a")], TRACE)


async def test_a_standby_that_only_reads_is_no_reason_to_refuse_a_lead(door: Door) -> None:
    sql.rows(door.urls.owner_url, f"ALTER DATABASE {door.urls.name} SET default_transaction_read_only = on")
    with pytest.raises(Unavailable):
        await door.answers(lead("a"))


async def test_a_commit_whose_answer_was_lost_is_a_duplicate_with_the_same_ids(database: DatabaseUrls) -> None:
    parts = urlsplit(database.app_url)
    with Proxy(parts.hostname or "", parts.port or 0) as proxy:
        url = database.app_url.replace(f":{parts.port}/", f":{proxy.port}/")
        async with ingress(url) as one:
            await one.accept([lead("warm", "zoe")], TRACE)
            proxy.lose_answer_after = b"dana@x.example"  # in the statement that commits by itself
            with pytest.raises(Unavailable):
                await one.accept([lead("a")], TRACE)
            assert proxy.lose_answer_after is None
            (receipt,) = await one.accept([lead("a")], TRACE)
    assert (receipt.status, receipt.lead_id) == ("duplicate", lead_of(lead("a")))
    assert sql.value(database.app_url, "SELECT count(*) FROM jobs WHERE lead_id = $1", receipt.lead_id) == 1


@dataclass(slots=True)
class Model:
    """What the ingress promises, without a database: bodies by key, and the versions that leads want."""

    bodies: dict[tuple[str, str], bytes] = field(default_factory=dict)
    conflicts: set[tuple[str, str, bytes]] = field(default_factory=set)
    wanted: dict[UUID, int] = field(default_factory=dict)

    def batch(self, arrivals: list[Arrival]) -> list[str]:
        answers = [self.answer(one) for one in arrivals]
        pairs = list(zip(arrivals, answers, strict=True))
        for status in ("accepted", "conflict"):  # one statement for each, which wants a version for each lead in it
            for one in {identify(a, KEY).lead_id for a, s in pairs if s == status} - {None}:
                self.wanted[one] = self.wanted.get(one, 0) + 1
        return answers

    def answer(self, one: Arrival) -> str:
        key = (one.source, one.delivery_key)
        if key not in self.bodies:
            self.bodies[key] = one.raw
            return "accepted" if one.understood else "quarantined"
        if self.bodies[key] == one.raw:
            return "duplicate"
        if one.source == "api":
            return "mismatch"
        if (place := (one.source, one.delivery_key, one.raw)) in self.conflicts:
            return "duplicate"
        self.conflicts.add(place)
        return "conflict" if one.understood else "quarantined"


arrivals = some.builds(
    lambda source, key, who, note: lead(key, who, source=source, note=note),
    some.sampled_from(["api", "webhook"]), some.sampled_from("abc"), some.sampled_from(["dana", "eve"]),
    some.sampled_from(["", "x"]),
) | some.builds(garbage, some.sampled_from("abc"), some.sampled_from([b"{", b"["]))  # fmt: skip


@given(some.lists(some.lists(arrivals, min_size=1, max_size=6), min_size=1, max_size=6))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_batches_get_what_a_simple_model_says(database: DatabaseUrls, batches: list[list[Arrival]]) -> None:
    async def run() -> None:
        sql.rows(database.app_url, "DELETE FROM jobs")
        sql.rows(database.app_url, "DELETE FROM deliveries")
        model = Model()
        async with ingress(database.app_url) as one:
            door = Door(one, database)
            for batch in batches:
                assert await door.answers(*batch) == model.batch(batch)
            assert {lead_: wanted for lead_, (_, _, wanted) in door.jobs().items()} == model.wanted

    asyncio.run(run())
