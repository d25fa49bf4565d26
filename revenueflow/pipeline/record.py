"""Record: writes the lead, its score and its owner to the CRM, through the guard and no other way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from pydantic import JsonValue

from revenueflow.analysis import prompt
from revenueflow.db.steps import claim_id
from revenueflow.domain.base import Value
from revenueflow.domain.claim import ClaimField, JudgedClaim
from revenueflow.domain.evidence import Evidence, Signal
from revenueflow.domain.lead import Lead
from revenueflow.domain.outcome import Changes, Done, Outcome
from revenueflow.domain.scoring import Score
from revenueflow.domain.text import harmless, neutral_cell
from revenueflow.domain.vocabulary import Vocabulary
from revenueflow.grounding.effect import said_of_itself
from revenueflow.grounding.same import same_value
from revenueflow.pipeline.context import Context
from revenueflow.pipeline.enrich import Enriched
from revenueflow.pipeline.ground import Grounded
from revenueflow.pipeline.route import Routed
from revenueflow.pipeline.score import Scored
from revenueflow.pipeline.writing import unfinished, write

GROUNDED = (ClaimField.INDUSTRY, ClaimField.HEADCOUNT)
TEXTS = ("name", "company", "title", "source")
LONGEST = 8000
LONGEST_VALUE = 120
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
    grounded, scored = context.result(Grounded), context.result(Scored).score
    routing = context.result(Routed).routing
    evidence = prompt.numbered(context.result(Enriched).evidence)
    carried = _carried(grounded.judgement.supported, evidence)
    claims = {f"/{field}": claim_id(context.lease.job_id, judged.claim.id) for field, judged in carried.items()}
    values = {field.value: _value(one, evidence, context.services.vocabulary) for field, one in carried.items()}
    yield "upsert_lead", {**_own(lead), **values, "summary": _summary(grounded)}, claims
    yield "set_lead_score", _score(scored), {}
    owner = {"owner_id": routing.owner_id, "owner_name": routing.owner_name}
    yield "assign_owner", {**owner, "reason": f"{routing.rule}: {harmless(routing.reason, LONGEST)}"[:LONGEST]}, {}


def _own(lead: Lead) -> dict[str, Any]:
    """The lead's own fields; texts such that neither a page nor a spreadsheet takes them for more than text."""
    given = lead.model_dump(
        include={"campaign_id", "email", "name", "phone", "company", "domain", "title", "country", "source"}
    )
    texts = {name: neutral_cell(harmless(given[name], 499)) for name in TEXTS if given[name]}
    return {field: value[:500] if value else value for field, value in (given | texts).items()}


def _carried(supported: tuple[JudgedClaim, ...], evidence: Mapping[str, Evidence]) -> dict[ClaimField, JudgedClaim]:
    """The claim that carries each grounded field: the surest of those that more supports than what the company, or the
    person, says of itself.
    """
    carried: dict[ClaimField, JudgedClaim] = {}
    for judged in sorted(supported, key=lambda one: one.verdict.score):
        if judged.claim.field in GROUNDED and not said_of_itself(judged, evidence):
            carried[judged.claim.field] = judged
    return carried


def _value(judged: JudgedClaim, evidence: Mapping[str, Evidence], vocabulary: Vocabulary) -> JsonValue:
    """The value that was compared, not what a model wrote around it; None if that can't be written.

    An industry is in the words of the evidence that is cited, unless a person has put it right.
    """
    claimed, field = judged.claim.value, judged.claim.field
    pieces = (evidence[name] for name in judged.verdict.citations)
    said = [one.value for one in pieces if one.signal is Signal.INDUSTRY and field is ClaimField.INDUSTRY]
    for value in (*said, judged.verdict.expected, claimed):
        text = neutral_cell(harmless(value, LONGEST_VALUE)) if isinstance(value, str) else value
        if isinstance(text, int | str) and same_value(field.value, claimed, text, vocabulary):
            return text
    return None


def _summary(grounded: Grounded) -> str | None:
    if grounded.summary is None:
        return None
    return "\n".join([grounded.summary, "", *grounded.lines])[:LONGEST]


def _score(score: Score) -> dict[str, Any]:
    reason = "; ".join(f"{factor.name} {factor.points}/{factor.maximum}" for factor in score.factors)
    return {
        "score": score.total,
        "tier": score.tier.value,
        "intent": score.intent.value,
        "profile": score.profile,
        "reason": reason[:LONGEST],
    }
