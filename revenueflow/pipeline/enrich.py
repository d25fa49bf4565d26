"""Enrich: gathers evidence about the company, from the form and from data vendors."""

from __future__ import annotations

from datetime import timedelta

from revenueflow.domain.base import Value
from revenueflow.domain.evidence import Evidence
from revenueflow.domain.lead import Lead
from revenueflow.domain.outcome import AuditEntry, Changes, Done, Outcome, Snooze
from revenueflow.enrichment import waterfall
from revenueflow.enrichment.domains import subject_of
from revenueflow.enrichment.form import form_evidence
from revenueflow.enrichment.waterfall import Missed, Report
from revenueflow.pipeline.context import Context

# A vendor that says "pending" is asked again, but a lead does not wait for it for ever.
PATIENCE = timedelta(minutes=2)


class Enriched(Value):
    """All evidence of this run, in the order in which it is numbered, and what was missed."""

    evidence: tuple[Evidence, ...]
    missed: tuple[Missed, ...] = ()
    reports: tuple[Report, ...] = ()


async def step(lead: Lead, context: Context) -> Outcome:
    """Asks the vendors, at the same time and within the budget."""
    services, run_key = context.services, str(context.lease.job_id)
    found = await waterfall.enrich(
        subject_of(lead),
        services.providers,
        run_key=run_key,
        now=context.now,
        budget_seconds=services.enrichment_budget,
    )
    if found.pending is not None and context.now - lead.received_at < PATIENCE:
        return Snooze(context.now + timedelta(seconds=max(1.0, found.pending)), "vendor_pending")
    enriched = Enriched(
        evidence=(*form_evidence(lead, run_key=run_key), *found.evidence),
        missed=found.missed,
        reports=found.reports,
    )
    return Done(enriched, _changes(enriched, [signal.value for signal in found.signals_missed]))


def _changes(enriched: Enriched, missed: list[str]) -> Changes:
    detail = {
        "evidence": len(enriched.evidence),
        "providers": {report.provider: report.reason or report.outcome for report in enriched.reports},
    }
    return Changes(
        lead={"signals_missed": missed},
        evidence=enriched.evidence,
        audit=(AuditEntry("lead.enriched", "done", detail),),
    )
