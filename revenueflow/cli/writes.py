"""`revenueflow writes`: the stop of all writes to the outside."""

from __future__ import annotations

import typer

from revenueflow.audit import switches
from revenueflow.cli.run import err, switched

app = typer.Typer(help="Stop and allow what is written to the CRM and to people.", no_args_is_help=True)


@app.command()
def stop() -> None:
    """Stop every write to the CRM and the messenger, by runs, agents and people, everywhere, at once. Leads wait."""
    switched(switches.WRITES, on=True)
    err.print("stopped: no write is begun from now on; those under way end, and what is unclear is read back")


@app.command()
def resume() -> None:
    """Let writes be made again. Leads that wait go on within half a minute."""
    err.print("resumed" if switched(switches.WRITES, on=False) else "it was not stopped")
