"""The audit trail: appending with 16 writers, sealing, verifying.

    python -m bench.audit

`floor`: the same rows by the same writers into a table without hashes, function and triggers, in the same run.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import orjson

from bench.stack import print_json, stack
from revenueflow.audit import keys
from revenueflow.audit.seal import Sealer
from revenueflow.audit.trail import Subject, row
from revenueflow.audit.verify import verify
from revenueflow.db import audit_log
from revenueflow.domain.outcome import AuditEntry

PLAIN = """
    CREATE TABLE plain_events (id uuid PRIMARY KEY, ts timestamptz, actor text, action text, outcome text, lead_id uuid,
        job_id uuid, action_key uuid, trace_id text, detail jsonb, leaf_hash text)
"""
INSERT = "INSERT INTO plain_events SELECT * FROM jsonb_populate_recordset(NULL::plain_events, $1::jsonb)"
APPEND = "SELECT audit_append($1::jsonb)"
DETAIL = {"tool": "set_lead_score", "state": "confirmed", "tries": 1, "claims": 6}


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--events", type=int, default=20_000, help="appended one at a time")
    parser.add_argument("--sealed", type=int, default=100_000, help="sealed at once")
    parser.add_argument("--verified", type=int, default=1_000_000)
    parser.add_argument("--writers", type=int, default=16)
    args = parser.parse_args()
    with stack() as one, tempfile.TemporaryDirectory() as folder:
        print_json(asyncio.run(_measure(one.backends.urls, Path(folder), args)))


async def _measure(urls: dict[str, str], folder: Path, args: argparse.Namespace) -> dict[str, Any]:
    owner = await asyncpg.connect(urls["MIGRATION_DATABASE_URL"])
    await owner.execute(PLAIN)
    floor = await _append(urls["MIGRATION_DATABASE_URL"], INSERT, args.events, args.writers)
    append = await _append(urls["DATABASE_URL"], APPEND, args.events, args.writers)
    await _fill(urls["DATABASE_URL"], args.sealed - args.events)
    keys.write(folder / "key")
    sealer = Sealer(keys.signer(folder / "key"), keys.verifiers(folder / "key"), folder / "checkpoints")
    async with audit_log.opened(urls["SEALER_DATABASE_URL"], application="bench") as connection:
        await sealer.resume(connection)
        seconds, count = await _timed(sealer.seal(connection))
        signing, _ = await _timed(sealer.checkpoint(connection))
        await _fill(urls["DATABASE_URL"], args.verified - args.sealed)
        await sealer.seal(connection)
        await sealer.checkpoint(connection)
    async with audit_log.snapshot(urls["AUDITOR_DATABASE_URL"], application="bench") as connection:
        verifying, report = await _timed(verify(connection, sealer.verifiers))
    await owner.close()
    return {
        "appended_per_second": round(args.events / append),
        "plain_per_second": round(args.events / floor),
        "ratio": round(append / floor, 2),
        "sealed": count,
        "sealing_seconds": round(seconds, 2),
        "signing_seconds": round(signing, 2),
        "verified": report.events,
        "intact": report.intact,
        "verifying_seconds": round(verifying, 1),
    }


async def _append(url: str, statement: str, events: int, writers: int) -> float:
    """Seconds for so many events, each in a commit of its own."""
    connections = [await asyncpg.connect(url) for _ in range(writers)]

    async def write(connection: Any) -> None:
        for _ in range(events // writers):
            await connection.execute(statement, _events(1))

    seconds, _ = await _timed(asyncio.gather(*map(write, connections)))
    for connection in connections:
        await connection.close()
    return seconds


async def _fill(url: str, events: int) -> None:
    connection = await asyncpg.connect(url)
    for start in range(0, events, 5000):
        await connection.execute(APPEND, _events(min(5000, events - start)), timeout=120)
    await connection.close()


def _events(count: int) -> str:
    entries = (AuditEntry("crm.written", "confirmed", DETAIL) for _ in range(count))
    return orjson.dumps([row(Subject(uuid4(), uuid4(), "0" * 32), entry) for entry in entries]).decode()


async def _timed(work: Any) -> tuple[float, Any]:
    start = time.perf_counter()
    result = await work
    return time.perf_counter() - start, result


if __name__ == "__main__":
    main()
