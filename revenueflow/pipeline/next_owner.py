"""Who gets a lead that its owner did not touch in time: whom the rules name if those who had it were not there."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from pydantic import ValidationError

from revenueflow.db import timers, turns
from revenueflow.domain.lead import Tier
from revenueflow.pipeline.capture import Captured
from revenueflow.pipeline.context import Services
from revenueflow.pipeline.route import described, taker
from revenueflow.pipeline.score import Scored
from revenueflow.routing.conditions import Subject
from revenueflow.routing.route import shortlist
from revenueflow.routing.rules import RoutingRules
from revenueflow.routing.selection import Situation
from revenueflow.routing.sla import Ask, Next, next_of_country

WHY_NOT = "had the lead and did not touch it in time"


class _Known(NamedTuple):
    """What routing looks at, as the last run over the lead left it."""

    subject: Subject
    domain: str | None


async def next_owner(
    services: Services, rules: RoutingRules, lead: Mapping[str, Any], tier: Tier, tried: Collection[str], now: datetime
) -> Next | None:
    """The next rep with the reason; None if nobody is left. Takes a turn where several are equal."""
    if known := await _known(services, lead["id"]):
        situation = await _situation(services, rules, lead["id"], known, now)
        found = shortlist(rules, known.subject, replace(situation, excluded=dict.fromkeys(tried, WHY_NOT)))
        if found.reps and (chosen := await taker(services.direct, lead["id"], found)):
            return Next(rules.by_id[chosen], f"{found.rule}, {found.reason}")
    return next_of_country(rules, services.sla, Ask(lead["country"], tier, tried, now))


async def _known(services: Services, lead_id: UUID) -> _Known | None:
    """None if the checkpoints are gone, or of another version."""
    async with services.database.transaction() as session:
        kept = await timers.checkpoints(session, lead_id)
    try:
        captured, scored = Captured.model_validate(kept["capture"]), Scored.model_validate(kept["score"])
    except (KeyError, ValidationError):
        return None
    return _Known(described(captured.lead, scored.facts, scored.score), scored.facts.domain)


async def _situation(services: Services, rules: RoutingRules, lead_id: UUID, known: _Known, now: datetime) -> Situation:
    counted = [rep.id for rep in rules.reps if rep.capacity is not None]
    domain = known.domain if rules.existing_owner else None
    async with services.direct.connection() as connection:
        told = await turns.situation(connection, lead_id, domain, rules.default_owner, counted)
    loads = orjson.loads(told.open_leads) if told.open_leads else {}
    return Situation(now, account_owner=told.account_owner, open_leads=loads)
