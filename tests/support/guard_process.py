"""A process that makes guarded calls, as a worker or an API process does, for tests with several of them.

Its plan is such as {"leads": […], "caller": "key:a", "prefix": "a", "calls": 40, …}. It says when it is ready, begins
when it is told so, and says what its calls came to.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID, uuid4

from revenueflow.db.direct import Direct
from revenueflow.db.engine import engine_for
from revenueflow.db.session import Database
from revenueflow.domain.action import CallStatus
from revenueflow.mcp.registry import Registry
from revenueflow.settings import Settings
from revenueflow.wiring.services import services
from tests.support import forks
from tests.support.calls import operator, owner
from tests.support.forks import Forked
from tests.support.house import House

LATER = (CallStatus.DELAYED, CallStatus.UNKNOWN)


class GuardProcess:
    """One that runs."""

    def __init__(self, home: House, plan: dict[str, Any], log: Path) -> None:
        self._ours, theirs = forks.pipe()
        self._process = Forked(_calls, plan, theirs, env=_environment(home), out=log)
        theirs.close()

    async def ready(self) -> None:
        """Returns once it can begin."""
        assert await self._said() == "ready"

    async def begin(self) -> None:
        """Lets it begin."""
        self._ours.send("go")

    async def result(self) -> dict[str, int]:
        """How many of its calls came to what."""
        told: dict[str, int] = await self._said()
        return told

    def end(self) -> None:
        """Ends it, if it runs."""
        self._process.stop(grace=0)
        self._ours.close()

    async def _said(self) -> Any:
        return await asyncio.to_thread(self._ours.recv)


@asynccontextmanager
async def processes(home: House, plans: list[dict[str, Any]]) -> AsyncIterator[list[GuardProcess]]:
    """One for each plan, all ready to begin."""
    with ExitStack() as stack, TemporaryDirectory() as folder:
        started = []
        for n, plan in enumerate(plans):
            started.append(GuardProcess(home, plan, Path(folder, f"{n}.log")))
            stack.callback(started[-1].end)
        for one in started:
            await one.ready()
        yield started


def _environment(home: House) -> dict[str, str]:
    given = home.settings
    assert given.crm.base_url
    return {
        "DATABASE_URL": given.database.url,
        "REDIS_URL": given.redis.url,
        "CRM_PROVIDER": "http",
        "CRM_BASE_URL": given.crm.base_url,
        "CRM_TOKEN": "sandbox",
        "CRM_TIMEOUT_SECONDS": "20",
        "REVENUEFLOW_IDENTITY_KEY_FILE": str(given.keys.identity_key_file),
        "REVENUEFLOW_CONFIG_DIR": str(given.config_dir),
        "ANALYSIS_PROVIDER": "rules",
    }


def _calls(plan: dict[str, Any], starter: Any) -> None:
    asyncio.run(_main(plan, starter))


async def _main(plan: dict[str, Any], starter: Any) -> None:
    settings = Settings.load()
    async with (
        engine_for(settings.database, application="test") as engine,
        Direct(settings.database, application="test") as direct,
        services(settings, Database(engine), direct) as given,
    ):
        starter.send("ready")
        await asyncio.to_thread(starter.recv)
        counted: Counter[str] = Counter()
        deadline = time.monotonic() + plan.get("seconds", 60)
        lanes = plan.get("lanes", 8)
        await asyncio.gather(*(_lane(given.registry, plan, n, lanes, deadline, counted) for n in range(lanes)))
        starter.send(dict(counted))


async def _lane(
    registry: Registry, plan: dict[str, Any], first: int, lanes: int, deadline: float, counted: Counter[str]
) -> None:
    """Every n-th of the calls, one after the other; without leads each is about another one."""
    for n in range(first, plan["calls"], lanes):
        leads = plan.get("leads")
        lead = UUID(leads[n % len(leads)]) if leads else uuid4()
        status = await _until_made(registry, plan, lead, f"{plan['prefix']}{n}", deadline, counted)
        counted[status] += 1


async def _until_made(
    registry: Registry, plan: dict[str, Any], lead: UUID, key: str, deadline: float, counted: Counter[str]
) -> str:
    """Makes a call again, under the same key, as often as it is delayed."""
    while time.monotonic() < deadline:
        result = await registry.call(owner(lead, operator(plan["caller"]), key))
        if result.status not in LATER:
            return result.status.value
        counted["told to wait"] += 1
        assert result.retry_after and result.retry_after > 0
        await asyncio.sleep(min(result.retry_after, plan.get("patience", 60)))
    return "given up"
