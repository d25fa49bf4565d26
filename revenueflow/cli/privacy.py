"""A person's data: what is stored of it, erasing it, and what is deleted because its time is over."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, TypeVar
from uuid import UUID

import orjson
import typer

from revenueflow import defaults
from revenueflow.cli.run import err, fail, guarded, opened, show, who, write_json
from revenueflow.clock import rfc3339
from revenueflow.db.direct import Direct
from revenueflow.pipeline import erasure, subject_access
from revenueflow.privacy.identity import IdentityKey
from revenueflow.privacy.identity_file import identity_key
from revenueflow.privacy.retention import FILE, RetentionRules
from revenueflow.settings import DatabaseSettings, General, KeySettings, Settings
from revenueflow.workers import retention

app = typer.Typer(help="A person's data: export, erase, and how long things are kept.", no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="JSON.")]
Reason = Annotated[str, typer.Option(help="Why, 3 to 1000 characters: kept, redacted, with the erasure.")]
T = TypeVar("T")


@app.command("export")
def export(
    lead_id: UUID,
    to: Annotated[Path | None, typer.Option("--out", dir_okay=False, help="File; else standard output.")] = None,
) -> None:
    """All that is stored about the person of a lead, in every campaign, as JSON.

    Example: revenueflow privacy export 0198a7c2-… --out person.json
    """
    found = _with_key(lambda direct, key: subject_access.export(direct, key, lead_id, actor=who()))
    if to is None:
        write_json(found)
        return
    try:
        to.touch(mode=0o600)
        to.write_bytes(orjson.dumps(found, option=orjson.OPT_INDENT_2, default=str))
    except OSError as error:
        fail(f"{to}: can't be written: {error.strerror}")


@app.command("erase")
def erase(
    lead_id: UUID,
    reason: Reason,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Erase the person of a lead, in every campaign; again, it does what is left. Copies in the CRM are listed.

    Example: revenueflow privacy erase 0198a7c2-… --reason "asked by mail, ticket 4711" --yes
    """
    if not 3 <= len(reason) <= 1000 or "\0" in reason:
        fail("--reason: must say why, in 3 to 1000 characters", 2)
    if not yes:
        typer.confirm("Erase this person for good?", abort=True, err=True)
    told = _with_key(lambda direct, key: erasure.erase(direct, key, lead_id, reason=reason, actor=who()))
    copies = subject_access.copies_view(told.copies)
    if as_json:
        status = "unchanged" if told.unchanged else "erased"
        shown = {"lead_id": lead_id, "status": status, "erased_at": rfc3339(told.erased_at), "leads": told.leads}
        write_json(shown | {"runs_ended": told.runs_ended, "erased": told.erased, "copies": copies})
        return
    rows = ", ".join(f"{count} in {table}" for table, count in told.erased.items()) or "nothing was left"
    err.print(f"erased, in {len(told.leads)} leads: {rows}; {told.runs_ended} runs ended", markup=False)
    for copy in copies:
        err.print(f"not deleted: {copy['type']} {copy['id'] or copy['record_key']} ({copy['state']})", markup=False)


@app.command("reopen")
def reopen(lead_id: UUID) -> None:
    """Process what a person sent after it was erased; what came before stays dropped.

    Example: revenueflow privacy reopen 0198a7c2-…
    """

    async def run(direct: Direct, key: IdentityKey) -> list[UUID]:
        async with opened() as database:
            return await erasure.reopen(direct, database, key, lead_id, actor=who())

    err.print(f"{len(_with_key(run))} runs go on")


@app.command("retention")
def run_retention(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell what would go; delete nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Delete what is past its time by retention.toml, as a worker does every day; or tell how much that is.

    Example: revenueflow privacy retention --dry-run
    """

    async def run() -> tuple[RetentionRules, dict[str, int]]:
        rules = defaults.load(RetentionRules, FILE, Settings.only(General).config_dir)
        async with Direct(Settings.only(DatabaseSettings), application="cli", size=2) as direct:
            key = identity_key(Settings.only(KeySettings)) if any(rules.leads.days.model_dump().values()) else None
            return rules, await retention.turn(direct, rules, key, dry_run=dry_run)

    rules, found = guarded(lambda: asyncio.run(run()))
    days = rules.days.model_dump()
    rows = [{"kind": name, "days": days[name] or None, "rows": found.get(name, 0)} for name in days]
    soonest = min(filter(None, rules.leads.days.model_dump().values()), default=None)
    rows.append({"kind": retention.LEADS, "days": soonest, "rows": found.get(retention.LEADS, 0)})
    show(rows, ["kind", "days", "rows"], as_json=as_json)
    err.print("nothing was deleted" if dry_run else f"{sum(found.values())} rows")


def _with_key(task: Callable[[Direct, IdentityKey], Awaitable[T]]) -> T:
    async def run() -> T:
        key = identity_key(Settings.only(KeySettings))
        async with Direct(Settings.only(DatabaseSettings), application="cli", size=2) as direct:
            return await task(direct, key)

    return guarded(lambda: asyncio.run(run()))
