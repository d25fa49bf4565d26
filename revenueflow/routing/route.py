"""Who owns a lead: the first territory that fits, else the default queue. Pure, and it can show its way."""

from __future__ import annotations

from collections.abc import Sequence

from revenueflow.domain.scoring import Candidate, LeadFacts, Routing, Score
from revenueflow.routing.conditions import Subject, described, obstacle
from revenueflow.routing.rules import RoutingRules, Territory

DEFAULT_RULE = "default"


def route(rules: RoutingRules, facts: LeadFacts, score: Score) -> Routing:
    """The owner, the rule that decided, and every rule that was tried before it with the reason why not."""
    lead = Subject(facts.country, facts.headcount, facts.industry, score.tier)
    tried: list[tuple[Territory, str]] = []
    for territory in rules.territories:
        why_not = obstacle(territory, lead)
        if why_not is None:
            rule, reason = f"territory:{territory.name}", described(territory, lead)
            return _decided(rules, territory.owner, rule, reason, tried)
        tried.append((territory, why_not))
    reason = "country is not known" if facts.country is None else f"no territory fits country {facts.country}"
    return _decided(rules, rules.default_owner, DEFAULT_RULE, reason, tried)


def _decided(
    rules: RoutingRules, owner_id: str, rule: str, reason: str, tried: Sequence[tuple[Territory, str]]
) -> Routing:
    owner = rules.rep(owner_id)
    path = [f"territory:{territory.name}: no, {why_not}" for territory, why_not in tried]
    passed_over = {territory.owner: f"{territory.name}: {why_not}" for territory, why_not in reversed(tried)}
    passed_over.pop(owner_id, None)
    others = (Candidate(rep_id=rep, chosen=False, reason=why) for rep, why in reversed(passed_over.items()))
    return Routing(
        owner_id=owner.id,
        owner_name=owner.name,
        rule=rule,
        reason=reason,
        path=(*path, f"{rule}: yes, {reason}"),
        candidates=(*others, Candidate(rep_id=owner.id, chosen=True, reason="")),
        policy_version=rules.version,
    )
