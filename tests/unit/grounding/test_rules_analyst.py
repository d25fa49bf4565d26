"""What the rules analyst writes passes the same validator as a model's answer."""

from __future__ import annotations

from revenueflow import defaults
from revenueflow.analysis.models.rules import Rules
from revenueflow.analysis.prompt import PromptTemplate, build
from revenueflow.domain.claim import AnalysisVerdict, ClaimField
from revenueflow.domain.lead import Intent
from revenueflow.grounding.effect import weigh
from revenueflow.grounding.validator import judge
from tests.unit.grounding.lead import FETCHED, LEAD, piece, rules, vocabulary

PLANS = (
    ClaimField.PRODUCT_LAUNCH,
    ClaimField.USE_CASE,
    ClaimField.BUDGET,
    ClaimField.TIMELINE,
    ClaimField.COMPETITOR,
)
"""What only a reader can tell."""


async def test_every_claim_by_rule_is_supported() -> None:
    more = {
        "E17": piece("clearbit", "city", "Köln"),
        "E18": piece("pipe0", "job_postings", ["Buyer", "Welder (m/w/d)"]),
    }
    lead = LEAD | more
    prompt = build(lead.values(), PromptTemplate.parse(defaults.text("prompts/analyse.md")))
    assert prompt.evidence == lead
    analysis = await Rules(vocabulary()).analyse(prompt)
    judged = judge(analysis.claims, prompt.evidence, vocabulary(), rules())
    fallen = [(one.claim.statement, one.verdict.decided_by) for one in judged if not one.supported]
    assert fallen == []
    assert {claim.field for claim in analysis.claims} == set(ClaimField) - {
        ClaimField.DEPARTMENT,
        ClaimField.TECHNOLOGY_ABSENT,
        ClaimField.OTHER,
        *PLANS,
    }
    judgement = weigh(judged, prompt.evidence, rules(), FETCHED)
    assert (judgement.verdict, judgement.intent) == (AnalysisVerdict.VALID, Intent.HIGH)
    assert 60 <= judgement.fit <= 100
