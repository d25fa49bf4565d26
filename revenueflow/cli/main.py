"""`revenueflow`: the command line."""

from __future__ import annotations

from typing import Annotated, ClassVar

import typer

from revenueflow import __version__
from revenueflow.cli.lazy import LazyGroup
from revenueflow.resilience import heap


class Everything(LazyGroup):
    """The commands, in the order of the help."""

    places: ClassVar = {
        "up": "up:up",
        "demo": "demo:demo",
        "migrate": "control:migrate",
        "pause": "control:pause",
        "resume": "control:resume",
        "doctor": "doctor:doctor",
        "schema": "schema:schema",
        "import": "imports:import_csv",
        "enrich": "enrich:enrich",
        "serve": "serve:app",
        "keys": "keys:app",
        "jobs": "jobs:app",
        "leads": "leads:app",
        "mcp": "mcp:app",
        "reviews": "reviews:app",
        "approvals": "approvals:app",
        "spend": "spend:app",
        "writes": "writes:app",
        "sources": "sources:app",
        "privacy": "privacy:app",
        "score": "score:score",
        "scoring": "scoring:app",
        "reps": "reps:app",
        "routing": "routing:app",
        "outcomes": "outcomes:app",
        "audit": "audit:app",
        "bench": "bench:app",
        "eval": "evaluate:app",
    }


app = typer.Typer(
    cls=Everything,
    name="revenueflow",
    help="Inbound B2B leads: kept, enriched, grounded, scored, routed, and written to the CRM under guard.",
    epilog="Exit codes: 0 ok, 1 failed, 2 usage, 75 retry later, 78 configuration, 130 interrupted.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"revenueflow {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show it.")] = False,
) -> None:
    """Inbound B2B leads: kept, enriched, grounded, scored, routed, and written to the CRM under guard."""


def main() -> None:
    """The entry point."""
    heap.begin()
    app()
