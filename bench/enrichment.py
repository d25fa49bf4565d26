"""A thousand leads of two hundred companies through the waterfall, with providers that take 200 ms.

    python -m bench.enrichment

`first`: from an empty cache, until all are processed, and the calls that providers got. `floor_without_sharing`: what a
call for each question of each lead takes, with as many at a time as leads in flight. `second`: the same leads again.
`memory_kib_per_lead`: what a worker grows by, divided by the leads that it holds at a time.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import io
import secrets
import time
from typing import Any

import httpx2
import psutil

from bench.pipeline import _environment, _start_upstreams
from bench.stack import Stack, print_json, say, stack
from revenueflow.bench.load import Load
from revenueflow.bench.meter import Meter
from revenueflow.db import enriched, progress
from revenueflow.db.direct import Direct
from revenueflow.db.engine import engine_for
from revenueflow.db.session import Database
from revenueflow.devserver import secrets as held
from revenueflow.devserver.services import pids
from revenueflow.pipeline import demand
from revenueflow.settings import DatabaseSettings

LIMIT = 300.0


def main() -> None:
    """Measures and prints."""
    args = _arguments()
    with stack() as one:
        upstreams = _start_upstreams(one)
        env = _environment(upstreams) | {"ANALYSIS_PROVIDER": "rules", "SLACK_BOT_TOKEN": ""}
        for name in ("api", "relay", "worker"):
            one.serve(name, **env, REVENUEFLOW_WORKER_CONCURRENCY=str(args.in_flight))
        latency = {"enrich": args.latency, "model": 0.0, "crm": 0.0}
        httpx2.put(f"{upstreams}/latency", json=latency, trust_env=False).raise_for_status()
        figures = asyncio.run(_runs(one, upstreams, args))
    print_json(figures)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--leads", type=int, default=1000)
    parser.add_argument("--companies", type=int, default=200)
    parser.add_argument("--latency", type=float, default=0.2, help="seconds that a provider takes")
    parser.add_argument("--in-flight", type=int, default=200, help="leads that the worker holds at a time")
    return parser.parse_args()


async def _runs(one: Stack, upstreams: str, args: argparse.Namespace) -> dict[str, Any]:
    settings = DatabaseSettings(url=one.database_url)
    async with Direct(settings, application="bench") as direct, engine_for(settings, application="bench") as engine:
        _send(one, _file(50, 10, "warm"))
        await _settled(direct)
        before = _calls(upstreams)
        worker = pids(one.services)["worker"]
        with Meter({"worker": [worker]}) as meter:
            base = _resident(worker)
            began = time.perf_counter()
            _send(one, _file(args.leads, args.companies, "lead"))
            await _settled(direct)
            first = time.perf_counter() - began
        between = _calls(upstreams)
        second = await _again(direct, Database(engine))
        after = _calls(upstreams)
        async with direct.connection() as connection:
            dead = await connection.fetchval("SELECT count(*) FROM jobs WHERE state <> 'done'")
            spent = await connection.fetchval("SELECT settled_usd FROM spend WHERE scope = 'all'")
    peak = meter.figures(args.leads, Load()).get("peak_memory_mib", {}).get("worker", 0)
    calls = {name: between.get(name, 0) - before.get(name, 0) for name in ("clearbit", "hunter")}
    questions = args.leads * 3  # a company of each of two, and a person
    return {
        "leads": args.leads,
        "companies": args.companies,
        "not_done": dead,
        "first_seconds": round(first, 2),
        "first_calls": calls,
        "calls_without_sharing": questions,
        "floor_without_sharing": round(questions * args.latency / args.in_flight, 2),
        "second_seconds": round(second, 2),
        "second_calls": sum(after.get(name, 0) - between.get(name, 0) for name in ("clearbit", "hunter")),
        "spent_usd": float(spent),
        "worker_mib_before": base,
        "worker_mib_peak": peak,
        "memory_kib_per_lead": round((peak - base) * 1024 / min(args.in_flight, args.leads), 1),
    }


async def _again(direct: Direct, database: Database) -> float:
    """Seconds until all leads are enriched a second time."""
    began = time.perf_counter()
    async with database.transaction() as session:
        rows = await enriched.leads(session, campaign_id=None, limit=10_000_000)
    await demand.enrich(direct, [row["id"] for row in rows], actor="bench", trace_id=secrets.token_hex(16))
    await _settled(direct)
    return time.perf_counter() - began


def _resident(pid: int) -> float:
    """MiB that a process has resident now."""
    resident: int = psutil.Process(pid).memory_info().rss
    return round(resident / 2**20, 1)


def _file(leads: int, companies: int, word: str) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["email", "company", "country"])
    for n in range(leads):
        company = f"{word}-{n % companies}"
        writer.writerow([f"n{n}@{company}.example", company, "US"])
    return text.getvalue().encode()


def _send(one: Stack, content: bytes) -> None:
    key = held.ensure(one.folder).keys["operator"]
    answer = httpx2.post(
        f"{one.api}/v1/imports",
        files={"file": ("leads.csv", content, "text/csv")},
        headers={"Authorization": f"Bearer {key}"},
        timeout=120,
        trust_env=False,
    )
    answer.raise_for_status()
    say(f"imported: {answer.json()}")


async def _settled(direct: Direct) -> None:
    deadline = time.monotonic() + LIMIT
    while time.monotonic() < deadline:
        async with direct.connection() as connection:
            if await progress.in_flight(connection) == 0:
                return
        await asyncio.sleep(0.1)
    raise SystemExit(f"leads are still on their way after {LIMIT} s")


def _calls(upstreams: str) -> dict[str, int]:
    seen: dict[str, int] = httpx2.get(f"{upstreams}/latency", trust_env=False).json()["requests"]
    return seen


if __name__ == "__main__":
    main()
