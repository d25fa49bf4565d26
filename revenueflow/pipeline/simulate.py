"""Other routing rules over the leads of the last days, out of the database. Writes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from revenueflow.db import reps, routed
from revenueflow.db.session import Database
from revenueflow.domain.lead import Tier
from revenueflow.pipeline.roster import merged
from revenueflow.routing import places
from revenueflow.routing.conditions import Subject
from revenueflow.routing.rules import RoutingRules
from revenueflow.routing.simulation import Past, Simulation

PAGE = 500


async def simulate(
    database: Database,
    rules: RoutingRules,
    since: datetime,
    labels: Mapping[str, str] | None = None,
    *,
    limit: int,
    with_database_reps: bool = True,
    in_force: RoutingRules | None = None,
) -> dict[str, Any]:
    """What `rules` would have done with up to `limit` leads that came since, with the reps of the database over theirs.

    A lead moves only if `rules` differ for it from those `in_force`. At the beginning reps have open what they had open
    then.
    See `Simulation.told`; `complete` is false if there were more leads, `unknown` names who the rules name in vain.
    """
    async with database.transaction() as session:
        rows = await reps.all_(session)
        held = await routed.held(session, since)
    present = merged(in_force, rows) if in_force else None
    simulation = Simulation(merged(rules, rows if with_database_reps else []), labels or {}, present)
    for one in held:
        simulation.hold(one.owner_id, one.leads, one.first_touch_at)
    after: tuple[datetime, UUID] | None = None
    page: Sequence[Mapping[str, Any]] = [{}]
    while page and simulation.leads < limit:
        async with database.transaction() as session:
            page = await routed.past(session, since, after, min(PAGE, limit - simulation.leads))
        # A page takes a tenth of a second of the processor: others of this process must get a word in.
        await asyncio.to_thread(_add, simulation, page)
        after = (page[-1]["received_at"], page[-1]["id"]) if page else None
    unknown = list(simulation.rules.unknown())
    return simulation.told() | {"complete": simulation.leads < limit, "unknown": unknown}


def _add(simulation: Simulation, page: Sequence[Mapping[str, Any]]) -> None:
    for row in page:
        simulation.add(past_of(row))


def past_of(row: Mapping[str, Any]) -> Past:
    """A row of `routed.past`."""
    state, code = places.told(row["state"], row["postcode"], row["location"], row["country"])
    subject = Subject(
        row["country"], row["headcount"], row["industry"], Tier(row["tier"]), state, code, row["domain"],
        row["company"], places.language(row["language"]), time_zone=row["time_zone"], campaign=row["campaign_id"],
        unclear=frozenset(row["unread"] or ()),
    )  # fmt: skip
    told = {
        kind: row["owner_id"] if row["routing_rule"] == f"existing:{kind}" else None
        for kind in ("opportunity", "account")
    }
    return Past(
        str(row["id"]), subject, row["received_at"], row["owner_id"], row["first_touch_at"],
        told["opportunity"], told["account"], row["routing_rule"] or "", row["policy_version"],
    )  # fmt: skip
