"""The generator's process: `python -m revenueflow.bench.generator`, started by `remote`.

A line of JSON with the plan comes in, `ready` goes out once the warm-up is over, a line comes in, the load goes out.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import sys
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvloop

from revenueflow.bench.driver import Driver
from revenueflow.bench.load import Load
from revenueflow.bench.plan import Plan
from revenueflow.bench.requests import Requests
from revenueflow.db import progress
from revenueflow.db.direct import Direct
from revenueflow.errors import Unavailable
from revenueflow.settings import DatabaseSettings

READY = b"ready\n"
NOT_REACHED = 75
WARMUP_CAMPAIGN = "bench-warmup"
ASK_SECONDS = 0.05


def main() -> None:
    """One run."""
    plan = Plan.model_validate_json(sys.stdin.buffer.readline())
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            load = runner.run(_run(plan))
    except Unavailable as error:
        sys.stderr.write(f"{error.detail}\n")
        sys.exit(NOT_REACHED)
    except KeyboardInterrupt:
        sys.exit(130)
    with contextlib.suppress(BrokenPipeError):
        load.write(sys.stdout.buffer)


async def _run(plan: Plan) -> Load:
    target = plan.target
    await _warm_up(plan)
    driver = Driver(target.host, target.port, Requests(target, plan.campaign))
    await driver.connect(plan.connections)
    try:
        sys.stdout.buffer.write(READY)
        sys.stdout.buffer.flush()
        if not await asyncio.to_thread(sys.stdin.buffer.readline):
            raise Unavailable("nobody waits for the figures any more")
        threading.Thread(target=_end_with_the_asker, daemon=True).start()
        used = time.process_time()
        load = await _drive(plan, driver)
        load.cpu = time.process_time() - used
    finally:
        driver.close()
    load.memory = peak_memory()
    return load


def _end_with_the_asker() -> None:
    # Standard input stays open for as long as somebody wants the figures: nobody is loaded for nothing.
    sys.stdin.buffer.read()
    os._exit(1)


async def _warm_up(plan: Plan) -> None:
    target = plan.target
    driver = Driver(target.host, target.port, Requests(target, WARMUP_CAMPAIGN))
    await driver.connect(plan.connections if plan.warmup else 1)
    await driver.closed_loop(requests=plan.warmup, seconds=None, limit=plan.limit)
    driver.close()


async def _drive(plan: Plan, driver: Driver) -> Load:
    requests = plan.requests or round((plan.rate or 0) * (plan.duration or 0))
    if plan.rate:
        return await driver.constant_rate(plan.rate, requests, limit=plan.limit)
    if not plan.window:
        return await driver.closed_loop(requests=plan.requests, seconds=plan.duration, limit=plan.limit)
    async with _refilling(plan, driver, plan.window):
        return await driver.windowed(requests, limit=plan.limit)


@asynccontextmanager
async def _refilling(plan: Plan, driver: Driver, window: int) -> AsyncIterator[None]:
    task = asyncio.create_task(_refill(plan, driver, window))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})


async def _refill(plan: Plan, driver: Driver, window: int) -> None:
    """Lets a new lead in for each that has left."""
    settings = DatabaseSettings(url=plan.database_url or "")
    async with Direct(settings, application="bench", size=1) as direct, direct.connection() as connection:
        before = await progress.in_flight(connection)
        while True:
            # Counted before the question: a lead that is answered meanwhile must not pass for one that has left.
            kept = driver.load.kept
            gone = kept - (await progress.in_flight(connection) - before)
            driver.allow(min(plan.requests or 0, gone + window))
            await asyncio.sleep(ASK_SECONDS)


def peak_memory() -> int:
    """The largest resident size of this process, in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    os._exit(0)  # a thread may still wait for standard input
