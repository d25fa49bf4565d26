"""Analyse: a model reads the evidence and writes claims. If none answers, the rules do."""

from __future__ import annotations

from datetime import datetime, timedelta

from revenueflow.analysis import chain, prompt
from revenueflow.analysis.base import Asker, Underway
from revenueflow.analysis.chain import Failure
from revenueflow.domain.base import Value
from revenueflow.domain.claim import Analysis
from revenueflow.domain.lead import Lead
from revenueflow.domain.outcome import AuditEntry, Changes, Done, Outcome, Snooze
from revenueflow.pipeline.context import Context
from revenueflow.pipeline.enrich import Enriched
from revenueflow.privacy.masking import Mask

AGAIN_SECONDS = 30.0
"""The least time from the rules' answer to the next question to a model."""


class Analysed(Value):
    """The claims as they were made, unchecked, and who failed to make any."""

    analysis: Analysis
    failures: tuple[Failure, ...] = ()
    prompt_sha256: str


async def step(lead: Lead, context: Context) -> Outcome:
    """Asks the analysts in order. What they answer is a proposal: nothing of it counts before it is grounded."""
    services = context.services
    offer = await services.offers.of(lead.campaign_id)
    asked = prompt.build(
        context.result(Enriched).evidence,
        services.prompt,
        mask=Mask(lead.email, lead.phone, lead.name),
        offer=offer.text,
    )
    asker = Asker(lead.id, context.lease.job_id)
    try:
        analysis, failures = await chain.analyse(asked, services.analysts, asker)
    except Underway as error:
        return Snooze(context.now + timedelta(seconds=error.retry_after or 1), "analysis_underway")
    analysed = Analysed(analysis=analysis, failures=failures, prompt_sha256=asked.sha256)
    return Done(analysed, Changes(audit=(_entry(analysed),)))


def again_at(analysed: Analysed, now: datetime) -> datetime | None:
    """From when on a model may be asked instead of the rules, if they stood in for one that failed."""
    failure = chain.outage(analysed.analysis, analysed.failures)
    return now + timedelta(seconds=max(AGAIN_SECONDS, failure.retry_after or 0.0)) if failure else None


def _entry(analysed: Analysed) -> AuditEntry:
    analysis = analysed.analysis
    detail = {
        "analyst": analysis.analyst,
        "model": analysis.model,
        "prompt_version": analysis.prompt_version,
        "prompt_sha256": analysed.prompt_sha256,
        "claims": len(analysis.claims),
        "cost_usd": f"{analysis.cost_usd:.6f}",
        "cached": analysis.cached,
        "failures": [f"{failure.analyst}:{failure.reason}" for failure in analysed.failures],
    }
    return AuditEntry("lead.analysed", "done", detail)
