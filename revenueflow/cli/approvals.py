"""`revenueflow approvals`: calls that a person must approve before they write."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import typer

from revenueflow.cli.run import asked, err, fail, out, show, who, write_json
from revenueflow.db import approvals
from revenueflow.db.approvals import STATES
from revenueflow.db.session import Database
from revenueflow.mcp.approvals import Decision, decide, shown

app = typer.Typer(help="Calls that wait for a person: rules are in policy.toml.", no_args_is_help=True)
COLUMNS = ("id", "state", "rule", "tool", "caller", "lead_id", "approver", "expires_at")


@app.command("list")
def list_approvals(
    state: Annotated[str, typer.Option(help=f"{', '.join(STATES)}, or all.")] = "pending",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Most rows.")] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="JSON Lines, with what would be written.")] = False,
) -> None:
    """List approvals, newest first; without --state those that wait.

    Example: revenueflow approvals list
    """
    if state not in (*STATES, "all"):
        fail(f"--state is one of: {', '.join(STATES)}, all", 2)

    async def read(database: Database) -> list[dict[str, Any]]:
        async with database.transaction() as session:
            rows = await approvals.page(session, limit=limit, state=None if state == "all" else state)
            return [shown(row) for row in rows]

    show(asked(read), COLUMNS, as_json=as_json)


@app.command("show")
def show_approval(
    approval_id: UUID, as_json: Annotated[bool, typer.Option("--json", help="On one line.")] = False
) -> None:
    """Show one approval: the rule, the caller, and what would be written.

    Example: revenueflow approvals show 019a…
    """

    async def read(database: Database) -> dict[str, Any] | None:
        async with database.transaction() as session:
            return await approvals.get(session, approval_id)

    found = asked(read)
    if found is None:
        fail("there is no approval with this id")
    if as_json:
        write_json(shown(found))
    else:
        out.print_json(data=shown(found), default=str)


@app.command()
def approve(approval_id: UUID) -> None:
    """Let this one call be made, once. The job that waits for it goes on at once; an agent makes its call again.

    Example: revenueflow approvals approve 019a…
    """
    _decide(approval_id, "approved")


@app.command()
def deny(approval_id: UUID) -> None:
    """Refuse this one call. The job that waits for it is parked; an agent is told.

    Example: revenueflow approvals deny 019a…
    """
    _decide(approval_id, "denied")


def _decide(approval_id: UUID, decision: Decision) -> None:
    # Whoever has the database's credentials may do what an admin may.
    told = asked(lambda database: decide(database, approval_id, decision, by=who(), role="admin"))
    err.print(f"{decision}: {told['tool']} for lead {told['lead_id']}, asked by {told['caller']}", markup=False)
