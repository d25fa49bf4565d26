"""`revenueflow`: the command line."""

from __future__ import annotations

from typing import Annotated

import typer

from revenueflow import __version__
from revenueflow.cli import (
    audit,
    bench,
    control,
    demo,
    doctor,
    enrich,
    evaluate,
    imports,
    jobs,
    keys,
    leads,
    mcp,
    outcomes,
    reps,
    reviews,
    routing,
    schema,
    serve,
    sources,
    spend,
    up,
)  # fmt: skip

app = typer.Typer(
    name="revenueflow",
    help="Inbound B2B leads: kept, enriched, grounded, scored, routed, and written to the CRM under guard.",
    epilog="Exit codes: 0 ok, 1 failed, 2 usage, 75 retry later, 78 configuration, 130 interrupted.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("up")(up.up)
app.command("demo")(demo.demo)
app.command("migrate")(control.migrate)
app.command("pause")(control.pause)
app.command("resume")(control.resume)
app.command("doctor")(doctor.doctor)
app.command("schema")(schema.schema)
app.command("import")(imports.import_csv)
app.command("enrich")(enrich.enrich)
app.add_typer(serve.app, name="serve")
app.add_typer(keys.app, name="keys")
app.add_typer(jobs.app, name="jobs")
app.add_typer(leads.app, name="leads")
app.add_typer(mcp.app, name="mcp")
app.add_typer(outcomes.app, name="outcomes")
app.add_typer(reviews.app, name="reviews")
app.add_typer(reps.app, name="reps")
app.add_typer(routing.app, name="routing")
app.add_typer(spend.app, name="spend")
app.add_typer(sources.app, name="sources")
app.add_typer(audit.app, name="audit")
app.add_typer(bench.app, name="bench")
app.add_typer(evaluate.app, name="eval")


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
    app()
