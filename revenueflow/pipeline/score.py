"""Score: points for what is known of the lead, and for what the surviving claims say."""

from __future__ import annotations

from datetime import datetime

from revenueflow.analysis import prompt
from revenueflow.analysis.models.rules import NAME as RULES
from revenueflow.domain.base import Value
from revenueflow.domain.headcounts import band
from revenueflow.domain.lead import Lead
from revenueflow.domain.naics import naics
from revenueflow.domain.outcome import AuditEntry, Changes, Done, Outcome
from revenueflow.domain.scoring import LeadFacts, Score
from revenueflow.enrichment.facts import lead_facts
from revenueflow.pipeline.analyse import Analysed
from revenueflow.pipeline.capture import Captured
from revenueflow.pipeline.context import Context
from revenueflow.pipeline.enrich import Enriched
from revenueflow.pipeline.ground import Grounded
from revenueflow.scoring import score as scoring


class Scored(Value):
    """The score, and the facts that it and the routing look at."""

    score: Score
    facts: LeadFacts


async def step(lead: Lead, context: Context) -> Outcome:
    """Computes the score by the profile."""
    services, analysed = context.services, context.result(Analysed)
    numbered = prompt.numbered(context.result(Enriched).evidence)
    overwrite = {signal: rule.overwrite for signal, rule in services.waterfall.rules.signals.items()}
    facts = lead_facts(lead, numbered, services.vocabulary, overwrite=overwrite)
    facts = with_times(facts, lead, context.now, submissions=len(context.result(Captured).deliveries))
    offer = await services.offers.of(lead.campaign_id)
    profile = services.profiles.of(lead.campaign_id, offer.profile)
    judgement, is_modelled = context.result(Grounded).judgement, analysed.analysis.analyst != RULES
    score = scoring.score(profile, facts, judgement, services.vocabulary, is_modelled=is_modelled)
    columns = score_columns(score) | {"facts": {name: _shown(facts, name) for name in facts.why}}
    audit = AuditEntry("lead.scored", "done", told(score))
    return Done(Scored(score=score, facts=facts), Changes(columns, audit=(audit,), score=score))


def with_times(facts: LeadFacts, lead: Lead, now: datetime, *, submissions: int) -> LeadFacts:
    """The facts, with how old the lead is and how often it came in."""
    days = max(0, (now - lead.received_at).days)
    return facts.model_copy(update={"age_days": days, "engagement": {"submissions": submissions}})


def score_columns(score: Score) -> dict[str, object]:
    """A score as a lead's row has it."""
    return {
        "score": score.total,
        "tier": score.tier.value,
        "profile": score.profile,
        "score_factors": [factor.model_dump(mode="json") for factor in score.factors],
    }


def told(score: Score) -> dict[str, object]:
    """A score as the trail has it."""
    return {"score": score.total, "tier": score.tier.value, "profile": score.profile}


def _shown(facts: LeadFacts, name: str) -> dict[str, object]:
    """A fact as people and files see it: the value, why it was chosen, from what, and its usual groups."""
    value = getattr(facts, name)
    told = {"value": value, "why": facts.why[name], "evidence": facts.evidence.get(name, ())}
    if name == "industry":
        return told | {"naics": naics().code(value)}
    return told | {"band": band(value)} if name == "headcount" else told
