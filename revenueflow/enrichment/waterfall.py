"""Asks all providers about one lead, at the same time and within one time budget.

A provider that fails, hangs or has nothing costs its signals, never the lead: the result names what was
missed.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from revenueflow.domain.base import Value
from revenueflow.domain.evidence import Evidence, Signal
from revenueflow.enrichment.base import EnrichmentProvider, Findings, Status, Subject, evidence_id
from revenueflow.errors import UpstreamError
from revenueflow.resilience.http import counting

FAILED = "failed"
REASONS = {Status.NOT_FOUND: "not_found", Status.PENDING: "pending", Status.SKIPPED: "no_domain"}


class Missed(Value):
    """One signal that a provider might have given and did not. `path` is set where a value was refused."""

    provider: str
    signal: Signal
    reason: str
    path: str | None = None


class Report(Value):
    """How it went with one provider.

    `outcome` is found, not_found, pending, skipped or failed, `reason` says why it failed; `calls` are HTTP
    requests that were sent, `cost` is in US dollars, None while it is not known; `retry_after` is in seconds.
    """

    provider: str
    outcome: str
    reason: str | None = None
    seconds: float
    calls: int
    cost: float | None = None
    retry_after: float | None = None


class Enriched(Value):
    """All that the providers gave, in the order in which they are listed."""

    evidence: tuple[Evidence, ...] = ()
    missed: tuple[Missed, ...] = ()
    reports: tuple[Report, ...] = ()

    @property
    def signals_missed(self) -> tuple[Signal, ...]:
        """The signals that nobody gave, though somebody might have."""
        known = {item.signal for item in self.evidence}
        return tuple(sorted({item.signal for item in self.missed} - known))

    @property
    def pending(self) -> float | None:
        """Seconds after which to ask again, if a provider is still looking."""
        waits = [report.retry_after or 0.0 for report in self.reports if report.outcome == Status.PENDING]
        return min(waits, default=None)


class Result(NamedTuple):
    """What came of asking one provider."""

    provider: EnrichmentProvider
    findings: Findings
    report: Report


async def enrich(
    subject: Subject,
    providers: Sequence[EnrichmentProvider],
    *,
    run_key: str,
    now: datetime,
    budget_seconds: float = 10.0,
) -> Enriched:
    """Evidence about `subject`, fetched at `now`. Repeated with the same `run_key` it has the same ids."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(ask(provider, subject, budget_seconds)) for provider in providers]
    results = [task.result() for task in tasks]
    return Enriched(
        evidence=tuple(item for result in results for item in _evidence(result, subject, run_key, now)),
        missed=tuple(item for result in results for item in _missed(result)),
        reports=tuple(result.report for result in results),
    )


async def ask(provider: EnrichmentProvider, subject: Subject, budget_seconds: float) -> Result:
    """The findings of one provider; if it fails there are none, and the report says why."""
    findings = Findings(status=Status.NOT_FOUND)
    outcome, reason, wait = FAILED, None, None
    begun = time.monotonic()
    with counting() as calls:
        try:
            async with asyncio.timeout(budget_seconds):
                findings = await provider.find(subject)
            outcome, wait = findings.status.value, findings.retry_after
        except UpstreamError as error:
            reason, wait = error.reason, error.retry_after
        except TimeoutError:
            reason = "time_budget"
    report = Report(
        provider=provider.name,
        outcome=outcome,
        reason=reason,
        seconds=round(time.monotonic() - begun, 6),
        calls=calls.sent,
        retry_after=wait,
    )
    return Result(provider, findings, report)


def _evidence(result: Result, subject: Subject, run_key: str, now: datetime) -> list[Evidence]:
    name, trust = result.provider.name, result.provider.trust
    return [
        Evidence(
            id=evidence_id(subject.lead_id, run_key, name, fact.signal, fact.path),
            provider=name,
            signal=fact.signal,
            path=fact.path,
            value=fact.value,
            fetched_at=now,
            trust=trust,
        )
        for fact in result.findings.facts
    ]


def _missed(result: Result) -> list[Missed]:
    name = result.provider.name
    if result.report.outcome == Status.FOUND:
        return [
            Missed(provider=name, signal=item.signal, reason=item.reason, path=item.path)
            for item in result.findings.refused
        ]
    reason = result.report.reason or REASONS[result.findings.status]
    return [Missed(provider=name, signal=signal, reason=reason) for signal in sorted(result.provider.signals)]
