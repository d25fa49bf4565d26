"""Leads, for people at a terminal."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import typer

from revenueflow.cli import timeline as view
from revenueflow.cli.run import asked, fail, show, write_json
from revenueflow.db import leads, scores, timeline
from revenueflow.db.session import Database

app = typer.Typer(help="Leads.", no_args_is_help=True)
MOST_SCORES = 100
Json = Annotated[bool, typer.Option("--json", help="JSON.")]


@app.command("list")
def list_leads(
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Most rows.")] = 20,
    status: Annotated[str | None, typer.Option(help="accepted, processing, parked, processed, dead, erased")] = None,
    as_json: Json = False,
) -> None:
    """The newest leads."""

    async def read(database: Database) -> list[dict[str, Any]]:
        async with database.transaction() as session:
            return await leads.page(session, limit=limit, status=status)

    columns = ["id", "status", "company", "country", "score", "tier", "owner_id", "crm_id", "received_at"]
    show(asked(read), columns, as_json=as_json)


@app.command("show")
def show_lead(lead_id: UUID, as_json: Json = False) -> None:
    """Why this score, why this rep: a lead with everything that happened to it.

    Example: revenueflow leads show 5d0f3a52-5b5e-5d1e-8a1c-1f2e3d4c5b6a
    """

    async def read(database: Database) -> tuple[dict[str, Any] | None, list[dict[str, Any]], list[dict[str, Any]]]:
        async with database.transaction() as session:
            items = await timeline.page(session, lead_id, after=timeline.START, limit=10_000)
            past = await scores.of_lead(session, lead_id, limit=MOST_SCORES)
            return await leads.get(session, lead_id), items, past

    lead, items, past = asked(read)
    if lead is None and not items:
        fail("there is no lead with this id; see `revenueflow leads list`")
    if as_json:
        write_json({"lead": lead, "scores": past, "timeline": items})
        return
    view.print_lead(lead, items, past)
