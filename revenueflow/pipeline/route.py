"""Route: finds the owner by the rules, whose turn it is among equals, and keeps the reason."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import orjson

from revenueflow.db import turns
from revenueflow.db.turns import Chosen
from revenueflow.domain.base import Value
from revenueflow.domain.lead import Lead
from revenueflow.domain.outcome import AuditEntry, Changes, Done, Outcome, Snooze
from revenueflow.domain.scoring import LeadFacts, Routing, Score
from revenueflow.pipeline.context import Context, Services
from revenueflow.pipeline.score import Scored
from revenueflow.routing import existing, places
from revenueflow.routing.conditions import Subject
from revenueflow.routing.crm_owners import CompanyOwners
from revenueflow.routing.route import Shortlist, decided, shortlist, subject
from revenueflow.routing.selection import Situation
from revenueflow.routing.turns import Rotation, next_turn
from revenueflow.telemetry import metrics


class Routed(Value):
    """The owner, the rule, and every rule that was tried."""

    routing: Routing


async def step(lead: Lead, context: Context) -> Outcome:
    """Applies the routing rules."""
    scored, services = context.result(Scored), context.services
    company = await services.companies.of(lead, context.caller)
    if company.wait is not None:
        return Snooze(context.now + timedelta(seconds=company.wait), "crm_not_asked")
    routing = await find(services, lead, scored.facts, scored.score, context.now, company.owners)
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


async def find(
    services: Services,
    lead: Lead,
    facts: LeadFacts,
    score: Score,
    now: datetime,
    company: CompanyOwners,
    *,
    excluded: Mapping[str, str] | None = None,
) -> Routing:
    """The owner at this moment, with the reps and loads that there are; a turn that is taken is the lead's own.

    `company`: what the CRM says of the lead's company.
    `excluded`: reps that must not get it, and why (such as "missed the SLA"): the lead takes a new turn without them.
    """
    rules = await services.roster.rules()
    counted = [rep.id for rep in rules.reps if rep.capacity is not None]
    domain = facts.domain if rules.existing_owner else None
    async with services.direct.connection() as connection:
        known = await turns.situation(connection, lead.id, domain, rules.default_owner, counted, existing.MOVED)
    situation = Situation(
        now,
        opportunity_owner=existing.opportunity_owner(rules, company),
        account_owner=existing.account_owner(rules, company),
        company_owner=known.company_owner,
        remark=existing.remark(rules, company),
        moved_to=known.moved_to,
        open_leads=orjson.loads(known.open_leads) if known.open_leads else {},
        outcomes=await services.track_record.similar(facts),
        excluded=excluded or {},
    )
    found = shortlist(rules, described(lead, facts, score), situation)
    return decided(rules, found, await _taker(services, lead, found, domain))


def described(lead: Lead, facts: LeadFacts, score: Score) -> Subject:
    """What routing looks at, of a lead."""
    form = lead.form
    state, code = places.told(form.state, form.postcode, form.location, facts.country)
    known = subject(facts, score)._replace(state=state, postcode=code, language=places.language(form.language))
    return known._replace(time_zone=lead.time_zone)


async def _taker(services: Services, lead: Lead, found: Shortlist, domain: str | None) -> str | None:
    """Who of the shortlist gets the lead; the turn, if there is one to take, is written down with the rotation."""
    if len(found.reps) < 2:
        return found.reps[0].id if found.reps else None

    def choose(state: str) -> Chosen:
        turn = next_turn(Rotation.model_validate_json(state), found.reps)
        return Chosen(turn.rep_id, turn.rotation.turns, turn.rotation.model_dump_json())

    async with services.direct.transaction() as connection:
        allowed = {rep.id for rep in found.reps}
        return await turns.take(connection, found.pool, lead.id, allowed, choose, domain=domain)
