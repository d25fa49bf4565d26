"""Enrich: gathers evidence about the company and the person, from the form and from providers."""

from __future__ import annotations

from datetime import timedelta

from revenueflow.domain.base import Value
from revenueflow.domain.evidence import Evidence
from revenueflow.domain.lead import Lead
from revenueflow.domain.outcome import AuditEntry, Changes, Done, Outcome, Snooze
from revenueflow.enrichment import waterfall
from revenueflow.enrichment.answers import Report
from revenueflow.enrichment.domains import subject_of
from revenueflow.enrichment.form import form_evidence
from revenueflow.enrichment.waterfall import Missed
from revenueflow.pipeline.context import Context
from revenueflow.privacy.masking import Mask

LEAST_SNOOZE = 0.5
"""Seconds."""


class Enriched(Value):
    """All evidence of this run, in the order in which it is numbered, and what was missed. `cost`: US dollars."""

    evidence: tuple[Evidence, ...]
    missed: tuple[Missed, ...] = ()
    reports: tuple[Report, ...] = ()
    completeness: int = 0
    cost: float = 0.0


async def step(lead: Lead, context: Context) -> Outcome:
    """Asks the providers by the waterfall; one that is still looking is asked again later, and only that one."""
    services, run_key = context.services, str(context.lease.job_id)
    form = form_evidence(lead, run_key=run_key, vocabulary=context.services.vocabulary)
    patient = context.now - lead.received_at < timedelta(seconds=services.waterfall.rules.patience_seconds)
    found = await services.waterfall.enrich(
        lead, subject_of(lead), run=context.lease.job_id, form=form, patient=patient
    )
    if found.pending is not None and patient:
        return Snooze(context.now + timedelta(seconds=max(LEAST_SNOOZE, found.pending)), "vendor_pending")
    mask = Mask(lead.email, lead.phone, lead.name)
    enriched = Enriched(
        evidence=(*form, *map(mask.evidence, found.evidence)),
        missed=found.missed,
        reports=found.reports,
        completeness=found.completeness,
        cost=found.cost,
    )
    return Done(enriched, _changes(enriched, found))


def _changes(enriched: Enriched, found: waterfall.Enriched) -> Changes:
    detail = {
        "evidence": len(enriched.evidence),
        "providers": {f"{one.provider}.{one.lookup}": one.reason or one.outcome for one in enriched.reports},
        "completeness": enriched.completeness,
        "cost_usd": f"{enriched.cost:.6f}",
    }
    return Changes(
        lead={
            "signals_missed": [signal.value for signal in found.signals_missed],
            "completeness": enriched.completeness,
            "cost": enriched.cost,
        },
        evidence=enriched.evidence,
        audit=(AuditEntry("lead.enriched", "done", detail),),
    )
