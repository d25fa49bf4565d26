"""Record: writes the lead, its score and its owner to the CRM, through the guard and no other way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from revenueflow.db.steps import claim_id
from revenueflow.domain.base import Value
from revenueflow.domain.claim import ClaimField, JudgedClaim
from revenueflow.domain.lead import Lead
from revenueflow.domain.outcome import Changes, Done, Outcome
from revenueflow.domain.scoring import Score
from revenueflow.pipeline.context import Context
from revenueflow.pipeline.ground import Grounded
from revenueflow.pipeline.route import Routed
from revenueflow.pipeline.score import Scored
from revenueflow.pipeline.writing import unfinished, write

GROUNDED = (ClaimField.INDUSTRY, ClaimField.HEADCOUNT)
Write = tuple[str, dict[str, Any], Mapping[str, UUID]]


class Recorded(Value):
    """The lead's id in the CRM."""

    crm_id: str | None
    actions: tuple[UUID, ...]


async def step(lead: Lead, context: Context) -> Outcome:
    """Makes the writes one after the other; those that were made before are not made again."""
    results = []
    for tool, args, claims in _writes(lead, context):
        result = await write(lead, context, tool, args, claims)
        if outcome := unfinished(result):
            return outcome
        results.append(result)
    crm_id = next((result.crm_id for result in results if result.crm_id), None)
    recorded = Recorded(crm_id=crm_id, actions=tuple(result.action_id for result in results if result.action_id))
    return Done(recorded, Changes({"crm_id": crm_id}))


def _writes(lead: Lead, context: Context) -> Iterator[Write]:
    judgement, scored = context.result(Grounded).judgement, context.result(Scored).score
    routing = context.result(Routed).routing
    carried = _carried(judgement.supported)
    claims = {f"/{field}": claim_id(context.lease.job_id, judged.claim.id) for field, judged in carried.items()}
    values = {field.value: judged.claim.value for field, judged in carried.items()}
    yield "upsert_lead", {**_own(lead), **values, "summary": _summary(judgement.supported)}, claims
    yield "set_lead_score", _score(scored), {}
    owner = {"owner_id": routing.owner_id, "owner_name": routing.owner_name}
    yield "assign_owner", {**owner, "reason": f"{routing.rule}: {routing.reason}"[:8000]}, {}


def _own(lead: Lead) -> dict[str, Any]:
    given = lead.model_dump(
        include={"campaign_id", "email", "name", "phone", "company", "domain", "title", "country", "source"}
    )
    return {field: value[:500] if value else value for field, value in given.items()}


def _carried(supported: tuple[JudgedClaim, ...]) -> dict[ClaimField, JudgedClaim]:
    """The claim that carries each grounded field: the surest of those that more than the form supports."""
    carried: dict[ClaimField, JudgedClaim] = {}
    for judged in sorted(supported, key=lambda one: one.verdict.score):
        if judged.claim.field in GROUNDED and not judged.verdict.self_reported_only:
            carried[judged.claim.field] = judged
    return carried


def _summary(supported: tuple[JudgedClaim, ...]) -> str | None:
    lines = [f"{one.claim.statement} [{', '.join(one.verdict.citations)}]" for one in supported]
    return "\n".join(lines)[:8000] or None


def _score(score: Score) -> dict[str, Any]:
    reason = "; ".join(f"{factor.name} {factor.points}/{factor.maximum}" for factor in score.factors)
    return {
        "score": score.total,
        "tier": score.tier.value,
        "intent": score.intent.value,
        "profile": score.profile,
        "reason": reason[:8000],
    }
