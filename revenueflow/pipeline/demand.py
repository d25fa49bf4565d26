"""Runs that somebody asks for: the lead goes through the pipeline again, and pays for nothing that is known."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from revenueflow.audit import trail
from revenueflow.db import jobs, lookups
from revenueflow.db.direct import Direct
from revenueflow.domain.lead import Lead
from revenueflow.domain.outcome import AuditEntry
from revenueflow.enrichment.domains import subject_of
from revenueflow.enrichment.keys import digests
from revenueflow.privacy.identity import IdentityKey


async def enrich(direct: Direct, leads: Sequence[UUID], *, actor: str, trace_id: str) -> None:
    """Wants a new run of each lead: at once, or after the one that is under way.

    A lead that waits for a person goes on waiting, and runs when it is set going again.
    """
    entry = AuditEntry("lead.enrichment_wanted", "done", actor=actor)
    async with direct.transaction() as connection:
        await jobs.want(connection, dict.fromkeys(leads, trace_id))
        events = [trail.row(trail.Subject(lead, None, trace_id), entry) for lead in leads]
        await trail.append_rows(connection, events)


async def forget_answers(direct: Direct, key: IdentityKey, lead: Lead) -> None:
    """Drops what providers have said of a lead and its company: the next run asks, and pays, again."""
    async with direct.transaction() as connection:
        await lookups.forget(connection, digests(key, subject_of(lead)))
