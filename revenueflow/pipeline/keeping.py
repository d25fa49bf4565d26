"""Who keeps a lead that is routed again: the owner to whom its timer has passed it on."""

from __future__ import annotations

from uuid import UUID

from revenueflow.db import timers
from revenueflow.domain.scoring import Candidate, Routing
from revenueflow.pipeline.context import Context
from revenueflow.routing.rules import RoutingRules

RULE = "sla:passed_on"


async def kept(lead_id: UUID, rules: RoutingRules, routing: Routing, context: Context) -> Routing:
    """The routing, for that owner while the lead waits for a touch; else as it is.

    Otherwise a second form of the same person would bring the lead back to who has let it lie.
    """
    if context.lease.run_version == 1:
        return routing
    async with context.services.direct.connection() as connection:
        held = await timers.kept(connection, lead_id)
    if held is None or held["owner_id"] not in rules.by_id or held["owner_id"] == routing.owner_id:
        return routing
    others = [one for one in routing.candidates if one.rep_id != held["owner_id"] and not one.chosen]
    return routing.model_copy(
        update={
            **held,
            "rule": RULE,
            "path": (*routing.path, f"{RULE}: yes, {held['reason']}"),
            "candidates": (
                *others,
                Candidate(rep_id=routing.owner_id, chosen=False, reason="the timer has passed the lead on"),
                Candidate(rep_id=held["owner_id"], chosen=True, reason=""),
            ),
            "queued": None,
        }
    )
