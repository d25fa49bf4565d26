"""A house for workers: a fresh database, Redis, and the sandbox for every upstream, over real HTTP.

The parts are those of production, put together by `wiring`. Only times are short.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
from pydantic import SecretStr

from revenueflow.db import jobs
from revenueflow.db.direct import Direct
from revenueflow.db.engine import engine_for
from revenueflow.db.jobs import Lease
from revenueflow.db.session import Database
from revenueflow.devserver.cluster import DatabaseUrls
from revenueflow.mcp.registry import Registry
from revenueflow.pipeline.context import Services
from revenueflow.queue.doorbell import Doorbell
from revenueflow.settings import (
    AnalysisSettings,
    CrmSettings,
    DatabaseSettings,
    EnrichmentSettings,
    General,
    HubSpotSettings,
    KeySettings,
    RedisSettings,
    SalesforceSettings,
    Settings,
    SlackSettings,
    WorkerSettings,
)
from revenueflow.sources import generic
from revenueflow.sources.arrival import Arrival
from revenueflow.sources.ingress import Ingress
from revenueflow.telemetry import logs
from revenueflow.wiring import services as wiring
from revenueflow.workers.commits import Commits
from revenueflow.workers.heartbeat import Heartbeat
from revenueflow.workers.relay import Relay
from revenueflow.workers.runner import Runner
from revenueflow.workers.worker import work
from tests.support import configured, sql
from tests.support.api import identity, identity_file
from tests.support.policy import unhurried
from tests.support.sandbox_http import Sandbox, running

SHORT: Mapping[str, float] = {
    "lease": 4, "heartbeat": 0.5, "sweep": 0.05, "ring_again": 0.5, "settle": 0.3, "drain": 5,
}  # fmt: skip
KNOWN = "larkvale-systems.example"
"""A company that both vendors know, in the United States, with some 240 people."""
LEAD = {
    "email": f"dana@{KNOWN}",
    "first_name": "Dana",
    "last_name": "Reyes",
    "phone": "+1 512 555 0143",
    "jobTitle": "VP Operations",
    "company": "Larkvale Systems",
    "country": "United States",
    "message": "We need pricing for 40 seats this quarter and want a demo.",
}
"""A lead that becomes hot."""
STEPS = ("capture", "enrich", "analyse", "ground", "score", "route", "record", "notify", "follow_up")


async def eventually(holds: Callable[[], Awaitable[bool]], *, seconds: float = 15.0) -> None:
    """Returns once a condition holds. Raises TimeoutError."""
    deadline = time.monotonic() + seconds
    while not await holds():
        if time.monotonic() > deadline:
            raise TimeoutError(f"still not so after {seconds} s")
        await asyncio.sleep(0.03)


class House:
    """The parts, and what tests look at."""

    def __init__(
        self, urls: DatabaseUrls, settings: Settings, database: Database, direct: Direct, sandbox: Sandbox
    ) -> None:
        self.urls = urls
        self.settings = settings
        self.database = database
        self.direct = direct
        self.sandbox = sandbox
        self.ingress = Ingress(direct, identity())
        self.looker = sql.Looker(urls.superuser_url)

    def rows(self, query: str, *values: object) -> list[dict[str, Any]]:
        """What a superuser sees."""
        return self.looker.rows(query, *values)

    def value(self, query: str, *values: object) -> Any:
        """The first column of the only row."""
        (row,) = self.rows(query, *values)
        return next(iter(row.values()))

    async def accept(self, arrival: Arrival) -> UUID:
        """Stores an arrival; the lead's id."""
        (receipt,) = await self.ingress.accept([arrival], "trace-1")
        assert receipt.lead_id is not None
        return receipt.lead_id

    async def deliver(self, **fields: str | None) -> UUID:
        """LEAD with some fields changed, or left out (None), through the ingress; the lead's id."""
        payload = {name: value for name, value in {**LEAD, **fields}.items() if value is not None}
        return await self.accept(generic.read(orjson.dumps(payload), "application/json"))

    def job(self, lead_id: UUID) -> dict[str, Any]:
        """The newest job of a lead."""
        return self.rows("SELECT * FROM jobs WHERE lead_id = $1 ORDER BY created_at DESC LIMIT 1", lead_id)[0]

    def lead(self, lead_id: UUID) -> dict[str, Any]:
        """The lead's row."""
        return self.rows("SELECT * FROM leads WHERE id = $1", lead_id)[0]

    def steps(self, lead_id: UUID) -> dict[str, dict[str, Any]]:
        """The checkpoints of the newest job, by name."""
        found = self.rows("SELECT * FROM steps WHERE job_id = $1", self.job(lead_id)["id"])
        return {row["name"]: row for row in found}

    def audit(self, lead_id: UUID) -> list[tuple[str, str]]:
        """(action, outcome) of the lead's events, oldest first."""
        query = "SELECT action, outcome FROM audit_events WHERE lead_id = $1 ORDER BY ts, id"
        return [(row["action"], row["outcome"]) for row in self.rows(query, lead_id)]

    async def calls(self, upstream: str) -> int:
        """How many requests reached an upstream."""
        return len(await self.sandbox.requests(upstream))

    async def until_called(self, upstream: str, times: int = 1, *, seconds: float = 15.0) -> None:
        """Returns once an upstream has got so many requests."""

        async def called() -> bool:
            return await self.calls(upstream) >= times

        await eventually(called, seconds=seconds)

    async def until_state(self, lead_id: UUID, *states: str, seconds: float = 20.0) -> dict[str, Any]:
        """The newest job of a lead, once it is in one of these states."""

        async def reached() -> bool:
            return (await asyncio.to_thread(self.job, lead_id))["state"] in states

        await eventually(reached, seconds=seconds)
        return self.job(lead_id)

    async def until_done(self, count: int, *, seconds: float = 30.0) -> None:
        """Returns once so many jobs are done."""
        query = "SELECT count(*) FROM jobs WHERE state = 'done'"

        async def reached() -> bool:
            done: int = await asyncio.to_thread(self.value, query)
            return done >= count

        await eventually(reached, seconds=seconds)

    async def claim(self, lead_id: UUID, *, lease: float = 30, owner: str = "test") -> Lease | None:
        """Claims the newest job of a lead."""
        job_id = self.job(lead_id)["id"]
        async with self.direct.connection() as connection:
            most = self.settings.worker.max_claims
            leases = await jobs.claim(connection, [job_id], owner=owner, lease=lease, max_claims=most)
        return leases[0] if leases else None

    async def leased(self, lead_id: UUID) -> Lease:
        """A lease on the newest job of a lead, which must be due."""
        lease = await self.claim(lead_id)
        assert lease is not None
        return lease

    @asynccontextmanager
    async def services(self) -> AsyncIterator[Services]:
        """The capabilities of a worker."""
        async with wiring.services(self.settings, self.database, self.direct) as services:
            yield services

    @asynccontextmanager
    async def registry(self) -> AsyncIterator[Registry]:
        """The guarded tools."""
        async with self.services() as services:
            yield services.registry

    @asynccontextmanager
    async def runner(self, *, heartbeat: bool = True, **worker: float) -> AsyncIterator[Runner]:
        """A runner without a doorbell. Without heartbeat its leases run out."""
        settings = self.settings.worker.model_copy(update=worker)
        beat = Heartbeat(self.settings.database, settings)
        if heartbeat:
            beat.start()
        try:
            async with self.services() as services:
                yield Runner(Commits(self.direct, settings, owner="test"), services, settings, beat)
        finally:
            if heartbeat:
                beat.stop()

    async def run(self, lead_id: UUID) -> dict[str, Any]:
        """Runs the newest job of a lead as far as it goes; the job then."""
        async with self.runner() as runner:
            await self.run_job(runner, self.job(lead_id)["id"])
        return self.job(lead_id)

    async def run_job(self, runner: Runner, job_id: UUID) -> None:
        """Claims a job, if it is due, and runs it as far as it goes."""
        for lease in await runner.commits.claim([job_id]):
            await runner.run(lease)

    @asynccontextmanager
    async def worker(self, **changes: float) -> AsyncIterator[asyncio.Task[None]]:
        """A whole worker, ended as by SIGTERM."""
        worker = self.settings.worker.model_copy(update=changes)
        settings = self.settings.model_copy(update={"worker": worker})
        async with AsyncExitStack() as stack:
            engine = await stack.enter_async_context(engine_for(settings.database, application="worker"))
            direct = await stack.enter_async_context(Direct(settings.database, application="worker"))
            services = await stack.enter_async_context(wiring.services(settings, Database(engine), direct))
            yield await stack.enter_async_context(_task(work(direct, services, settings)))

    @asynccontextmanager
    async def relay(self, **changes: float) -> AsyncIterator[asyncio.Task[None]]:
        """A relay that sweeps."""
        async with self.sweeper(**changes) as relay, _task(relay.run()) as task:
            yield task

    @asynccontextmanager
    async def sweeper(self, **changes: float) -> AsyncIterator[Relay]:
        """A relay that sweeps when it is told to."""
        doorbell = Doorbell(self.settings.redis.url)
        try:
            yield Relay(self.direct, doorbell, self.settings.worker.model_copy(update=changes))
        finally:
            await doorbell.aclose()

    @asynccontextmanager
    async def staffed(self, **changes: float) -> AsyncIterator[None]:
        """A relay and a worker."""
        async with self.relay(**changes), self.worker(**changes):
            yield


@asynccontextmanager
async def _task(main: Any) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(main)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def salesforce(sandbox: Mapping[str, str]) -> SalesforceSettings:
    """The sandbox's org."""
    return SalesforceSettings(base_url=sandbox["salesforce"], client_id="sandbox", client_secret=SecretStr("sandbox"))


def settings_for(
    urls: DatabaseUrls, redis_url: str, folder: Path, sandbox: Mapping[str, str], **groups: Any
) -> Settings:
    """Every upstream is the sandbox; `groups` replace whole groups."""
    key = SecretStr("sandbox")
    usual: dict[str, Any] = {
        "database": DatabaseSettings(url=urls.app_url, pool_size=10),
        "redis": RedisSettings(url=redis_url),
        "keys": KeySettings(identity_key_file=identity_file(folder)),
        "worker": WorkerSettings.model_validate(SHORT),
        "crm": CrmSettings(provider="http", base_url=sandbox["crm"], token=key, timeout=2),
        "analysis": AnalysisSettings(api_key=key, base_url=sandbox["gemini"]),
        "enrichment": EnrichmentSettings(
            clearbit_key=key,
            clearbit_url=sandbox["clearbit"],
            clearbit_person_url=sandbox["clearbit"],
            hunter_key=key,
            hunter_url=sandbox["hunter"],
        ),
        "hubspot": HubSpotSettings(token=key, base_url=sandbox["hubspot"]),
        "slack": SlackSettings(token=key, base_url=sandbox["slack"]),
        "general": General(config_dir=unhurried(folder / "config")),
    }
    return configured.settings(**(usual | groups))


@asynccontextmanager
async def house(urls: DatabaseUrls, redis_url: str, folder: Path, **groups: Any) -> AsyncIterator[House]:
    """A house with a sandbox of its own."""
    logs.configure()
    async with running() as sandbox:
        settings = settings_for(urls, redis_url, folder, sandbox.urls, **groups)
        async with (
            engine_for(settings.database, application="test") as engine,
            Direct(settings.database, application="test") as direct,
        ):
            one = House(urls, settings, Database(engine), direct, sandbox)
            try:
                yield one
            finally:
                one.looker.close()
