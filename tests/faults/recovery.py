"""How long recovery takes with the times of production: `python -m tests.faults.recovery`. Prints one JSON object.

`worker_killed`: from the death of a worker with leads in hand to the moment in which each is claimed again.
`redis_emptied`: from FLUSHALL, with the worker held, until the last job is rung for again.
`spool_drained`: from the moment in which Postgres answers again until the spool is empty, for `--leads` deliveries.
All in seconds.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from typing import Any

from tests.faults.system import System, running
from tests.faults.traffic import send
from tests.support.processes import until

PRODUCTION: dict[str, str] = {}
SLOW = 60_000


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--leads", type=int, default=10_000)
    args = parser.parse_args()
    with running(times=PRODUCTION) as system:
        told = {
            "worker_killed": _figures([_worker_killed(system, run) for run in range(args.runs)]),
            "redis_emptied": _figures([_redis_emptied(system, run) for run in range(args.runs)]),
            "spool_drained": _spool_drained(system, args.leads),
        }
    json.dump(told, sys.stdout, indent=2)
    print()


def _figures(seconds: list[float]) -> dict[str, Any]:
    return {"runs": len(seconds), "median": round(statistics.median(seconds), 1), "max": round(max(seconds), 1)}


def _worker_killed(system: System, run: int) -> float:
    system.faults("gemini", latency_ms=SLOW)
    sent = send(system, f"killed.{run}", count=10, seed=run)
    until(lambda: _count(system, "state = 'leased' AND step = 'analyse'", sent.leads) == len(sent.leads), seconds=30)
    time.sleep(run * 2)  # at different times between two heartbeats
    system.kill("worker")
    died_at = system.await_death("worker")
    system.faults("gemini", latency_ms=0)
    until(lambda: _count(system, "lease_token >= 2", sent.leads) == len(sent.leads), seconds=90)
    seconds = time.monotonic() - died_at
    until(lambda: _count(system, "state = 'done'", sent.leads) == len(sent.leads), seconds=60)
    return seconds


def _redis_emptied(system: System, run: int) -> float:
    with system.holding("worker"):
        sent = send(system, f"emptied.{run}", count=200, seed=run)
        until(lambda: _count(system, "rung_at IS NOT NULL", sent.leads) == len(sent.leads), seconds=30)
        with system.redis as client:
            client.flushall()
        begun, (row,) = time.monotonic(), system.rows("SELECT now()")
        until(lambda: _rung_since(system, row["now"], sent.leads) == len(sent.leads), seconds=60)
        seconds = time.monotonic() - begun
    until(lambda: _count(system, "state = 'done'", sent.leads) == len(sent.leads), seconds=60)
    return seconds


def _spool_drained(system: System, leads: int) -> dict[str, Any]:
    with system.holding("worker"):
        with system.holding("postgres"):
            sent = send(system, "spooled", count=leads, seed=1, at_once=32)
            begun = time.monotonic()
        spool = system.data_dir / "spool"
        until(lambda: not any(spool.iterdir()), seconds=120)
        seconds = time.monotonic() - begun
        (row,) = system.rows("SELECT count(*) AS n FROM deliveries WHERE outcome = 'spooled'")
    return {"deliveries": len(sent.acks), "spooled": row["n"], "seconds": round(seconds, 1)}


def _count(system: System, condition: str, leads: set[str]) -> int:
    (row,) = system.rows(
        f"SELECT count(*) AS n FROM jobs WHERE lead_id = ANY($1::uuid[]) AND {condition}", sorted(leads)
    )
    count: int = row["n"]
    return count


def _rung_since(system: System, moment: object, leads: set[str]) -> int:
    query = "SELECT count(*) AS n FROM jobs WHERE lead_id = ANY($1::uuid[]) AND rung_at > $2"
    count: int = system.rows(query, sorted(leads), moment)[0]["n"]
    return count


if __name__ == "__main__":
    main()
