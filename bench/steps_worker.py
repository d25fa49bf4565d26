"""The worker of `bench.steps`: `revenueflow serve worker` with empty steps, which says when it has done how many.

Standard output: `began T` when the warm-up is done, `ended T` when the leads that count are; T is time.monotonic().
"""

from __future__ import annotations

import sys
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass

from pydantic import create_model

from revenueflow.cli.run import run_until_signal
from revenueflow.cli.serve import DIRECT
from revenueflow.db.direct import Direct
from revenueflow.db.engine import engine_for
from revenueflow.db.session import Database
from revenueflow.domain.base import Value
from revenueflow.domain.lead import Lead
from revenueflow.domain.outcome import AuditEntry, Changes, Done, Outcome
from revenueflow.pipeline.context import Context
from revenueflow.pipeline.steps import STEPS, Step
from revenueflow.settings import Settings
from revenueflow.telemetry import logs
from revenueflow.wiring import services as wiring
from revenueflow.workers.worker import work


@dataclass(slots=True)
class Count:
    """Leads that have reached their last step, and what is said when there are enough of them."""

    warmup: int
    leads: int
    done: int = 0

    def one_more(self) -> None:
        """Called once for each lead."""
        self.done += 1
        if self.done == self.warmup:
            print("began", time.monotonic(), flush=True)
        elif self.done == self.warmup + self.leads:
            print("ended", time.monotonic(), flush=True)


def empty_steps(number: int, count: Count, *, audit_each: bool) -> tuple[Step, ...]:
    """Steps under the names of the real ones, with a small result each."""
    return tuple(_empty(step.name, count, audit_each, last=step is STEPS[number - 1]) for step in STEPS[:number])


def _empty(name: str, count: Count, audit: bool, *, last: bool) -> Step:
    kind: type[Value] = create_model(f"Empty_{name}", __base__=Value, ok=(bool, True))
    done = Done(kind(), Changes(audit=(AuditEntry("bench.step", "done", {"step": name}),)) if audit else Changes())

    async def run(_: Lead, __: Context) -> Outcome:
        if last:
            count.one_more()
        return done

    return Step(name, 1, run, kind)


async def _work(settings: Settings, steps: tuple[Step, ...]) -> None:
    async with AsyncExitStack() as stack:
        engine = await stack.enter_async_context(engine_for(settings.database, application="worker"))
        direct = await stack.enter_async_context(Direct(settings.database, application="runner", size=DIRECT))
        services = await stack.enter_async_context(wiring.services(settings, Database(engine), direct))
        await work(direct, services, settings, steps=steps)


def main() -> None:
    """Works until SIGTERM."""
    number, warmup, leads = (int(argument) for argument in sys.argv[1:4])
    settings = Settings.load()
    logs.configure(settings.general.log_level)
    steps = empty_steps(number, Count(warmup, leads), audit_each=sys.argv[4] == "each")
    run_until_signal(_work(settings, steps))


if __name__ == "__main__":
    main()
