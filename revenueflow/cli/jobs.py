"""Jobs: what stands still, why, and setting it going again."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

import typer

from revenueflow.cli.run import asked, err, fail, show, who, write_json
from revenueflow.clock import utcnow
from revenueflow.db import dead_letters, deliveries, jobs_view
from revenueflow.db.dead_letters import STOPPED, Chosen
from revenueflow.db.session import Database
from revenueflow.pipeline.restart import MOST, NAMES, Replayed, replay

app = typer.Typer(help="Jobs: runs over leads.", no_args_is_help=True)
COLUMNS = ["id", "lead_id", "state", "step", "attempt", "error_class", "fingerprint", "created_at"]
GROUPS = ["fingerprint", "state", "step", "error_class", "poison", "count", "oldest", "newest", "example"]
QUARANTINED = ["id", "source", "reason", "content_type", "bytes", "received_at"]
STATES = {"dead": ("dead",), "parked": ("parked",), "both": STOPPED}
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def moment(given: str) -> datetime:
    """A time as in RFC 3339, or that long ago (`90s`, `15m`, `2h`, `3d`, `1w`)."""
    try:
        if ago := re.fullmatch(r"([0-9]{1,6})([smhdw])", given):
            return utcnow() - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        found = datetime.fromisoformat(given)
    except (ValueError, OverflowError):
        found = None
    if found is None or found.tzinfo is None:
        raise typer.BadParameter("a time as 2026-11-21T05:00:00Z, or how long ago: 15m, 2h, 3d")
    return found.astimezone(UTC)


Json = Annotated[bool, typer.Option("--json", help="JSON Lines.")]
Since = Annotated[
    datetime | None,
    typer.Option(parser=moment, metavar="TIME", help="Stopped since: 2026-11-21T05:00:00Z, or 2h, 3d ago."),
]
Fingerprint = Annotated[str | None, typer.Option(help="Stopped with this error; `jobs list --groups` shows them.")]


@app.command("list")
def list_jobs(
    state: Annotated[list[str] | None, typer.Option(help="ready, leased, parked, done, dead; may be repeated")] = None,
    fingerprint: Fingerprint = None,
    since: Since = None,
    grouped: Annotated[bool, typer.Option("--groups", help="Dead jobs (or --state), counted by their error.")] = False,
    quarantined: Annotated[bool, typer.Option("--quarantined", help="Deliveries that were not understood.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Most rows.")] = 50,
    as_json: Json = False,
) -> None:
    """The newest jobs, the errors that stopped jobs have in common, or what is in quarantine.

    Examples: revenueflow jobs list --groups; revenueflow jobs list --state dead --since 2h
    """
    stopped = ("dead",) if grouped else STOPPED if fingerprint else ()
    chosen = Chosen(tuple(state or stopped), since, fingerprint)

    async def read(database: Database) -> list[dict[str, Any]]:
        async with database.transaction() as session:
            if quarantined:
                return await deliveries.quarantined(session, limit)
            if grouped:
                return await dead_letters.groups(session, chosen)
            return await jobs_view.listed(session, chosen, limit=limit)

    show(asked(read), QUARANTINED if quarantined else GROUPS if grouped else COLUMNS, as_json=as_json)


@app.command("show")
def show_job(job_id: UUID, as_json: Json = False) -> None:
    """A job: its attempts, its error, and its finished steps."""

    async def read(database: Database) -> dict[str, Any] | None:
        async with database.transaction() as session:
            return await jobs_view.one(session, job_id)

    found = asked(read)
    if found is None:
        fail("there is no job with this id; see `revenueflow jobs list`")
    if as_json:
        write_json(found)
        return
    steps = found.pop("steps")
    show([{"field": name, "value": value} for name, value in found.items()], ["field", "value"], as_json=False)
    show(steps, ["name", "step_version", "started_at", "finished_at"], as_json=False)


@app.command("retry")
def retry_jobs(
    job_ids: Annotated[list[UUID] | None, typer.Argument(help="Jobs to set going again.")] = None,
    every: Annotated[str | None, typer.Option("--all", help="All that are `dead` or `parked`, but poison.")] = None,
) -> None:
    """Set dead or parked jobs going again, from the step where they stopped.

    Examples: revenueflow jobs retry 0198…; revenueflow jobs retry --all dead
    """
    if every not in (None, "dead", "parked") or bool(every) == bool(job_ids):
        fail("name jobs, or say --all dead or --all parked", 2)
    chosen = Chosen(STATES[every or "both"], ids=job_ids or None)
    _tell(asked(lambda database: replay(database, chosen, actor=who())), None)


@app.command("replay")
def replay_jobs(
    job_ids: Annotated[list[UUID] | None, typer.Argument(help="Jobs to set going again.")] = None,
    since: Since = None,
    fingerprint: Fingerprint = None,
    state: Annotated[str | None, typer.Option(help="dead, parked or both; else dead, or both for named jobs.")] = None,
    step: Annotated[str | None, typer.Option("--from", help=f"Step to begin at: {', '.join(NAMES)}.")] = None,
    poison: Annotated[bool, typer.Option("--poison", help="Also jobs that killed or hung their worker.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=MOST, help="Most jobs.")] = MOST,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell what would be done.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="JSON: replayed, left (by reason), jobs.")] = False,
) -> None:
    """Set dead or parked jobs going again: some, or all with the same error, or all since a time.

    They begin where they stopped, or at an earlier step: then this step and the later ones run again, with the
    original input. Poison jobs are left alone unless they are named, or --poison is said.

    Examples: revenueflow jobs replay --fingerprint 3f2a… --from analyse; revenueflow jobs replay --since 2h --dry-run
    """
    _check(job_ids, since, fingerprint, state, step)
    chosen = Chosen(STATES[state or ("both" if job_ids else "dead")], since, fingerprint, job_ids or None)
    given: dict[str, Any] = {"actor": who(), "from_step": step, "poison": poison, "limit": limit}
    if not (dry_run or yes) and sys.stdin.isatty():
        _ask(asked(lambda database: replay(database, chosen, **given, dry_run=True)), step)
    _tell(asked(lambda database: replay(database, chosen, **given, dry_run=dry_run)), step, as_json, dry_run)


def _check(
    job_ids: Sequence[UUID] | None, since: datetime | None, fingerprint: str | None, state: str | None, step: str | None
) -> None:
    if bool(job_ids) == bool(since or fingerprint):
        fail("name jobs, or say --since, --fingerprint or both", 2)
    if state not in (None, *STATES):
        fail(f"--state is one of: {', '.join(STATES)}", 2)
    if step not in (None, *NAMES):
        fail(f"--from is one of: {', '.join(NAMES)}", 2)


def _ask(planned: Replayed, step: str | None) -> None:
    if len(planned.jobs) > 1:
        err.print(_sentence(planned, step, "would be set going again"))
        if not typer.confirm("Go on?", err=True):
            fail("nothing was done")


def _tell(told: Replayed, step: str | None, as_json: bool = False, dry_run: bool = False) -> None:
    if as_json:
        write_json({"replayed": len(told.jobs), "left": told.left, "jobs": told.jobs})
    sentence = _sentence(told, step, "would be set going again" if dry_run else "set going again")
    if not told.jobs:
        fail(sentence)
    err.print(sentence)


def _sentence(told: Replayed, step: str | None, done: str) -> str:
    left = ", ".join(f"{count} {reason}" for reason, count in sorted(told.left.items()))
    return f"{len(told.jobs)} {done}{f' from {step}' if step else ''}" + (f"; left alone: {left}" if left else "")
