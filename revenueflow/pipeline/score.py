"""Score: points for what is known of the lead, and for what the surviving claims say."""

from __future__ import annotations

from revenueflow.analysis import prompt
from revenueflow.domain.base import Value
from revenueflow.domain.headcounts import band
from revenueflow.domain.lead import Lead
from revenueflow.domain.naics import naics
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
        "facts": {name: _shown(facts, name) for name in facts.why},
    }
    return Done(Scored(score=score, facts=facts), Changes(columns, audit=(AuditEntry("lead.scored", "done", detail),)))


def _shown(facts: LeadFacts, name: str) -> dict[str, object]:
    """A fact as people and files see it: the value, why it was chosen, from what, and its usual groups."""
    value = getattr(facts, name)
    told = {"value": value, "why": facts.why[name], "evidence": facts.evidence.get(name, ())}
    if name == "industry":
        return told | {"naics": naics().code(value)}
    return told | {"band": band(value)} if name == "headcount" else told
