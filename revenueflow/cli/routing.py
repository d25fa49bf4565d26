"""Routing, for people who change its rules: why a lead goes where it goes, and who would move."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from revenueflow.cli import routing_apply, routing_files
from revenueflow.cli.jobs import moment
from revenueflow.cli.routing_eval import RepsFile, RulesFile
from revenueflow.cli.run import asked, err, fail, guarded, out, show, write_json
from revenueflow.clock import utcnow
from revenueflow.domain.scoring import Routing
from revenueflow.pipeline.simulate import simulate as simulated
from revenueflow.routing.route import decided, shortlist
from revenueflow.routing.turns import Rotation, next_turn

app = typer.Typer(help="Routing: check rules, explain a lead, try other rules.", no_args_is_help=True)
app.command()(routing_apply.apply)
Json = Annotated[bool, typer.Option("--json", help="JSON.")]


def time_or_date(given: str) -> datetime:
    """As `moment`; a date is its noon in UTC, which is on that date nearly everywhere: its holidays count."""
    return moment(f"{given}T12:00Z" if re.fullmatch(r"\d{4}-\d{2}-\d{2}", given) else given)


@app.command()
def check(rules: RulesFile = None, reps: RepsFile = None) -> None:
    """Read rules and say what is wrong with them: file, key path and line.

    Example: revenueflow routing check --rules draft.toml --reps reps.csv
    """
    found = guarded(lambda: routing_files.rules(rules, reps))
    out.print(
        f"version {found.version}: {len(found.reps)} reps, {len(found.named_accounts)} named accounts, "
        f"{len(found.territories)} territories, {len(found.segments)} segments; every rule can be reached",
        markup=False,
    )


@app.command()
def explain(
    lead: Annotated[Path, typer.Argument(metavar="LEAD.json", exists=True, dir_okay=False, help="A lead as JSON.")],
    rules: RulesFile = None,
    reps: RepsFile = None,
    at: Annotated[datetime | None, typer.Option(parser=time_or_date, metavar="TIME", help="When; else now.")] = None,
    as_json: Json = False,
) -> None:
    """Who would get a lead, by which rule, and why nobody else. Turns begin anew; nothing is stored.

    Example: revenueflow routing explain lead.json --rules draft.toml
    """
    table = guarded(lambda: routing_files.rules(rules, reps))
    row, strange = guarded(lambda: routing_files.lead(lead))
    known = routing_files.at(row.situation, at or row.situation.now or utcnow())
    found = shortlist(table, row.subject, known)
    routing = decided(table, found, next_turn(Rotation(), found.reps).rep_id if found.reps else None)
    if as_json:
        write_json(routing.model_dump(mode="json") | {"not_understood": row.unclear, "unknown_keys": strange})
        return
    print_way(routing.model_dump(mode="json"))
    if row.unclear:
        err.print(f"not understood: {', '.join(row.unclear)}", markup=False)
    if strange:
        err.print(f"keys that nobody knows: {', '.join(strange)}", markup=False)


@app.command()
def simulate(
    rules: RulesFile = None,
    since: Annotated[
        datetime | None, typer.Option(parser=moment, metavar="TIME", help="Leads since: 7d, 12h, or a time; else 30d.")
    ] = None,
    reps: RepsFile = None,
    labels: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="CSV with lead_id and expected_owner.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=1_000_000, help="Most leads.")] = 100_000,
    as_json: Json = False,
) -> None:
    """Try rules on leads that were routed: who moves, how much each rep has, how many labels are met.

    Example: revenueflow routing simulate --rules draft.toml --since 30d
    """
    table = guarded(lambda: routing_files.rules(rules, reps))
    known, in_force = _labels(labels), guarded(lambda: routing_files.rules(None, None))
    began = since or utcnow() - timedelta(days=30)
    told = asked(
        lambda database: simulated(
            database, table, began, known, limit=limit, with_database_reps=reps is None, in_force=in_force
        )
    )
    if as_json:
        write_json(told)
        return
    out.print(f"{told['leads']} leads, {told['moved']} would move, {told['queued']} to the default queue", markup=False)
    if told["changed_since"]:
        out.print(f"{told['changed_since']} more are not where the rules in force would put them by now", markup=False)
    if told["accuracy"]:
        accuracy = told["accuracy"]
        out.print(f"of {told['labelled']} labelled: {accuracy['before']} right, then {accuracy['after']}", markup=False)
    _print_moves(told, began)
    for one in told["unknown"]:
        err.print(f"the rules name nobody: {one}", markup=False, style="yellow")
    if told["unknown_labels"]:
        err.print(f"labels name nobody: {', '.join(told['unknown_labels'])}", markup=False, style="yellow")


def _print_moves(told: Mapping[str, Any], began: datetime) -> None:
    if not told["leads"]:
        out.print(f"no lead that came since {began.astimezone(UTC):%Y-%m-%dT%H:%MZ} has been routed", markup=False)
        return
    show(told["load"], ["rep_id", "before", "after", "most_open"], as_json=False)
    if not told["pairs"]:
        out.print("nobody moves: every lead goes where it went", markup=False)
        return
    show(told["pairs"], ["from", "to", "leads"], as_json=False)


@app.command("import-map")
def import_map(
    file: Annotated[Path, typer.Argument(metavar="MAP.json", exists=True, dir_okay=False, help='{"US": "ann", ...}')],
    reps: RepsFile = None,
) -> None:
    """Turn a simple map of countries, with DEFAULT, into routing.toml on standard output.

    Example: revenueflow routing import-map map.json --reps reps.csv > routing.toml
    """
    if file.suffix != ".json":
        fail("the map must be a .json file")
    typer.echo(guarded(lambda: routing_files.as_toml(routing_files.rules(file, reps))), nl=False)


def print_way(routing: dict[str, Any]) -> None:
    """The owner, every rule that was tried, every rep that was looked at."""
    known = Routing.model_validate(routing)
    out.print(f"{known.owner_id}: {known.rule}: {known.reason} (rules {known.policy_version})", markup=False)
    for number, line in enumerate(known.path, 1):
        out.print(Text(f"{number:3} {line}"))
    rows = [{"rep": one.rep_id, "": "yes" if one.chosen else "no", "because": one.reason} for one in known.candidates]
    show(rows, ["rep", "", "because"], as_json=False)


def _labels(file: Path | None) -> dict[str, str]:
    if file is None:
        return {}
    rows = guarded(lambda: routing_files.table(file))
    if not rows or not {"lead_id", "expected_owner"} <= rows[0].keys():
        fail(f"{file}: must have the columns lead_id and expected_owner")
    return {row["lead_id"]: row["expected_owner"] for row in rows}
