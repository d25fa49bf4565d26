"""What the runner itself costs: one worker process over seven empty durable steps, from a backlog in Postgres.

    python -m bench.steps
    python -m bench.steps --backlog 100000,1000000

Lease, checkpoint of each step, and audit of each lead are the real ones, and so are relay and doorbell. For each size
of the backlog `--leads` are processed and measured, after as many as `--warmup`; `ratio` is the rate with the last
size by that with the first. `--audit each` has every step write an audit event of its own, too.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import asyncpg

from bench.stack import LIMIT, Stack, print_json, say, stack
from revenueflow.bench.load import Load
from revenueflow.bench.meter import Meter
from revenueflow.devserver.services import pids

SPARE = 4000
"""Jobs beyond those that are measured: the worker must not run dry before it is told to stop."""
TABLES = ("leads", "jobs", "steps", "audit_events", "audit_pending")
# Leads with a job each, due one after the other in the past.
FILL = """
    WITH new AS (
        INSERT INTO leads (id, campaign_id, identity_key, version, status, received_at)
        SELECT gen_random_uuid(), 'bench', md5(n::text), 1, 'accepted', now() FROM generate_series(1, $1) AS n
        RETURNING id
    )
    INSERT INTO jobs (lead_id, run_version, wanted_version, trace_id, run_at)
    SELECT id, 1, 1, 'bench', now() - make_interval(secs => 3600 - 0.001 * row_number() OVER ()) FROM new
"""


def main() -> None:
    """Measures and prints."""
    args = _arguments()
    sizes = [int(size) for size in args.backlog.split(",")]
    with stack() as one:
        one.serve("relay")
        runs = [[_measure(one, size, args) for _ in range(args.repeat)] for size in sizes]
    rates = [statistics.median(run["rate"] for run in each) for each in runs]
    told = {"steps": args.steps, "leads": args.leads, "audit": args.audit, "backlogs": sizes, "rates": rates}
    print_json(told | {"ratio": round(rates[-1] / rates[0], 3), "runs": [run for each in runs for run in each]})


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--leads", type=int, default=20_000, help="leads to measure with")
    parser.add_argument("--backlog", default="0", help="waiting jobs, separated by commas; at least those needed")
    parser.add_argument("--repeat", type=int, default=1, help="measurements with each size; rates are their medians")
    parser.add_argument("--warmup", type=int, default=2000)
    parser.add_argument("--steps", type=int, default=7)
    parser.add_argument("--concurrency", type=int, default=200)
    parser.add_argument("--audit", choices=("end", "each"), default="end")
    return parser.parse_args()


def _measure(one: Stack, size: int, args: argparse.Namespace) -> dict[str, Any]:
    needed = args.warmup + args.leads + SPARE
    waiting = asyncio.run(_fill(one, max(size, needed)))
    say(f"{waiting} jobs are waiting")
    with _worker(one, args) as worker:
        began = _marked(worker, "began")
        with Meter({**_pids(one), "worker": [worker.pid]}) as meter:
            ended = _marked(worker, "ended")
    asyncio.run(_check(one, args))
    seconds = ended - began
    say(f"{args.leads / seconds:.0f} leads/s")
    figures = {"waiting": waiting, "seconds": round(seconds, 3), "rate": round(args.leads / seconds, 1)}
    return figures | _without_generator(meter.figures(args.leads, Load()))


def _pids(one: Stack) -> dict[str, list[int]]:
    return {name: [pid] for name, pid in pids(one.services).items()}


def _without_generator(figures: dict[str, Any]) -> dict[str, Any]:
    for name in ("cpu_per_1000", "peak_memory_mib"):
        figures[name].pop("generator")
    return figures


@contextmanager
def _worker(one: Stack, args: argparse.Namespace) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "bench.steps_worker", str(args.steps), str(args.warmup), str(args.leads)]
    env = one.env | {"REVENUEFLOW_WORKER_CONCURRENCY": str(args.concurrency)}
    with (one.folder / "logs" / "worker.log").open("a") as log:
        process = subprocess.Popen([*command, args.audit], stdout=subprocess.PIPE, stderr=log, env=env, text=True)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(60)


def _marked(worker: subprocess.Popen[str], what: str) -> float:
    """The time (monotonic) at which the worker says that something happened."""
    assert worker.stdout is not None
    for line in worker.stdout:
        word, _, moment = line.partition(" ")
        if word == what:
            return float(moment)
    raise SystemExit(f"the worker ended with status {worker.wait(LIMIT)} before it has {what}")


async def _fill(one: Stack, size: int) -> int:
    """Adds jobs until so many are waiting, and leaves the tables as autovacuum would."""
    owner = await asyncpg.connect(one.backends.urls["MIGRATION_DATABASE_URL"])
    try:
        while (missing := size - await owner.fetchval("SELECT count(*) FROM jobs WHERE state = 'ready'")) > 0:
            say(f"adding {missing} jobs")
            await owner.execute(FILL, min(missing, 100_000), timeout=300)
        # An empty table is left alone, as autovacuum does: else statements are planned for one that stays empty.
        filled = [table for table in TABLES if await owner.fetchval(f"SELECT EXISTS (SELECT FROM {table})")]
        for table in filled:
            await owner.execute(f"VACUUM ANALYZE {table}", timeout=300)
        waiting: int = await owner.fetchval("SELECT count(*) FROM jobs WHERE state = 'ready'")
        return waiting
    finally:
        await owner.close()


async def _check(one: Stack, args: argparse.Namespace) -> None:
    """Every job that is done has all its checkpoints: a fast worker that skips something must not pass."""
    owner = await asyncpg.connect(one.backends.urls["MIGRATION_DATABASE_URL"])
    try:
        done = await owner.fetchval("SELECT count(*) FROM jobs WHERE state = 'done'")
        kept = await owner.fetchval("SELECT count(*) FROM steps JOIN jobs ON id = job_id WHERE state = 'done'")
        told = await owner.fetchval("SELECT count(*) FROM audit_events WHERE action = 'lead.processed'")
    finally:
        await owner.close()
    if done < args.warmup + args.leads or kept != done * args.steps or told != done:
        raise SystemExit(
            f"{done} jobs are done, with {kept} checkpoints and {told} audit events: not what was asked for"
        )


if __name__ == "__main__":
    main()
