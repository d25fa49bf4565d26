"""The demo: the sample of 100 leads goes through everything, and is held against its labels."""

from __future__ import annotations

import asyncio
import shutil
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from revenueflow.cli.run import FAILED, guarded, out, write_json
from revenueflow.cli.up import PortsFile, Seed, describe, ending_on_signal, say, started
from revenueflow.db import overview
from revenueflow.db.engine import engine_for
from revenueflow.db.session import Database
from revenueflow.devserver import story
from revenueflow.devserver.postgres import Postgres
from revenueflow.devserver.senders import Senders
from revenueflow.devserver.stack import Stack, StackOptions
from revenueflow.devserver.story import Told
from revenueflow.privacy.identity import IdentityKey
from revenueflow.sandbox import sample
from revenueflow.settings import DatabaseSettings

PLACE = Path(".revenueflow/demo")
PATIENCE = 180.0
INVENT_RATE = 0.1


def demo(
    once: Annotated[bool, typer.Option("--once", help="End when the sample is done.")] = False,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the API; 0 takes a free one.")] = 0,
    data_dir: Annotated[Path | None, typer.Option(help="Keep the data here; default: start afresh.")] = None,
    seed: Seed = 1,
    ports_file: PortsFile = None,
) -> None:
    """Watch 100 labelled leads become CRM records: enriched, analysed, grounded, scored, routed.

    The last line of standard output is one JSON object with the counts. Exit code 0 if and only if no job is dead
    and every accepted lead was processed or needs review.

    Example: revenueflow demo --once
    """
    folder = data_dir or PLACE
    if data_dir is None:
        _clear(folder)
    stack = Stack(StackOptions(folder, port, True, INVENT_RATE, seed, ports_file=ports_file), say)
    raise typer.Exit(guarded(lambda: _run(stack, once)))


def _clear(folder: Path) -> None:
    if folder.exists():
        Postgres(folder).destroy()
        shutil.rmtree(folder)


def _run(stack: Stack, once: bool) -> int:
    with ending_on_signal() as stop, started(stack):
        watch = threading.Thread(target=stack.supervise, args=(stop,), daemon=True)
        watch.start()
        counts = asyncio.run(_send_and_tell(stack, stop))
        write_json(counts)
        if not once and not stop.is_set():
            describe(stack)
            stop.wait()
        stop.set()
        watch.join()
    good = counts["dead"] == 0 and counts["accepted"] == counts["processed"] + counts["needs_review"]
    return 0 if good else FAILED


async def _send_and_tell(stack: Stack, stop: threading.Event) -> dict[str, Any]:
    lines, held = sample.load(), stack.secrets
    began = time.monotonic()
    await Senders(stack.api_url, held.webhooks, held.keys["ingest"]).send(lines)
    say(f"{len(lines)} deliveries sent and accepted in {time.monotonic() - began:.2f} s")
    async with engine_for(DatabaseSettings(url=stack.backends.urls["DATABASE_URL"]), application="demo") as engine:
        database = Database(engine)
        await _settled(database, stop)
        say(f"all of them done after {time.monotonic() - began:.1f} s")
        async with database.transaction() as session:
            told = await story.tell(session, lines, IdentityKey(bytes.fromhex(held.identity)))
    _print(told)
    counts = await story.counts(stack.backends.urls, stack.sandbox_urls, stack.data_dir)
    return {"deliveries": len(lines)} | counts


async def _settled(database: Database, stop: threading.Event) -> None:
    """Returns once no job is waiting or running, when it is told to stop, or after PATIENCE seconds."""
    deadline, shown = time.monotonic() + PATIENCE, -1
    while time.monotonic() < deadline and not stop.is_set():
        async with database.transaction() as session:
            jobs = await overview.job_counts(session)
        left = jobs.get("ready", 0) + jobs.get("leased", 0)
        if left == 0:
            return
        if left != shown and left % 10 == 0:
            say(f"  {left} leads under way")
        shown = left
        await asyncio.sleep(0.1)


def _print(told: Sequence[Told]) -> None:
    table = Table("#", "via", "company", "status", "score", "tier", "owner", "as labelled", box=None, pad_edge=False)
    for one in told:
        lead = one.lead or {}
        cells = [lead.get(name) for name in ("company", "status", "score", "tier", "owner_id")]
        label = "yes" if one.as_labelled else "NO"
        table.add_row(str(one.sample.n), one.sample.via, *("" if c is None else str(c)[:40] for c in cells), label)
    out.print(table)
    fits = sum(one.as_labelled for one in told)
    out.print(f"{fits} of {len(told)} as labelled (status, tier, owner)\n")
