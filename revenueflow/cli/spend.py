"""What providers cost, and the stop."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

import typer

from revenueflow.audit import switches
from revenueflow.cli.run import asked, err, show, switched
from revenueflow.clock import utcnow
from revenueflow.db import controls, spend
from revenueflow.db.session import Database

app = typer.Typer(help="What providers cost: caps are in enrichment.toml.", no_args_is_help=True)


@app.command("show")
def show_spend(
    days: Annotated[int, typer.Option(min=1, max=400, help="How many days back.")] = 7,
    as_json: Annotated[bool, typer.Option("--json", help="JSON Lines.")] = False,
) -> None:
    """US dollars, and models' tokens, by day, provider, campaign and model: reserved for calls under way, and settled.

    Example: revenueflow spend show --days 30
    """
    since = (utcnow() - timedelta(days=days - 1)).date().isoformat()

    async def read(database: Database) -> tuple[list[dict[str, Any]], bool]:
        async with database.transaction() as session:
            switches = await controls.current(session)
            return await spend.since(session, since), any(one["name"] == spend.STOPPED for one in switches)

    rows, stopped = asked(read)
    show(rows, ["period", "scope", "reserved_usd", "settled_usd", "settled_tokens"], as_json=as_json)
    if stopped:
        err.print("spending is stopped; go on with: revenueflow spend resume", style="yellow")


@app.command()
def stop() -> None:
    """Stop every paid call to a provider, everywhere, at once. Leads go on with what is known."""

    switched(switches.SPENDING, on=True)
    err.print("stopped: no paid call is begun from now on; those under way end")


@app.command()
def resume() -> None:
    """Let paid calls be made again, within the caps."""

    err.print("resumed" if switched(switches.SPENDING, on=False) else "it was not stopped")
