"""Batch enrichment: leads of a campaign, or all that are stored, through the pipeline and out as files."""

from __future__ import annotations

import asyncio
import secrets
import sys
from collections.abc import Sequence
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

from revenueflow.cli.run import INTERRUPTED, USAGE, err, fail, guarded, opened, who, write_json
from revenueflow.cli.sources import pull_campaign
from revenueflow.clock import utcnow
from revenueflow.db import enriched
from revenueflow.db.direct import Direct
from revenueflow.db.session import Database
from revenueflow.enrichment import export
from revenueflow.pipeline import demand
from revenueflow.settings import DatabaseSettings, Settings
from revenueflow.settings.sources import AturiyaSettings

AT_ONCE = 500
LOOK_SECONDS = 0.5
QUIET_SECONDS = 30.0


class Format(StrEnum):
    """What is written."""

    JSON = "json"
    CSV = "csv"
    BOTH = "both"


def enrich(
    campaign: Annotated[str | None, typer.Option(help="Only leads of this campaign.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1_000_000, help="Most leads.")] = 100_000,
    format_: Annotated[Format, typer.Option("--format", help="enriched.jsonl, enriched.csv, or both.")] = Format.BOTH,
    out: Annotated[Path, typer.Option(help="The folder to write to; the same one again goes on.")] = Path("enriched"),
    max_age_days: Annotated[float, typer.Option(min=0, help="Leads enriched since then are only exported.")] = 1.0,
) -> None:
    """Enrich leads and write what is known of them, with the source of every value. Needs a running worker.

    A campaign that Aturiya knows is pulled first; without it, leads that are stored already are taken. Interrupted,
    the same command goes on where it was. Example: revenueflow enrich --campaign spring-fair --out fair
    """

    async def run() -> dict[str, Any]:
        pulled = campaign and Settings.only(AturiyaSettings).token and await pull_campaign(campaign, limit)
        async with opened() as database, Direct(Settings.only(DatabaseSettings), application="enrich") as direct:
            batch = _Batch(database, direct, out, max_age_days)
            if pulled and campaign:
                await batch.until_captured(campaign)
            return await batch.run(campaign, limit)

    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        fail(f"--out {out}: {error.strerror}", USAGE)
    try:
        told = guarded(lambda: asyncio.run(run()))
    except typer.Exit as end:
        if end.exit_code == INTERRUPTED:
            err.print("interrupted; the same command goes on from here")
        raise
    if format_ is not Format.JSON and told["exported"]:
        export.write_csv(out)
    if format_ is Format.CSV:
        (out / export.JSON_NAME).unlink(missing_ok=True)
    write_json(told)


class _Batch:
    """One run over the leads, AT_ONCE at a time."""

    def __init__(self, database: Database, direct: Direct, out: Path, max_age_days: float) -> None:
        self._database = database
        self._direct = direct
        self._out = out
        self._before = utcnow() - timedelta(days=max_age_days)
        self._counts = {"leads": 0, "enriched": 0, "exported": 0, "not_done": 0}
        self._cost = 0.0

    async def run(self, campaign: str | None, limit: int) -> dict[str, Any]:
        """The counts; `cost_usd` is what this run has paid."""
        async with self._database.transaction() as session:
            rows = await enriched.leads(session, campaign_id=campaign, limit=limit)
        before = export.done_before(self._out)
        left = [row for row in rows if row["id"] not in before]
        self._counts |= {"leads": len(rows), "exported": len(rows) - len(left)}
        if not rows:
            err.print("no lead is stored" + (f" in the campaign {campaign}" if campaign else ""), markup=False)
        for first in range(0, len(left), AT_ONCE):
            await self._some(left[first : first + AT_ONCE])
        return {**self._counts, "cost_usd": round(self._cost, 6), "out": str(self._out)}

    async def until_captured(self, campaign: str) -> None:
        """Returns when all leads of a campaign that was just pulled are known."""
        progress = _Progress(0, 0, "leads are read in")
        while True:
            async with self._database.transaction() as session:
                left = await enriched.uncaptured(session, campaign)
            if left == 0:
                return
            progress.show(left)
            await asyncio.sleep(LOOK_SECONDS)

    async def _some(self, rows: Sequence[dict[str, Any]]) -> None:
        due = [row["id"] for row in rows if enriched.is_due(row, self._before)]
        if due:
            await demand.enrich(self._direct, due, actor=who(), trace_id=secrets.token_hex(16))
        self._counts["enriched"] += len(due)
        left = {row["id"]: row["cost"] for row in rows}
        progress = _Progress(self._counts["exported"], self._counts["leads"])
        while left:
            await self._export_ended(left)
            progress.show(len(rows) - len(left))
            if left:
                await asyncio.sleep(LOOK_SECONDS)

    async def _export_ended(self, left: dict[UUID, float]) -> None:
        """Writes the leads that have come to an end, and takes them from `left` (their cost before this run)."""
        async with self._database.transaction() as session:
            ended = await enriched.ended(session, list(left))
            found = await enriched.export(session, list(ended))
        await asyncio.to_thread(export.append, self._out, found)
        for row in found:
            self._cost += row["cost_usd"] - left.pop(row["lead_id"])
        self._counts["exported"] += len(found)
        self._counts["not_done"] += sum(state != "done" for state in ended.values())


class _Progress:
    """Says how far it is, on standard error; and, once, that nothing moves."""

    def __init__(self, before: int, whole: int, what: str = "leads") -> None:
        self._what = what
        self._before = before
        self._whole = whole
        self._last = -1
        self._quiet = 0.0

    def show(self, ended: int) -> None:
        """`ended` leads of this batch are through."""
        if ended != self._last:
            self._last, self._quiet = ended, 0.0
            end = "\r" if sys.stderr.isatty() else "\n"
            whole = f" of {self._whole}" if self._whole else ""
            err.print(f"{self._before + ended}{whole} {self._what}", end=end, markup=False)
            return
        self._quiet += LOOK_SECONDS
        if self._quiet == QUIET_SECONDS:
            err.print("nothing moves: is a worker running, and is processing not paused?", style="yellow")
