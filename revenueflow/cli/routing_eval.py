"""`revenueflow eval routing`: how many leads of a labelled file go where the label says."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from time import process_time
from typing import Annotated, Any

import typer

from revenueflow.cli import labelled, routing_files
from revenueflow.cli.run import err, fail, guarded, write_json
from revenueflow.domain.scoring import Routing
from revenueflow.routing.route import decided, shortlist
from revenueflow.routing.rows import Row
from revenueflow.routing.rules import RoutingRules
from revenueflow.routing.turns import Rotation, next_turn

RulesFile = Annotated[
    Path | None, typer.Option("--rules", exists=True, dir_okay=False, help="TOML, or a simple map as JSON; else ours.")
]
RepsFile = Annotated[
    Path | None, typer.Option("--reps", exists=True, dir_okay=False, help="CSV; else those of the rules.")
]


def routing(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV with the column expected_owner.")],
    rules: RulesFile = None,
    reps: RepsFile = None,
    misses: Annotated[
        Path | None, typer.Option(dir_okay=False, help="Also write what was wrong, as JSON Lines.")
    ] = None,
) -> None:
    """Leads against their expected owner: a CSV with expected_owner and, if wanted, decidable (yes or no).

    Example: revenueflow eval routing leads.csv --rules rules.toml --reps reps.csv
    """
    table = guarded(lambda: routing_files.rules(rules, reps))
    leads = [_known(row, table) for row in guarded(lambda: list(routing_files.leads(file))) if row.expected]
    if not leads:
        fail(f"{file}: no row has an expected_owner")
    start = process_time()
    routed = route_all(table, leads)
    seconds = process_time() - start
    wrong = [_miss(row, one) for row, one in zip(leads, routed, strict=True) if row.expected != one.owner_id]
    labelled.write(misses, wrong)
    strange = sorted({row.expected for row in leads if row.expected} - table.by_id.keys())
    if strange:
        err.print(f"expected_owner names nobody: {', '.join(strange)}", markup=False, style="yellow")
    told = {"cpu_ms_each": round(1000 * seconds / len(leads), 4), "unknown_labels": strange, "misses": wrong}
    write_json(_measured(leads, routed) | told)


def route_all(rules: RoutingRules, leads: Sequence[Row]) -> list[Routing]:
    """The routing of leads one after the other: each turn that is taken is remembered."""
    rotations: dict[str, Rotation] = {}
    found = []
    for row in leads:
        short = shortlist(rules, row.subject, row.situation)
        rep_id = short.reps[0].id if short.reps else None
        if len(short.reps) > 1:
            rep_id, rotations[short.pool] = next_turn(rotations.get(short.pool, Rotation()), short.reps)
        found.append(decided(rules, short, rep_id))
    return found


def _known(row: Row, rules: RoutingRules) -> Row:
    """The row with its label as a rep's id: people also write names and emails."""
    names = {name.casefold(): rep.id for rep in rules.reps for name in (rep.name, rep.email, rep.id)}
    label = row.expected or ""
    return row._replace(expected=names.get(label.casefold(), label))


def _measured(leads: Sequence[Row], routed: Sequence[Routing]) -> dict[str, Any]:
    right = [row.expected == one.owner_id for row, one in zip(leads, routed, strict=True)]
    decidable = [hit for hit, row in zip(right, leads, strict=True) if row.decidable]
    return {
        "n": len(leads),
        "accuracy": labelled.share(sum(right), len(right)),
        "decidable": len(decidable),
        "decidable_accuracy": labelled.share(sum(decidable), len(decidable)),
        "queued": sum(one.queued is not None for one in routed),
    }


def _miss(row: Row, routing: Routing) -> dict[str, Any]:
    return {
        "lead_id": row.id,
        "expected": row.expected,
        "found": routing.owner_id,
        "decidable": row.decidable,
        "rule": routing.rule,
        "reason": routing.reason,
        "why_not": next((one.reason for one in routing.candidates if one.rep_id == row.expected), "was not looked at"),
        "not_understood": list(row.unclear),
    }
