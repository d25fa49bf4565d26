"""Any order of arrivals, repetitions, deaths and drains: what was acknowledged is processed, and once.

Hypothesis makes up the orders; the parts are those of production on a real database, in one process. What dies here
loses all that a killed process loses: its objects and its locks. Killed processes are in `tests/faults`.

REVENUEFLOW_FAULTS=full tries many more and longer ones. Erasure takes part once it is built.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager, nullcontext, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias
from uuid import UUID

import orjson
import pytest
import redis
from arq.constants import job_key_prefix
from arq.jobs import deserialize_job_raw
from hypothesis import HealthCheck, settings
from hypothesis import strategies as some
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from revenueflow.clock import utcnow
from revenueflow.db.dead_letters import STOPPED, Chosen
from revenueflow.db.deliveries import NewDelivery
from revenueflow.db.direct import Direct
from revenueflow.db.engine import engine_for
from revenueflow.db.jobs import Lease, Release
from revenueflow.db.session import Database
from revenueflow.devserver.cluster import DatabaseUrls
from revenueflow.domain.base import Value
from revenueflow.domain.lead import Lead
from revenueflow.domain.outcome import Done, Outcome, Park, Reject, Retry, Snooze
from revenueflow.errors import LeaseLost, Unavailable
from revenueflow.pipeline.context import Context, Services
from revenueflow.pipeline.restart import replay
from revenueflow.pipeline.steps import STEPS, Step
from revenueflow.queue.doorbell import QUEUE, Doorbell, deserialize
from revenueflow.settings import (
    AnalysisSettings,
    CrmSettings,
    DatabaseSettings,
    General,
    KeySettings,
    RedisSettings,
    Settings,
    WorkerSettings,
)
from revenueflow.sources import api, generic, segment
from revenueflow.sources.arrival import Arrival
from revenueflow.sources.drainer import Drainer
from revenueflow.sources.ingress import Ingress
from revenueflow.sources.segment import Damage
from revenueflow.sources.spool import SUFFIX, Spool
from revenueflow.sources.storing import store
from revenueflow.wiring import services as wiring
from revenueflow.workers.commits import Commits, GivenUp
from revenueflow.workers.heartbeat import Heartbeat
from revenueflow.workers.relay import Relay
from revenueflow.workers.run import Run
from revenueflow.workers.runner import Runner
from tests.support import sql
from tests.support.api import identity, identity_file

FULL = os.environ.get("REVENUEFLOW_FAULTS") == "full"
EXAMPLES, LENGTH = (150, 40) if FULL else (12, 15)
CONNECTIONS = 4
WORKER = WorkerSettings.model_validate({"lease": 3600, "ring_again": 0.001, "max_claims": 3})
TABLES = "deliveries, leads, jobs, steps, evidence, claims, actions, audit_events, audit_pending, audit_leaves"
EMPTY = f"""DO $$ BEGIN PERFORM set_config('session_replication_role', 'replica', true); TRUNCATE {TABLES}; END $$"""
OUTCOMES = {
    "retry": Retry(0, "test"), "park": Park("test"), "reject": Reject("test"),
    "snooze": Snooze(utcnow() + timedelta(hours=1), "test"),
}  # fmt: skip


Body: TypeAlias = tuple[str, int, int]
"""Source, person, note."""


class Promise(NamedTuple):
    """What was acknowledged: the bytes that a sender gave under a key."""

    source: str
    key: str
    raw: bytes


class Nothing(Value):
    """The result of a step that does nothing."""


def promise(arrival: Arrival) -> Promise:
    return Promise(arrival.source, arrival.delivery_key, arrival.raw)


def arrival(source: str, key: str, person: int, note: int) -> Arrival:
    body = orjson.dumps({"email": f"person{person}@x.example", "message": f"note {note}"})
    if source == api.SOURCE:
        return api.read(body, "application/json", key)
    return generic.arrival(source, body, "application/json", key)


class World:
    """The database, the disk and Redis, and the processes that may die."""

    def __init__(self, urls: DatabaseUrls, settings: Settings, folder: Path, loop: asyncio.Runner) -> None:
        self.urls, self.settings, self.folder, self.run = urls, settings, folder, loop.run
        self.looker = sql.Looker(urls.superuser_url)
        self.redis = redis.Redis.from_url(settings.redis.url)
        self.doorbell = Doorbell(settings.redis.url)
        self.outcome = "done"
        self.database: Database
        self.direct: Direct
        self.services: Services
        self.ingress: Ingress | None = None
        self.steps = (STEPS[0], self._step("enrich"), self._step("analyse"))

    def _step(self, name: str) -> Step:
        async def run(_: Lead, __: Context) -> Outcome:
            return OUTCOMES[self.outcome] if name == "enrich" and self.outcome != "done" else Done(kind())

        kind = type(f"Of_{name}", (Nothing,), {})
        return Step(name, 1, run, kind)

    async def open(self, stack: AsyncExitStack) -> None:
        database = self.settings.database
        self.database = Database(await stack.enter_async_context(engine_for(database, application="machine")))
        self.direct = await stack.enter_async_context(Direct(database, application="machine", size=CONNECTIONS))
        self.services = await stack.enter_async_context(wiring.services(self.settings, self.database, self.direct))

    async def begin(self) -> None:
        """Nothing was ever there."""
        await self.end()
        self.rows(EMPTY)
        self.redis.flushdb()
        for file in self.folder.glob("*"):
            file.unlink()
        self.start_api()
        self.commits = Commits(self.direct, WORKER, owner="machine")
        self.runner = Runner(self.commits, self.services, WORKER, Heartbeat(self.settings.database, WORKER),
                             steps=self.steps)  # fmt: skip
        self.relay = Relay(self.direct, self.doorbell, WORKER)

    async def end(self) -> None:
        if self.ingress:
            await self.ingress.aclose()
            self.spool.close()

    def start_api(self) -> None:
        self.spool = Spool(self.folder, limit=2**24, segment_seconds=0)
        self.ingress = Ingress(self.direct, identity(), spool=self.spool)

    async def settled(self) -> None:
        """What was late has ended, and connections that were cut are noticed: what follows finds Postgres as it is."""
        late = [task for task in asyncio.all_tasks() if getattr(task.get_coro(), "__name__", "") == store.__name__]
        await asyncio.gather(*late, return_exceptions=True)
        await self.database.engine.dispose()
        for _ in range(2):
            await asyncio.gather(*(self.direct.answers(5) for _ in range(CONNECTIONS)))

    async def accept(self, arrivals: Sequence[Arrival], *, apart: bool) -> list[str]:
        """The status of each, sent in one request, or each in its own at the same time."""
        assert self.ingress
        groups = [[one] for one in arrivals] if apart else [list(arrivals)]
        told = await asyncio.gather(*(self.ingress.accept(group, "trace") for group in groups))
        return [receipt.status for receipts in told for receipt in receipts]

    def rows(self, query: str, *values: object) -> list[dict[str, Any]]:
        return self.looker.rows(query, *values)

    def stored(self) -> Counter[Promise]:
        """What is in the table; a second body under a key is kept under key#hash."""
        found = self.rows("SELECT source, delivery_key, raw FROM deliveries")
        return Counter(Promise(row["source"], row["delivery_key"].partition("#")[0], row["raw"]) for row in found)

    def spooled(self) -> set[Promise]:
        found: list[NewDelivery] = []
        for path in self.folder.glob(f"*{SUFFIX}"):
            with path.open("rb") as file:
                found += segment.read(file, Damage())
        return {Promise(row.source, row.delivery_key, row.raw) for row in found}

    def rings(self) -> list[UUID]:
        """Takes all rings out of Redis."""
        messages = [self.redis.get(job_key_prefix + ring.decode()) for ring in self.redis.zrange(QUEUE, 0, -1)]
        self.redis.flushdb()
        return [UUID(job) for one in messages for job in deserialize_job_raw(one, deserializer=deserialize)[1][0]]

    async def claim(self, *, rung: bool) -> list[Lease]:
        """What is due, by the bell or without it; stale and repeated rings are among them."""
        if not rung:
            return await self.commits.claim_overdue(10, overdue=0)
        await self.relay.sweep()
        return await self.commits.claim(self.rings())

    async def work(self, leases: Sequence[Lease]) -> None:
        await asyncio.gather(*map(self.runner.run, leases))

    async def partly(self, lease: Lease, steps: int) -> None:
        """A worker that dies when it has finished so many steps of this run."""
        run = Run(self.commits, Context(lease, utcnow(), self.services), self.steps)
        await run.resume()
        while steps and (step := run.step) and step is not self.steps[-1]:
            outcome = await step.run(run.lead, run.context)
            assert isinstance(outcome, Done)
            run.keep(step, outcome, utcnow())
            await run.checkpoint()
            steps -= 1

    async def drain(self, *, rotates: bool = True, dies: bool = False) -> None:
        """One pass; a drainer that dies has committed and not deleted."""

        async def storing(rows: Sequence[NewDelivery]) -> Sequence[Any]:
            answers = await store(self.direct, rows)
            if dies:
                raise Unavailable("dies here")
            return answers

        if rotates:
            self.spool.rotate()
        with suppress(Unavailable) if dies else nullcontext():
            await Drainer(self.spool, storing).drain()

    def time_passes(self) -> None:
        """Leases run out, and what was put off is due."""
        self.rows("UPDATE jobs SET lease_until = now() - interval '1 ms' WHERE state = 'leased'")
        self.rows("UPDATE jobs SET run_at = now() - interval '1 ms' WHERE state = 'ready'")

    def everything(self) -> list[dict[str, Any]]:
        query = "SELECT md5(coalesce(string_agg(t::text, '' ORDER BY t::text), '')) FROM {} t"
        return [self.rows(query.format(table))[0] for table in ("jobs", "steps", "leads", "audit_events")]


class Machine(RuleBasedStateMachine):
    """The model is a set: what was promised."""

    world: World
    sent = Bundle("sent")
    some_bodies = some.tuples(
        some.sampled_from(["webhook", "marketo", "api"]), some.integers(0, 3), some.integers(0, 2)
    )

    def __init__(self) -> None:
        super().__init__()
        self.promised: set[Promise] = set()
        self.keys = 0
        self.frozen: list[Lease] = []
        self.run = self.world.run
        self.world.outcome = "done"
        self.run(self.world.begin())

    @rule(target=sent, bodies=some.lists(some_bodies, min_size=1, max_size=4), apart=some.booleans())
    def submit(self, bodies: list[Body], apart: bool) -> Any:
        return multiple(*self._submit(bodies, apart=apart))

    @rule(one=sent, times=some.integers(1, 2), apart=some.booleans())
    def redeliver(self, one: Arrival, times: int, apart: bool) -> None:
        self._send([one] * times, apart=apart)

    @rule(one=sent, person=some.integers(0, 2))
    def redeliver_another_body(self, one: Arrival, person: int) -> None:
        self._send([arrival(one.source, one.delivery_key, person, 9)])

    @rule(
        target=sent,
        one=sent,
        other_body=some.booleans(),
        bodies=some.lists(some_bodies, min_size=1, max_size=3),
        how=some.sampled_from(["away", "hangs"]),
        drained=some.sampled_from(["not", "while it is open", "by one who dies", "whole"]),
    )
    def an_outage(self, one: Arrival, other_body: bool, bodies: list[Body], how: str, drained: str) -> Any:
        """What arrives meanwhile is spooled; then another one, and whatever was drained between."""
        again = arrival(one.source, one.delivery_key, 0, 8) if other_body else one
        self._send([again], how=how)
        if drained != "not":
            rotates = drained != "while it is open"
            self.run(self.world.drain(rotates=rotates, dies=drained == "by one who dies"))
        return multiple(*self._submit(bodies, how=how))

    def _submit(self, bodies: list[Body], *, apart: bool = False, how: str = "up") -> list[Arrival]:
        first = self.keys
        self.keys += len(bodies)
        arrivals = [arrival(one[0], f"key {first + n}", *one[1:]) for n, one in enumerate(bodies)]
        self._send(arrivals, apart=apart, how=how)
        return arrivals

    def _send(self, arrivals: list[Arrival], *, apart: bool = False, how: str = "up") -> None:
        before = self.world.stored()
        with self._postgres(how):
            told = self.run(self.world.accept(arrivals, apart=apart))
        if how != "up":
            self.run(self.world.settled())
        after = self.world.stored()
        for one, status in zip(map(promise, arrivals), told, strict=True):
            assert status in {"accepted", "duplicate", "conflict", "spooled"} | ({"mismatch"} & _may(one))
            assert status not in {"accepted", "conflict"} or one not in before
            assert status not in {"accepted", "conflict", "duplicate"} or one in after
            assert status == "spooled" or how == "up"
            if status != "mismatch":
                self.promised.add(one)

    def _postgres(self, how: str) -> Any:
        if how == "away":
            return sql.away(self.world.urls)
        if how == "hangs":
            return sql.locked(self.world.urls, "LOCK TABLE deliveries IN EXCLUSIVE MODE")
        return nullcontext()

    @rule(torn=some.booleans())
    def the_api_dies(self, torn: bool) -> None:
        """Perhaps in the middle of a write to the spool, of which nobody was told."""
        self.run(self.world.end())
        segments = sorted(self.world.folder.glob(f"*{SUFFIX}"))
        if torn and segments and not segments[-1].read_bytes().endswith(b"torn"):  # nobody writes to it twice
            with segments[-1].open("ab") as file:
                file.write(b"\x00\x00\x01\x00torn")
        self.world.start_api()

    @rule(rotates=some.booleans(), dies=some.booleans())
    def drain(self, rotates: bool, dies: bool) -> None:
        self.run(self.world.drain(rotates=rotates, dies=dies))

    @rule(redis_is_emptied=some.booleans())
    def ring(self, redis_is_emptied: bool) -> None:
        self.run(self.world.relay.sweep())
        if redis_is_emptied:
            self.world.redis.flushdb()

    @rule(rung=some.booleans(), outcome=some.sampled_from([*["done"] * 8, *OUTCOMES]))
    def work(self, rung: bool, outcome: str) -> None:
        self.world.outcome = outcome
        self.run(self.world.work(self.run(self.world.claim(rung=rung))))
        self.world.outcome = "done"

    @rule(
        target=sent,
        body=some_bodies,
        rung=some.booleans(),
        steps=some.integers(0, 2),
        again=some.booleans(),
        then=some.sampled_from(["goes on", "is robbed", "freezes"]),
    )
    def a_worker_pauses(self, body: Body, rung: bool, steps: int, again: bool, then: str) -> Any:
        """And meanwhile more arrives. It goes on, others take its jobs from it, or it freezes, perhaps for good."""
        arrivals = self._submit([body])
        leases = self.run(self.world.claim(rung=rung))
        for lease in leases:
            self.run(self.world.partly(lease, steps))
        arrivals += self._submit([body]) if again else []
        if then == "goes on":
            self.run(self.world.work(leases))
        elif then == "is robbed":
            self.world.time_passes()
            self.frozen += self.run(self.world.claim(rung=rung))
        self.frozen += leases
        for lease in leases if then != "freezes" else []:
            if not self._holds(lease):
                self._is_void(lease)
        return multiple(*arrivals)

    @rule(which=some.integers(0, 99))
    def a_worker_wakes(self, which: int) -> None:
        """It goes on if the job is still its own; after that, or else, nothing that it writes is taken."""
        if not self.frozen:
            return
        lease = self.frozen[which % len(self.frozen)]
        if self._holds(lease):
            self.run(self.world.work([lease]))
        self._is_void(lease)

    def _holds(self, lease: Lease) -> bool:
        (job,) = self.world.rows("SELECT state, lease_token FROM jobs WHERE id = $1", lease.job_id)
        return (job["state"], job["lease_token"]) == ("leased", lease.token)

    def _is_void(self, lease: Lease) -> None:
        before = self.world.everything()
        with suppress(LeaseLost):
            self.run(self.world.work([lease]))
        with pytest.raises(LeaseLost):
            self.run(self._releases(lease))
        assert self.world.everything() == before

    async def _releases(self, lease: Lease) -> None:
        await self.world.commits.give_up(GivenUp(Release(lease, "dead", 0, give_back=False, error="of a zombie")))

    @rule()
    def time_passes(self) -> None:
        self.world.time_passes()

    @rule(step=some.sampled_from([None, "capture", "enrich"]))
    def a_person_replays(self, step: str | None) -> None:
        self.run(replay(self.world.database, Chosen(STOPPED), actor="test", from_step=step, poison=True))

    @invariant()
    def what_was_acknowledged_is_on_disk(self) -> None:
        stored = self.world.stored()
        assert self.promised <= set(stored) | self.world.spooled()
        assert set(stored.values()) <= {1}, "a delivery is in the table twice"

    @invariant()
    def jobs_are_sound(self) -> None:
        jobs = self.world.rows("SELECT lead_id, state, run_version, wanted_version FROM jobs")
        live = Counter(job["lead_id"] for job in jobs if job["state"] in ("ready", "leased", "parked"))
        assert set(live.values()) <= {1}, "a lead has two live jobs"
        assert [job for job in jobs if job["run_version"] > job["wanted_version"]] == []
        self._what_is_done_is_whole()

    def _what_is_done_is_whole(self) -> None:
        names = [step.name for step in self.world.steps]
        done = self.world.rows("""SELECT array_agg(s.name ORDER BY s.started_at) AS names FROM jobs j
            LEFT JOIN steps s ON s.job_id = j.id WHERE j.state = 'done' GROUP BY j.id""")
        assert [job for job in done if sorted(job["names"]) != sorted(names)] == []
        (said,) = self.world.rows("SELECT count(*) FROM audit_events WHERE action = 'lead.processed'")
        assert said["count"] == len(done)

    def teardown(self) -> None:
        if sys.exc_info()[0] is None:
            self._all_ends_well()

    def _all_ends_well(self) -> None:
        """Everything is back: what was promised, and nothing else, is processed."""
        self.run(self._one_more_round())
        for _ in range(12):
            if self._is_over():
                break
            self.run(self._one_more_round())
        self.what_was_acknowledged_is_on_disk()
        self.jobs_are_sound()
        assert list(self.world.folder.iterdir()) == []
        assert set(self.world.stored()) == self.promised
        newest = self.world.rows("""SELECT DISTINCT ON (lead_id) j.*, s.output, l.status, l.version FROM jobs j
            LEFT JOIN steps s ON s.job_id = j.id AND s.name = 'capture' LEFT JOIN leads l ON l.id = lead_id
            ORDER BY lead_id, run_version DESC""")
        ids = "SELECT lead_id, array_agg(id ORDER BY received_at, id) AS ids FROM deliveries GROUP BY 1"
        expected = {row["lead_id"]: [str(one) for one in row["ids"]] for row in self.world.rows(ids)}
        assert {job["lead_id"]: orjson.loads(job["output"])["deliveries"] for job in newest} == expected
        for job in newest:
            assert (job["state"], job["status"]) == ("done", "processed")
            assert job["run_version"] == job["wanted_version"] == job["version"]

    def _is_over(self) -> bool:
        newest = "SELECT DISTINCT ON (lead_id) state FROM jobs ORDER BY lead_id, run_version DESC"
        return all(job["state"] == "done" for job in self.world.rows(newest)) and not any(self.world.folder.iterdir())

    async def _one_more_round(self) -> None:
        world = self.world
        await world.drain()
        world.time_passes()
        await world.relay.sweep()
        await world.work(await world.claim(rung=True))
        await replay(world.database, Chosen(STOPPED), actor="test", poison=True)


def _may(one: Promise) -> set[str]:
    return {"mismatch"} if one.source == api.SOURCE else set()


@contextmanager
def world(urls: DatabaseUrls, redis_url: str, folder: Path) -> Iterator[World]:
    settings = Settings.load(
        database=DatabaseSettings(url=urls.app_url),
        redis=RedisSettings(url=redis_url),
        keys=KeySettings(identity_key_file=identity_file(folder)),
        crm=CrmSettings(provider="mock"),
        analysis=AnalysisSettings(provider="rules"),
        general=General(config_dir=None),
    )
    with asyncio.Runner() as loop:
        one, stack = World(urls, settings, folder / "spool", loop), AsyncExitStack()
        try:
            loop.run(one.open(stack))
            yield one
        finally:
            loop.run(one.end())
            loop.run(one.doorbell.aclose())
            loop.run(stack.aclose())
            one.redis.close()
            one.looker.close()


def test_whatever_happens_in_whatever_order(database: DatabaseUrls, redis_url: str, tmp_path: Path) -> None:
    with world(database, redis_url, tmp_path) as one:
        profile = settings(
            max_examples=EXAMPLES,
            stateful_step_count=LENGTH,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        )
        run_state_machine_as_test(type("Bound", (Machine,), {"world": one}), settings=profile)
