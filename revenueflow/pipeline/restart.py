"""Setting leads going again that a person has looked at."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from revenueflow.audit import trail
from revenueflow.db import jobs, leads, steps
from revenueflow.db.session import Session
from revenueflow.domain.lead import LeadStatus
from revenueflow.domain.outcome import AuditEntry
from revenueflow.mcp import ledger
from revenueflow.pipeline.steps import STEPS


async def restart(session: Session, job_ids: Sequence[UUID], *, actor: str) -> list[UUID]:
    """Makes parked and dead jobs ready again, from the step where they stopped; returns those that were.

    A job whose lead has another live run, or had a later one, is left alone. Writes that the CRM had refused may be
    tried again.
    """
    reopened = await jobs.reopen(session, job_ids)
    await steps.forget(session, [job["id"] for job in reopened if job["step"] == STEPS[0].name])
    await ledger.plan_again(session, [job["id"] for job in reopened], actor=actor)
    for job in reopened:
        await leads.change(session, job["lead_id"], {"status": LeadStatus.PROCESSING.value})
        subject = trail.Subject(job["lead_id"], job["id"], job["trace_id"])
        await trail.append(session, subject, [AuditEntry("job.retried", "done", actor=actor)])
    return [job["id"] for job in reopened]
