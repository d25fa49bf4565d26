"""A process that makes guarded calls, as a worker or an API process does, for tests with several of them.

    python -m tests.support.guard_process '{"leads": […], "caller": "key:a", "prefix": "a", "calls": 40, …}'

It prints a line when it is ready, begins when it reads one, and prints what its calls came to as JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from revenueflow.db.direct import Direct
from revenueflow.db.engine import engine_for
from revenueflow.db.session import Database
from revenueflow.domain.action import CallStatus
from revenueflow.mcp.registry import Registry
from revenueflow.settings import Settings
from revenueflow.wiring.services import services
from tests.support.calls import operator, owner
from tests.support.house import House

ROOT = Path(__file__).parents[2]
LATER = (CallStatus.DELAYED, CallStatus.UNKNOWN)


class GuardProcess:
    """One that runs."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def begin(self) -> None:
        """Lets it begin."""
        assert self._process.stdin
        self._process.stdin.write(b"go\n")
        await self._process.stdin.drain()

    async def result(self) -> dict[str, int]:
        """How many of its calls came to what."""
        assert self._process.stdout
        told: dict[str, int] = json.loads(await self._process.stdout.readline())
        return told


@asynccontextmanager
async def processes(home: House, plans: list[dict[str, Any]]) -> AsyncIterator[list[GuardProcess]]:
    """One for each plan, all ready to begin."""
    async with AsyncExitStack() as stack:
        started = [await _start(home, plan, stack) for plan in plans]
        for one in started:
            assert one.stdout
            assert await one.stdout.readline() == b"ready\n"
        yield [GuardProcess(one) for one in started]


async def _start(home: House, plan: dict[str, Any], stack: AsyncExitStack) -> asyncio.subprocess.Process:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.support.guard_process", json.dumps(plan),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, env=_environment(home), cwd=ROOT,
    )  # fmt: skip

    async def end() -> None:
        if process.returncode is None:
            process.kill()
        await process.wait()

    stack.push_async_callback(end)
    return process


def _environment(home: House) -> dict[str, str]:
    given = home.settings
    assert given.crm.base_url
    return {
        "PYTHONPATH": str(ROOT),
        "DATABASE_URL": given.database.url,
        "REDIS_URL": given.redis.url,
        "CRM_PROVIDER": "http",
        "CRM_BASE_URL": given.crm.base_url,
        "CRM_TOKEN": "sandbox",
        "CRM_TIMEOUT_SECONDS": "2",
        "REVENUEFLOW_IDENTITY_KEY_FILE": str(given.keys.identity_key_file),
        "REVENUEFLOW_CONFIG_DIR": str(given.config_dir),
        "ANALYSIS_PROVIDER": "rules",
    }


async def _main(plan: dict[str, Any]) -> None:
    settings = Settings.load()
    async with (
        engine_for(settings.database, application="test") as engine,
        Direct(settings.database, application="test") as direct,
        services(settings, Database(engine), direct) as given,
    ):
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.readline)
        counted: Counter[str] = Counter()
        deadline = time.monotonic() + plan.get("seconds", 60)
        lanes = plan.get("lanes", 8)
        await asyncio.gather(*(_lane(given.registry, plan, n, lanes, deadline, counted) for n in range(lanes)))
        sys.stdout.write(json.dumps(counted) + "\n")
        sys.stdout.flush()


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


if __name__ == "__main__":
    asyncio.run(_main(json.loads(sys.argv[1])))
