"""`revenueflow routing apply`: gives open leads to whom the rules in force name."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

import typer

from revenueflow.cli import routing_files
from revenueflow.cli.jobs import moment
from revenueflow.cli.run import asked, guarded, out, show, who, write_json
from revenueflow.clock import utcnow
from revenueflow.pipeline import reroute


def apply(
    since: Annotated[
        datetime | None, typer.Option(parser=moment, metavar="TIME", help="Leads since: 7d, 12h, or a time; else 30d.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Move them; without, only say who would move.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="JSON.")] = False,
) -> None:
    """Open leads by the rules that are in force: who moves. Those given by a person or by the SLA stay.

    Example: revenueflow routing apply --since 30d --yes
    """
    rules = guarded(lambda: routing_files.rules(None, None))
    now = utcnow()
    found = asked(lambda database: reroute.planned(database, rules, since or now - timedelta(days=30), now))
    moved = asked(lambda database: reroute.apply(database, found.moves, actor=who())) if yes and found.moves else 0
    if as_json:
        moves = [{"lead_id": one.lead_id, "from": one.from_, "to": one.to, "rule": one.rule} for one in found.moves]
        write_json({"open": found.looked_at, "would_move": len(moves), "moved": moved, "moves": moves})
        return
    if found.pairs:
        show(found.pairs, ["from", "to", "leads"], as_json=False)
    told = f"{moved} moved" if yes else f"{len(found.moves)} would move; nothing is changed without --yes"
    out.print(f"{found.looked_at} open leads, {told}", markup=False)
