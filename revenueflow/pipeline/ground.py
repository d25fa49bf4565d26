"""Ground: every claim is held against the evidence. Only what the evidence says goes on."""

from __future__ import annotations

from collections import Counter
from hashlib import sha256

import orjson

from revenueflow.analysis import prompt
from revenueflow.clock import utcnow
from revenueflow.domain.base import Value
from revenueflow.domain.claim import AnalysisVerdict, JudgedClaim, Judgement
from revenueflow.domain.lead import Lead
from revenueflow.domain.outcome import AuditEntry, Changes, Done, Outcome
from revenueflow.grounding.effect import weigh
from revenueflow.grounding.validator import judge
from revenueflow.pipeline.analyse import Analysed
from revenueflow.pipeline.context import Context
from revenueflow.pipeline.enrich import Enriched
from revenueflow.telemetry import metrics


class Grounded(Value):
    """The judged analysis."""

    judgement: Judgement


async def step(_: Lead, context: Context) -> Outcome:
    """Judges each claim, then computes fit and intent from the claims that survived.

    The time of the run counts in whole days (age of evidence, "next quarter"); of two runs only one is kept.
    """
    services = context.services
    numbered = prompt.numbered(context.result(Enriched).evidence)
    now = utcnow()
    claims = context.result(Analysed).analysis.claims
    judged = judge(claims, numbered, services.vocabulary, services.grounding, now=now)
    judgement = weigh(judged, numbered, services.grounding, now)
    _count(judgement)
    changes = Changes(
        lead={
            "analysis_verdict": judgement.verdict.value,
            "fit": judgement.fit,
            "intent": judgement.intent.value,
        },
        claims=judged,
        audit=(_entry(judgement),),
    )
    return Done(Grounded(judgement=judgement), changes)


def _count(judgement: Judgement) -> None:
    metrics.analyses.labels(judgement.verdict.value).inc()
    for judged in judgement.claims:
        metrics.claims.labels(judged.verdict.verdict.value, judged.verdict.decided_by).inc()


def _told(judged: JudgedClaim) -> dict[str, str]:
    verdict = judged.verdict
    return {
        "claim": judged.claim.id,
        "field": judged.claim.field.value,
        "verdict": verdict.verdict.value,
        "check": verdict.decided_by,
    }


def _digest(judgement: Judgement) -> str:
    """Binds the claims and verdicts that are stored elsewhere to the trail, which nobody can change."""
    claims = [judged.model_dump(mode="json") for judged in judgement.claims]
    return sha256(orjson.dumps(claims, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _entry(judgement: Judgement) -> AuditEntry:
    verdicts = Counter(judged.verdict.verdict.value for judged in judgement.claims)
    outcome = "rejected" if judgement.verdict is AnalysisVerdict.REJECTED else "done"
    detail = {
        "verdict": judgement.verdict.value,
        "claims": dict(verdicts),
        "fit": judgement.fit,
        "intent": judgement.intent.value,
        "judged": [_told(judged) for judged in judgement.claims],
        "claims_sha256": _digest(judgement),
    }
    return AuditEntry("lead.grounded", outcome, detail)
