"""How many leads pass the whole pipeline, how long each is in the system, and what that costs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Any

from revenueflow.bench.load import Load, percentiles
from revenueflow.bench.meter import Meter
from revenueflow.bench.plan import Plan
from revenueflow.bench.remote import Generator
from revenueflow.db import progress
from revenueflow.db.direct import Direct
from revenueflow.db.progress import Times
from revenueflow.errors import Unavailable
from revenueflow.settings import DatabaseSettings

LOOK_SECONDS = 0.1
TIMES = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "max": 1.0}
ENDED = ("processed", "parked", "dead")


async def measure(
    plan: Plan, pids: Mapping[str, Sequence[int]], say: Callable[[str], None], *, floor: float | None = None
) -> dict[str, Any]:
    """One run: sends the leads and waits until each has come to an end. `floor`: seconds that upstreams take of each.

    Raises Unavailable if the API does not answer, or if the warm-up does not end within the plan's limit.
    """
    settings = DatabaseSettings(url=plan.database_url or "")
    async with AsyncExitStack() as stack:
        direct = await stack.enter_async_context(Direct(settings, application="bench", size=1))
        generator = stack.enter_context(Generator(plan))
        say(f"warming up with {plan.warmup} leads")
        await asyncio.to_thread(generator.warm_up)
        if not await _settled(direct, plan.limit):
            raise Unavailable("leads that were there before are still in the system; try again later")
        say(f"sending {plan.requests} leads")
        with Meter(pids) as meter:
            load = await asyncio.to_thread(generator.run)
            say(f"{load.kept} are accepted; waiting until they are processed")
            await _settled(direct, plan.limit)
        async with direct.connection() as connection:
            ended = await progress.statuses(connection, plan.campaign)
            times = await progress.times(connection, plan.campaign)
    return figures(load, ended, times, floor) | meter.figures(len(times), load)


async def _settled(direct: Direct, limit: float) -> bool:
    """Waits until no job is waiting or being worked on; False if that takes longer than `limit` seconds."""
    deadline = time.monotonic() + limit
    while time.monotonic() < deadline:
        async with direct.connection() as connection:
            if await progress.in_flight(connection) == 0:
                return True
        await asyncio.sleep(LOOK_SECONDS)
    return False


def figures(load: Load, ended: Mapping[str, int], times: Sequence[Times], floor: float | None) -> dict[str, Any]:
    """Times in the system by the database's clock, from the delivery to the end of the last step, in seconds."""
    waits = percentiles([one.processed - one.received for one in times], TIMES)
    told: dict[str, Any] = {
        "sent": load.sent,
        "accepted": load.kept,
        **{status: ended.get(status, 0) for status in ENDED},
        "unfinished": load.kept - sum(ended.get(status, 0) for status in ENDED),
        "errors": load.errors,
        **_pace(times),
        "time_in_system": waits,
        "ack": percentiles(load.latencies),
    }
    if floor is None:
        return told
    own = {name: None if wait is None else round(wait - floor, 6) for name, wait in waits.items()}
    return told | {"floor": floor, "own_time": own}


def _pace(times: Sequence[Times]) -> dict[str, float | None]:
    """Leads per second from the first delivery to the last end; `steady_rate` without the first and last tenth."""
    if len(times) < 2:
        return {"seconds": None, "rate": None, "steady_rate": None}
    ends = sorted(one.processed for one in times)
    seconds = ends[-1] - min(one.received for one in times)
    first, last = len(ends) // 10, len(ends) - 1 - len(ends) // 10
    middle = ends[last] - ends[first]
    return {
        "seconds": round(seconds, 3),
        "rate": round(len(ends) / seconds, 1) if seconds else None,
        "steady_rate": round((last - first) / middle, 1) if middle else None,
    }
