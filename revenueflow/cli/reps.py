"""Reps, for people at a terminal."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from revenueflow import defaults
from revenueflow.cli import routing_files
from revenueflow.cli.run import USAGE, asked, err, fail, guarded, show, who, write_json
from revenueflow.db.session import Database
from revenueflow.pipeline import rep_changes
from revenueflow.routing.rules import RoutingRules
from revenueflow.settings import General, Settings

app = typer.Typer(help="Reps: who can own leads.", no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="JSON.")]
COLUMNS = ["id", "name", "timezone", "teams", "languages", "capacity", "open_leads", "covered_by"]


@app.command("list")
def list_reps(as_json: Json = False) -> None:
    """The reps that leads are routed to, with their open leads.

    Example: revenueflow reps list --json
    """
    rules = _rules()
    found = asked(lambda database: rep_changes.shown(database, rules))
    if not as_json:
        found["items"] = [
            one | {name: " ".join(one[name]) for name in ("teams", "languages")} for one in found["items"]
        ]
    show(found["items"], COLUMNS, as_json=as_json)
    _warn(found["unknown"])


@app.command("import")
def import_reps(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV with a header, a line for each rep.")],
    replace: Annotated[bool, typer.Option("--replace", help="Remove those that are not in the file.")] = False,
    move: Annotated[
        list[str] | None, typer.Option("--move", metavar="OLD=NEW", help="Who gets the open leads of one removed.")
    ] = None,
) -> None:
    """Store reps out of a CSV, new or changed.

    Example: revenueflow reps import reps.csv
    """
    reps, rules = guarded(lambda: routing_files.reps(file)), _rules()
    if any("=" not in one for one in move or ()):
        fail("--move takes OLD=NEW, such as: --move ananya-rao=inbound-queue", USAGE)
    moves = {old: new for old, _, new in (one.partition("=") for one in move or ())}
    told = asked(lambda database: rep_changes.put(database, rules, reps, moves, actor=who(), replace=replace))
    write_json(told)
    _warn(told["unknown"])


@app.command()
def remove(
    rep_id: str,
    to: Annotated[str | None, typer.Option("--to", help="Who gets the open leads.")] = None,
) -> None:
    """Remove a rep. If there are open leads, somebody must get them: with --to, or when asked.

    Example: revenueflow reps remove ananya-rao --to kenji-morita
    """
    rules = _rules()
    to = to or _receiver(rules, rep_id)
    told = asked(lambda database: rep_changes.remove(database, rules, rep_id, to, actor=who()))
    write_json(told)
    _warn(told["unknown"])


def _receiver(rules: RoutingRules, rep_id: str) -> str | None:
    """Asks a person at a terminal where the open leads go; None if there are none, or nobody can be asked."""

    async def count(database: Database) -> int:
        found = await rep_changes.shown(database, rules)
        return next((int(one["open_leads"]) for one in found["items"] if one["id"] == rep_id), 0)

    if not sys.stdin.isatty() or not (leads := asked(count)):
        return None
    answer: Any = typer.prompt(f"{rep_id} has {leads} open leads. Who gets them (id of a rep)")
    return str(answer)


def _rules() -> RoutingRules:
    return guarded(lambda: defaults.load(RoutingRules, "routing.toml", Settings.only(General).config_dir))


def _warn(unknown: list[str]) -> None:
    for one in unknown:
        err.print(f"routing.toml: {one}", markup=False, style="yellow")
