"""Ground: every claim is held against the evidence. Only what the evidence says goes on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from hashlib import sha256
from uuid import UUID

import orjson

from revenueflow.analysis import prompt
from revenueflow.analysis.base import Underway
from revenueflow.db import reviews
from revenueflow.domain.base import Value
from revenueflow.domain.claim import AnalysisVerdict, JudgedClaim, Judgement
from revenueflow.domain.lead import Lead
from revenueflow.domain.outcome import AuditEntry, Changes, Done, Outcome, Snooze
from revenueflow.domain.review import Decided, Questions
from revenueflow.grounding.effect import weigh
from revenueflow.grounding.reviewed import decided, questions
from revenueflow.grounding.summary import lines, summary
from revenueflow.grounding.validator import judge
from revenueflow.pipeline import analyse, second_opinion
from revenueflow.pipeline.analyse import Analysed
from revenueflow.pipeline.context import Context
from revenueflow.pipeline.enrich import Enriched
from revenueflow.pipeline.second_opinion import SecondOpinion
from revenueflow.telemetry import metrics


class Grounded(Value):
    """The judged analysis, and what people are told of it: made once, so that a repeated write says the same."""

    judgement: Judgement
    summary: str | None = None
    lines: tuple[str, ...] = ()
    opinion: SecondOpinion | None = None


async def step(lead: Lead, context: Context) -> Outcome:
    """Judges each claim, then computes fit and intent from the claims that survived.

    The time of the run counts in whole days (age of evidence, "next quarter"); of two runs only one is kept.
    """
    services = context.services
    numbered = prompt.numbered(context.result(Enriched).evidence)
    analysed, now = context.result(Analysed), context.now
    judged = judge(analysed.analysis.claims, numbered, services.vocabulary, services.grounding, now=now)
    judged = decided(judged, await _decisions(lead, context), numbered, services.vocabulary)
    try:
        judged, opinion = await second_opinion.heard(judged, numbered, lead, context)
    except Underway as error:
        return Snooze(now + timedelta(seconds=error.retry_after or 1), "opinion_underway")
    judgement = weigh(judged, numbered, services.grounding, now)
    _count(judgement)
    told = Grounded(
        judgement=judgement,
        summary=summary(judgement.supported, numbered, services.grounding, now),
        lines=lines(judgement.supported, numbered, now),
        opinion=opinion,
    )
    return Done(told, _changes(told, lead, context))


async def _decisions(lead: Lead, context: Context) -> list[Decided]:
    """What people have decided about claims of earlier runs: of a first run there are none."""
    if context.lease.run_version == 1:
        return []
    async with context.services.direct.connection() as connection:
        return await reviews.decisions(connection, lead.id)


def _changes(told: Grounded, lead: Lead, context: Context) -> Changes:
    judgement, asked = told.judgement, questions(told.judgement)
    analysed = context.result(Analysed)
    columns = {
        "analysis_verdict": judgement.verdict.value,
        "fit": judgement.fit,
        "intent": judgement.intent.value,
        "summary": told.summary,
        "cost": analysed.analysis.cost_usd + (told.opinion.cost_usd if told.opinion else 0.0),
        "reanalyse_at": analyse.again_at(analysed, context.now),
    }
    audit = (
        _entry(judgement),
        *_heard(told.opinion),
        *_opened(asked, reviews.review_id(lead.id, context.lease.run_version)),
    )
    return Changes(lead=columns, claims=judgement.claims, audit=audit, questions=asked)


def _opened(asked: Questions, review: UUID) -> Iterator[AuditEntry]:
    if asked.kind:
        detail = {"review": str(review), "kind": asked.kind.value, "claims": list(asked.questioned)}
        yield AuditEntry("review.opened", "open", detail)


def _heard(opinion: SecondOpinion | None) -> Iterator[AuditEntry]:
    if opinion:
        failures = [f"{failure.analyst}:{failure.reason}" for failure in opinion.failures]
        detail = opinion.model_dump(mode="json", exclude={"failures", "cost_usd"})
        detail |= {"failures": failures, "cost_usd": f"{opinion.cost_usd:.6f}"}
        yield AuditEntry("lead.second_opinion", "done" if opinion.analyst else "failed", detail)


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
