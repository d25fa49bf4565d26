"""A second opinion on the claims that no check could decide: one question to a model, which may fail without harm."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from revenueflow.analysis import chain, opinions
from revenueflow.analysis.base import Asker
from revenueflow.analysis.chain import Answered, Failure
from revenueflow.analysis.opinions import Opinions
from revenueflow.domain.base import Value
from revenueflow.domain.claim import Claim, JudgedClaim
from revenueflow.domain.evidence import Evidence
from revenueflow.domain.lead import Lead
from revenueflow.domain.opinion import Source
from revenueflow.grounding.decision import SECOND_OPINION
from revenueflow.grounding.opinion import hear, undecided
from revenueflow.pipeline.context import Context
from revenueflow.privacy.masking import Mask


class SecondOpinion(Value):
    """What was asked and what came of it: ids of claims that were `asked` about, and of those that it decided.

    `analyst` and `model` are None where none answered. Tokens and cost (US dollars) are those of this run.
    """

    analyst: str | None = None
    model: str | None = None
    prompt_version: str
    prompt_sha256: str
    asked: tuple[str, ...]
    decided: tuple[str, ...] = ()
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float = 0.0
    cached: bool = False
    failures: tuple[Failure, ...] = ()


async def heard(
    judged: tuple[JudgedClaim, ...], numbered: Mapping[str, Evidence], lead: Lead, context: Context
) -> tuple[tuple[JudgedClaim, ...], SecondOpinion | None]:
    """The claims with what an opinion changes; None if nobody was asked. Raises Underway and Unavailable."""
    mask = Mask(lead.email, lead.phone, lead.name)
    claims = [one.claim for one in undecided(judged) if opinions.may_leave(one.claim, mask)]
    if not claims or not context.services.opinions:
        return judged, None
    prompt = context.services.opinion_prompt
    question = opinions.build(claims, numbered, prompt, mask)
    asker = Asker(lead.id, context.lease.job_id)
    answered, failures = await chain.ask(question, context.services.opinions, asker, opinions.read)
    told = SecondOpinion(
        prompt_version=prompt.version,
        prompt_sha256=question.sha256,
        asked=tuple(claim.id for claim in claims),
        failures=failures,
    )
    if answered is None:
        return judged, told
    after = _after(judged, answered, claims, numbered, context)
    decided = tuple(one.claim.id for one in after if one.verdict.decided_by == SECOND_OPINION)
    return after, told.model_copy(update={**_of(answered), "decided": decided})


def _after(
    judged: tuple[JudgedClaim, ...],
    answered: Answered[Opinions],
    claims: list[Claim],
    numbered: Mapping[str, Evidence],
    context: Context,
) -> tuple[JudgedClaim, ...]:
    services = context.services
    asked = {claim.id for claim in claims}
    given = [one for one in answered.told.answer.each() if one.claim_id in asked]
    source = Source(model=answered.model, prompt_version=services.opinion_prompt.version)
    return hear(judged, given, source, numbered, services.vocabulary, services.grounding, context.now)


def _of(answered: Answered[Opinions]) -> dict[str, Any]:
    told = answered.told
    paid = {**told.usage._asdict(), "cost_usd": told.cost_usd, "cached": told.cached}
    return {"analyst": answered.analyst, "model": answered.model, **paid}
