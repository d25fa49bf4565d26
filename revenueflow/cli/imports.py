"""CSV files from the command line, through the same durable path as every webhook."""

from __future__ import annotations

import asyncio
import os
import secrets
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from revenueflow.cli.feeding import Feed, Progress, RejectsFile
from revenueflow.cli.run import FAILED, INTERRUPTED, USAGE, err, fail, guarded, opened, out, show, write_json
from revenueflow.db.direct import Direct
from revenueflow.db.imports import Counts
from revenueflow.errors import InvalidInput, Unavailable
from revenueflow.privacy.identity_file import identity_key
from revenueflow.settings import DatabaseSettings, General, KeySettings, Settings
from revenueflow.sources.csv.columns import Choice, checked
from revenueflow.sources.csv.importing import Import, Preview, run
from revenueflow.sources.csv.reader import Reader
from revenueflow.sources.csv.rejects import Reject
from revenueflow.sources.ingress import Ingress

AGAIN = "run the same command again to go on: what is stored is not stored twice"


@dataclass(frozen=True, slots=True)
class _Job:
    """What one command does."""

    feed: Feed
    reader: Reader
    choice: Choice
    progress: Progress
    rejects: RejectsFile | None

    def watch(self, counts: Counts, rejects: list[Reject]) -> None:
        """Called after each chunk."""
        self.progress.show(counts["rows"])
        if self.rejects:
            self.rejects.write(rejects)


def _readable(file: Path) -> Path:
    if str(file) != "-" and (file.is_dir() or not os.access(file, os.R_OK)):
        raise typer.BadParameter("there is no such file, or it can't be read")
    return file


def import_csv(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", callback=_readable, help="A CSV with a header; - is standard input.")
    ],
    mapping: Annotated[
        list[str] | None, typer.Option("--map", metavar="COL=FIELD", help="A column is this field, or `ignore`.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be stored; store nothing.")] = False,
    rejects: Annotated[
        Path | None, typer.Option("--rejects", dir_okay=False, writable=True, help="Write rejected rows here (CSV).")
    ] = None,
    campaign: Annotated[str | None, typer.Option("--campaign", help="All rows belong to this campaign.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON.")] = False,
) -> None:
    """Import leads from a CSV. The same file again stores nothing twice, and goes on where it broke off.

    Exit code 1: some rows were rejected, all others are stored.

    Example: revenueflow import leads.csv --map "Arbeitgeber=company" --rejects rejects.csv
    """
    folder = guarded(lambda: Settings.only(General)).config_dir
    if rejects and rejects.exists() and file.exists() and rejects.samefile(file):
        fail("--rejects names the file that is read; name another one", USAGE)
    choice = _choice(mapping or [], campaign, folder)
    reader = Reader(choice, folder)
    with ExitStack() as stack:
        feed = stack.enter_context(Feed(file))
        progress = stack.enter_context(Progress(feed))
        kept = stack.enter_context(RejectsFile(rejects, reader)) if rejects else None
        told = guarded(lambda: _run(_Job(feed, reader, choice, progress, kept), dry_run=dry_run))
    if dry_run:
        _show_preview(told, as_json=as_json)
    else:
        show([told], list(told), as_json=as_json)
    if told["rejected"]:
        err.print(_advice(told, rejects), markup=False)
        raise typer.Exit(FAILED)


def _choice(mapping: list[str], campaign: str | None, folder: Path | None) -> Choice:
    if any("=" not in one for one in mapping):
        fail("--map takes COL=FIELD, such as: --map 'Arbeitgeber=company'", USAGE)
    pairs = {name: known.strip() for name, _, known in (one.rpartition("=") for one in mapping)}
    try:
        return Choice(checked(pairs, folder), campaign)
    except InvalidInput as error:
        fail(error.detail, USAGE)


def _run(job: _Job, *, dry_run: bool) -> dict[str, Any]:
    try:
        return asyncio.run(_preview(job) if dry_run else _store(job))
    except KeyboardInterrupt:
        fail("interrupted" if dry_run else f"interrupted; {AGAIN}", INTERRUPTED)
    except Unavailable:
        err.print(f"broken off; {AGAIN}", markup=False)
        raise
    except InvalidInput as error:
        if any(fault.pointer == "/map" for fault in error.faults):
            fail(error.detail, USAGE)
        raise


async def _store(job: _Job) -> dict[str, Any]:
    key = identity_key(Settings.only(KeySettings))
    async with opened() as database, Direct(Settings.only(DatabaseSettings), application="import") as direct:
        one = Import(database, Ingress(direct, key), secrets.token_hex(16), job.choice, watch=job.watch)
        await one.run(job.feed.pieces(), job.reader)
        return {"id": str(one.id), **one.counts}


async def _preview(job: _Job) -> dict[str, Any]:
    preview = Preview(watch=job.watch)
    await run(job.feed.pieces(), job.reader, preview)
    return preview.told(job.reader)


def _show_preview(told: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        write_json(told)
        return
    show([one | {"field": one["field"] or "-"} for one in told["columns"]], ["column", "field"], as_json=False)
    fields = list(dict.fromkeys(name for row in told["first"] for name in row))
    if fields:
        out.print()
        show(told["first"], fields, as_json=False)
    out.print(f"\n{told['rows']} rows, {told['rejected']} of them rejected; nothing was stored", markup=False)
    if told["rejects"]:
        show(told["rejects"], ["line", "reason", "detail"], as_json=False)


def _advice(told: dict[str, Any], rejects: Path | None) -> str:
    where = f"see {rejects}" if rejects else "name a file for them with --rejects"
    return f"{told['rejected']} of {told['rows']} rows were rejected; {where}"
