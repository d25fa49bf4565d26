"""Analyse: a model reads the evidence and writes claims. If none answers, the rules do."""

from __future__ import annotations

from revenueflow.analysis import chain, prompt
from revenueflow.analysis.chain import Failure
from revenueflow.domain.base import Value
from revenueflow.domain.claim import Analysis
from revenueflow.domain.lead import Lead
from revenueflow.domain.outcome import AuditEntry, Changes, Done, Outcome
from revenueflow.pipeline.context import Context
from revenueflow.pipeline.enrich import Enriched
from revenueflow.telemetry import metrics


class Analysed(Value):
    """The claims as they were made, unchecked, and who failed to make any."""

    analysis: Analysis
    failures: tuple[Failure, ...] = ()
    prompt_sha256: str


async def step(_: Lead, context: Context) -> Outcome:
    """Asks the analysts in order. What they answer is a proposal: nothing of it counts before it is grounded."""
    services = context.services
    asked = prompt.build(context.result(Enriched).evidence, services.prompt)
    analysis, failures = await chain.analyse(asked, services.analysts)
    for kind, count in (("input", analysis.input_tokens), ("output", analysis.output_tokens)):
        metrics.tokens.labels(analysis.model, kind).inc(count)
    analysed = Analysed(analysis=analysis, failures=failures, prompt_sha256=asked.sha256)
    return Done(analysed, Changes(audit=(_entry(analysed),)))


def _entry(analysed: Analysed) -> AuditEntry:
    analysis = analysed.analysis
    detail = {
        "analyst": analysis.analyst,
        "model": analysis.model,
        "prompt_version": analysis.prompt_version,
        "prompt_sha256": analysed.prompt_sha256,
        "claims": len(analysis.claims),
        "failures": [f"{failure.analyst}:{failure.reason}" for failure in analysed.failures],
    }
    return AuditEntry("lead.analysed", "done", detail)
