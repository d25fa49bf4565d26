"""Reps, for people at a terminal."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
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
MOST_NAMED = 5
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
    """Asks a person at a terminal where the open leads go; None if there are none. Nobody can be asked: it fails."""

    async def all_(database: Database) -> list[dict[str, Any]]:
        return list((await rep_changes.shown(database, rules))["items"])

    listed = asked(all_)
    leaving = next((one for one in listed if one["id"] == rep_id), None)
    if leaving is None or not leaving["open_leads"] or rep_id == rules.default_owner:
        return None
    said = f"{rep_id} has {leaving['open_leads']} open leads"
    could = "; ".join(_could(leaving, listed))
    if not sys.stdin.isatty():
        fail(f"{said}: name who gets them with --to. {f'With room for them: {could}' if could else 'Nobody has room'}")
    answer: Any = typer.prompt(f"{said}. Who gets them (id of a rep){f', such as {could}' if could else ''}")
    return str(answer)


def _could(leaving: Mapping[str, Any], listed: Sequence[Mapping[str, Any]]) -> list[str]:
    """Up to MOST_NAMED reps with room for the open leads: who covers for the one who goes, their team, the rest.

    Of equals those with the fewest open leads first.
    """

    def near(one: Mapping[str, Any]) -> tuple[bool, bool, int, str]:
        return _covers(one, leaving), bool(set(one["teams"]) & set(leaving["teams"])), -one["open_leads"], one["id"]

    room = [
        one
        for one in listed
        if one["id"] != leaving["id"]
        and (one["capacity"] is None or one["open_leads"] + leaving["open_leads"] <= one["capacity"])
    ]
    best = sorted(room, key=near, reverse=True)[:MOST_NAMED]
    return [f"{one['id']} ({_why(one, leaving)})" for one in best]


def _covers(one: Mapping[str, Any], leaving: Mapping[str, Any]) -> bool:
    return bool(one["id"] == leaving["covered_by"])


def _why(one: Mapping[str, Any], leaving: Mapping[str, Any]) -> str:
    shared = sorted(set(one["teams"]) & set(leaving["teams"]))
    told = ["covers for them"] if _covers(one, leaving) else []
    told += [f"team {', '.join(shared)}"] if shared else []
    return ", ".join([*told, f"{one['open_leads']} open leads"])


def _rules() -> RoutingRules:
    return guarded(lambda: defaults.load(RoutingRules, "routing.toml", Settings.only(General).config_dir))


def _warn(unknown: list[str]) -> None:
    for one in unknown:
        err.print(one if one.startswith("rep ") else f"routing.toml: {one}", markup=False, style="yellow")
