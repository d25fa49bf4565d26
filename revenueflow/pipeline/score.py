"""Score: points for what is known of the lead, and for what the surviving claims say."""

from __future__ import annotations

from revenueflow.analysis import prompt
from revenueflow.domain.base import Value
from revenueflow.domain.lead import Lead
from revenueflow.domain.outcome import AuditEntry, Changes, Done, Outcome
from revenueflow.domain.scoring import LeadFacts, Score
from revenueflow.enrichment.facts import lead_facts
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
    services = context.services
    numbered = prompt.numbered(context.result(Enriched).evidence)
    overwrite = {signal: rule.overwrite for signal, rule in services.waterfall.rules.signals.items()}
    facts = lead_facts(lead, numbered, services.vocabulary, overwrite=overwrite)
    score = scoring.score(services.profile, facts, context.result(Grounded).judgement, services.vocabulary)
    detail = {"score": score.total, "tier": score.tier.value, "profile": score.profile}
    columns = {
        "score": score.total,
        "tier": score.tier.value,
        "profile": score.profile,
        "score_factors": [factor.model_dump(mode="json") for factor in score.factors],
        "facts": {
            name: {"value": getattr(facts, name), "why": why, "evidence": facts.evidence.get(name, ())}
            for name, why in facts.why.items()
        },
    }
    return Done(Scored(score=score, facts=facts), Changes(columns, audit=(AuditEntry("lead.scored", "done", detail),)))
