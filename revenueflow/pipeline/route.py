"""Route: finds the owner by the rules, whose turn it is among equals, and keeps the reason."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import orjson

from revenueflow.db import turns
from revenueflow.db.turns import Chosen
from revenueflow.domain.base import Value
from revenueflow.domain.lead import Lead
from revenueflow.domain.outcome import AuditEntry, Changes, Done, Outcome
from revenueflow.domain.scoring import LeadFacts, Routing, Score
from revenueflow.pipeline.context import Context
from revenueflow.pipeline.score import Scored
from revenueflow.routing import places
from revenueflow.routing.conditions import Subject
from revenueflow.routing.route import MOVED, Shortlist, decided, shortlist, subject
from revenueflow.routing.rules import RoutingRules
from revenueflow.routing.selection import Outcomes, Situation
from revenueflow.routing.turns import Rotation, next_turn
from revenueflow.telemetry import metrics


class Routed(Value):
    """The owner, the rule, and every rule that was tried."""

    routing: Routing


async def step(lead: Lead, context: Context) -> Outcome:
    """Applies the routing rules."""
    scored = context.result(Scored)
    rules = await context.services.roster.rules()
    known = await situation(context, rules, lead, scored.facts)
    found = shortlist(rules, described(lead, scored.facts, scored.score), known)
    domain = scored.facts.domain if rules.existing_owner else None
    routing = decided(rules, found, await _taker(context, lead, found, domain))
    if routing.queued:
        metrics.routed_to_queue.labels(routing.queued).inc()
    columns = {
        "owner_id": routing.owner_id,
        "owner_name": routing.owner_name,
        "routing_rule": routing.rule,
        "routing_reason": routing.reason,
    }
    detail = {"owner_id": routing.owner_id, "rule": routing.rule, "policy_version": routing.policy_version}
    return Done(Routed(routing=routing), Changes(columns, audit=(AuditEntry("lead.routed", "done", detail),)))


def described(lead: Lead, facts: LeadFacts, score: Score) -> Subject:
    """What routing looks at, of a lead."""
    form = lead.form
    state, code = places.told(form.state, form.postcode, form.location, facts.country)
    known = subject(facts, score)._replace(state=state, postcode=code, language=places.language(form.language))
    return known._replace(time_zone=lead.time_zone)


async def situation(
    context: Context,
    rules: RoutingRules,
    lead: Lead,
    facts: LeadFacts,
    outcomes: Mapping[str, Outcomes] | None = None,
) -> Situation:
    """What other leads tell, at the moment at which this one is routed."""
    counted = [rep.id for rep in rules.reps if rep.capacity is not None]
    domain = facts.domain if rules.existing_owner else None
    async with context.services.direct.connection() as connection:
        known = await turns.situation(connection, lead.id, domain, rules.default_owner, counted, MOVED)
    return _situation(context.now, known, outcomes)


def _situation(now: datetime, known: turns.Known, outcomes: Mapping[str, Outcomes] | None) -> Situation:
    loads = orjson.loads(known.open_leads) if known.open_leads else {}
    return Situation(
        now, account_owner=known.account_owner, moved_to=known.moved_to, open_leads=loads, outcomes=outcomes or {}
    )


async def _taker(context: Context, lead: Lead, found: Shortlist, domain: str | None) -> str | None:
    """Who of the shortlist gets the lead; the turn, if there is one to take, is written down with the rotation."""
    if len(found.reps) < 2:
        return found.reps[0].id if found.reps else None

    def choose(state: str) -> Chosen:
        turn = next_turn(Rotation.model_validate_json(state), found.reps)
        return Chosen(turn.rep_id, turn.rotation.turns, turn.rotation.model_dump_json())

    async with context.services.direct.transaction() as connection:
        allowed = {rep.id for rep in found.reps}
        return await turns.take(connection, found.pool, lead.id, allowed, choose, domain=domain)
