"""Who gets a lead that its owner did not touch in time: whom the rules name if those who had it were not there."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from revenueflow.db import timers
from revenueflow.domain.lead import Tier
from revenueflow.mcp.call import Caller
from revenueflow.pipeline.capture import Captured
from revenueflow.pipeline.context import Services
from revenueflow.pipeline.route import find
from revenueflow.pipeline.score import Scored
from revenueflow.routing.rules import RoutingRules
from revenueflow.routing.sla import Ask, Next, next_of_country

WHY_NOT = "had the lead and did not touch it in time"


async def next_owner(
    services: Services, rules: RoutingRules, lead: Mapping[str, Any], tier: Tier, tried: Collection[str], now: datetime
) -> Next | None:
    """The next rep with the reason; None if nobody is left. Takes a turn where several are equal."""
    if known := await _known(services, lead["id"]):
        captured, scored = known
        excluded = dict.fromkeys(tried, WHY_NOT)
        company = await services.companies.of(captured.lead, Caller("sla-due", "pipeline"))
        found = find(services, captured.lead, scored.facts, scored.score, now, company.owners, excluded=excluded)
        routing = await found
        if routing.queued is None and routing.owner_id in rules.by_id:
            return Next(rules.by_id[routing.owner_id], f"{routing.rule}, {routing.reason}")
    return next_of_country(rules, services.sla, Ask(lead["country"], tier, tried, now))


async def _known(services: Services, lead_id: UUID) -> tuple[Captured, Scored] | None:
    """What the last run over the lead left; None if the checkpoints are gone, or of another version."""
    async with services.database.transaction() as session:
        kept = await timers.checkpoints(session, lead_id)
    try:
        return Captured.model_validate(kept["capture"]), Scored.model_validate(kept["score"])
    except (KeyError, ValidationError):
        return None
