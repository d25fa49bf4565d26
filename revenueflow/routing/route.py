"""Who owns a lead: who owns the company already, named accounts, territories, else the default queue. Pure.

Every way shows: each rule that was tried and why not, each rep that was looked at and why not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from revenueflow.domain.companies import normal_company
from revenueflow.domain.scoring import Candidate, LeadFacts, Routing, Score
from revenueflow.routing.conditions import Subject, described, obstacle
from revenueflow.routing.existing import existing
from revenueflow.routing.reps import Rep
from revenueflow.routing.rules import OutOfHours, Owned, RoutingRules, Territory
from revenueflow.routing.selection import Sieve, Situation
from revenueflow.routing.turns import Rotation, next_turn

DEFAULT_RULE = "default"
NO_RULE, NOBODY = "no_rule", "nobody"
"""Why a lead is in the default queue: no rule is for it, or nobody that the rule names can take it."""


class Shortlist(NamedTuple):
    """The reps that are left, equally good; several take turns in the rotation `pool`. None left: the default queue."""

    rule: str
    reason: str
    reps: tuple[Rep, ...]
    pool: str
    path: tuple[str, ...]
    why_not: Mapping[str, str]
    queued: str | None = None


def route(
    rules: RoutingRules,
    facts: LeadFacts,
    score: Score,
    situation: Situation | None = None,
    rotation: Rotation | None = None,
) -> Routing:
    """The owner, the rule that decided, and every rule that was tried before it with the reason why not."""
    found = shortlist(rules, subject(facts, score), situation or Situation())
    return decided(rules, found, next_turn(rotation or Rotation(), found.reps).rep_id if found.reps else None)


def subject(facts: LeadFacts, score: Score) -> Subject:
    """What routing looks at, of what is known of a lead."""
    return Subject(
        facts.country, facts.headcount, facts.industry, score.tier,
        domain=facts.domain, company=facts.company, campaign=facts.campaign_id, unclear=frozenset(facts.unread),
    )  # fmt: skip


def shortlist(rules: RoutingRules, lead: Subject, situation: Situation) -> Shortlist:
    """Who should get a lead, by the first rule that fits."""
    sieve = Sieve(rules, lead, situation)
    return _existing(sieve) or _named(sieve) or _territory(sieve)


def decided(rules: RoutingRules, found: Shortlist, rep_id: str | None) -> Routing:
    """The decision for one of the shortlist; None is the default queue."""
    owner_id = rep_id or rules.default_owner
    owner = rules.by_id.get(owner_id)
    reason = f"{found.reason}, in turn with {len(found.reps) - 1} more" if len(found.reps) > 1 else found.reason
    turn = [f"turn: {owner_id} of {', '.join(rep.id for rep in found.reps)}"] if len(found.reps) > 1 else []
    others = dict(found.why_not) | {rep.id: "another's turn" for rep in found.reps}
    others.pop(owner_id, None)
    return Routing(
        owner_id=owner_id,
        owner_name=owner.name if owner else owner_id,
        rule=found.rule,
        reason=reason,
        path=(*found.path, *turn, f"{found.rule}: yes, {reason}"),
        candidates=(
            *(Candidate(rep_id=rep, chosen=False, reason=why) for rep, why in others.items()),
            Candidate(rep_id=owner_id, chosen=True, reason=""),
        ),
        policy_version=rules.version,
        queued=found.queued,
    )


def _existing(sieve: Sieve) -> Shortlist | None:
    found = existing(sieve)
    return _found(sieve, found.rule, found.reason, [found.rep]) if found else None


def _named(sieve: Sieve) -> Shortlist | None:
    accounts, lead = sieve.rules.accounts, sieve.lead
    if not accounts:
        return None
    keys = (
        lead.domain and f"domain {lead.domain.casefold()}",
        lead.company and f"company {normal_company(lead.company)}",
    )
    key = next((key for key in keys if key and key in accounts), None)
    if key is None:
        sieve.path.append("named account: no, neither domain nor company is listed")
        return None
    account = accounts[key]
    rule = f"named:{account.name}"
    reps = _best(sieve, account, sieve.rules.selection.out_of_hours)
    if not reps:
        sieve.path.append(f"{rule}: no, nobody of it can take the lead")
        return None
    return _found(sieve, rule, f"named by its {key.partition(' ')[0]}", reps)


def _territory(sieve: Sieve) -> Shortlist:
    rules, lead = sieve.rules, sieve.lead
    for territory in rules.territories:
        rule = f"territory:{territory.name}"
        why_not = obstacle(territory, lead)
        if why_not is None:
            reps = _best(sieve, territory, territory.out_of_hours or rules.selection.out_of_hours)
            reason = described(territory, lead)
            return _found(sieve, rule, reason, reps) if reps else _nobody(sieve, rule, reason)
        sieve.path.append(f"{rule}: no, {why_not}")
        for rep in _members(rules, territory):
            sieve.reject(rep, f"{territory.name}: {why_not}")
    reason = lead.unknown("country") if lead.country is None else f"no territory fits country {lead.country}"
    return Shortlist(DEFAULT_RULE, reason, (), DEFAULT_RULE, tuple(sieve.path), sieve.why_not, NO_RULE)


def _nobody(sieve: Sieve, rule: str, reason: str) -> Shortlist:
    sieve.path.append(f"{rule}: yes, {reason}; but nobody of it can take the lead")
    told = f"{rule} fits, nobody of it can take the lead"
    return Shortlist(DEFAULT_RULE, told, (), DEFAULT_RULE, tuple(sieve.path), sieve.why_not, NOBODY)


def _best(sieve: Sieve, rule: Owned, out_of_hours: OutOfHours) -> list[Rep]:
    """The reps of a rule that should get the lead; of what was said of them for other rules nothing is left."""
    members = _members(sieve.rules, rule)
    for rep in members:
        sieve.why_not.pop(rep, None)
    if isinstance(rule, Territory):
        members = _of_segment(sieve, members)
    return sieve.prefer(sieve.able(members), out_of_hours)


def _members(rules: RoutingRules, rule: Owned) -> tuple[str, ...]:
    return tuple(rule.named.values()) if rule.team is None else rules.team(rule.team)


def _of_segment(sieve: Sieve, members: tuple[str, ...]) -> tuple[str, ...]:
    if len(members) < 2:
        return members
    for segment in sieve.rules.segments:
        if obstacle(segment, sieve.lead):
            continue
        kept = tuple(rep for rep in members if rep in sieve.rules.team(segment.team))
        if kept and kept != members:
            sieve.path.append(f"segment {segment.name}: {', '.join(kept)}")
            for rep in members:
                if rep not in kept:
                    sieve.reject(rep, f"not of the team {segment.team}")
        return kept or members
    return members


def _found(sieve: Sieve, rule: str, reason: str, reps: list[Rep]) -> Shortlist:
    return Shortlist(rule, reason, tuple(reps), rule, tuple(sieve.path), sieve.why_not)
