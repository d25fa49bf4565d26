"""Jobs: what stands still, why, and setting it going again."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import typer

from revenueflow.cli.run import asked, err, fail, show, who, write_json
from revenueflow.db import deliveries, jobs_view
from revenueflow.db.session import Database
from revenueflow.pipeline.restart import restart

app = typer.Typer(help="Jobs: runs over leads.", no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="JSON Lines.")]
COLUMNS = ["id", "lead_id", "state", "step", "attempt", "error_class", "created_at"]


@app.command("list")
def list_jobs(
    state: Annotated[list[str] | None, typer.Option(help="ready, leased, parked, done, dead; may be repeated")] = None,
    quarantined: Annotated[bool, typer.Option("--quarantined", help="Deliveries that were not understood.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Most rows.")] = 50,
    as_json: Json = False,
) -> None:
    """The newest jobs, or what is in quarantine.

    Examples: revenueflow jobs list --state dead --state parked; revenueflow jobs list --quarantined
    """

    async def read(database: Database) -> list[dict[str, Any]]:
        async with database.transaction() as session:
            if quarantined:
                return await deliveries.quarantined(session, limit)
            return await jobs_view.listed(session, states=state or [], limit=limit)

    columns = ["id", "source", "reason", "content_type", "bytes", "received_at"] if quarantined else COLUMNS
    show(asked(read), columns, as_json=as_json)


@app.command("show")
def show_job(job_id: UUID, as_json: Json = False) -> None:
    """A job and its finished steps."""

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


@app.command()
def retry(
    job_ids: Annotated[list[UUID] | None, typer.Argument(help="Jobs to set going again.")] = None,
    every: Annotated[str | None, typer.Option("--all", help="All jobs that are `dead` or `parked`.")] = None,
) -> None:
    """Set dead or parked jobs going again, from the step where they stopped.

    Examples: revenueflow jobs retry 0198…; revenueflow jobs retry --all dead
    """
    if every not in (None, "dead", "parked") or bool(every) == bool(job_ids):
        fail("name jobs, or say --all dead or --all parked", 2)

    async def reopen(database: Database) -> int:
        async with database.transaction() as session:
            ids = job_ids or await jobs_view.stopped(session, state=every or "", limit=10_000)
            return len(await restart(session, ids, actor=who()))

    count = asked(reopen)
    if not count:
        fail("no such job is dead or parked, or its lead has another run under way")
    err.print(f"{count} set going again")
