"""What a lead is told of its question: an answer with its origin, age and cost, or why there is none."""

from __future__ import annotations

from datetime import datetime

from revenueflow.clock import utcnow
from revenueflow.enrichment.answers import Answered, Origin, Report
from revenueflow.enrichment.base import Findings, Status
from revenueflow.enrichment.freshness import Failed, Known, Wait
from revenueflow.enrichment.ledger import Ask, Denied, Ended
from revenueflow.errors import UpstreamError
from revenueflow.telemetry import metrics

QUEUED_SECONDS = 2.0
"""After how long a lead comes back whose question could not be asked yet."""


def _report(ask: Ask, outcome: str, **more: object) -> Report:
    return Report.model_validate(
        {"provider": ask.wanted.provider, "lookup": ask.wanted.lookup.name, "outcome": outcome, **more}
    )


def _from_cache(ask: Ask, known: Known, origin: Origin = Origin.CACHE, reason: str | None = None) -> Answered:
    """What is kept. What this very run has paid for, before it had to wait, is on its account."""
    ours = known.paid_by == ask.run and origin is Origin.CACHE
    origin, cost = (Origin.CALL, known.cost) if ours else (origin, 0.0)
    outcome = known.findings.status.value
    report = _report(ask, outcome, origin=origin, answered_at=known.answered_at, reason=reason, cost=cost)
    return Answered(known.findings, report)


def _pending(ask: Ask, seconds: float, reason: str | None = None) -> Answered:
    return Answered(None, _report(ask, Status.PENDING.value, retry_after=seconds, reason=reason))


def failed(ask: Ask, error: UpstreamError, stale: Known | None, cost: float = 0.0) -> Answered:
    """What was said long ago is better than nothing; being too fast is only a matter of time."""
    if error.reason == "rate_limited" and not stale:
        return _pending(ask, error.retry_after or QUEUED_SECONDS, error.reason)
    return _without_answer(ask, error.reason, stale, cost)


def _without_answer(ask: Ask, reason: str, stale: Known | None, cost: float = 0.0) -> Answered:
    if stale:
        answered = _from_cache(ask, stale, Origin.STALE, reason)
        return answered._replace(report=answered.report.model_copy(update={"cost": cost}))
    return Answered(None, _report(ask, "failed", reason=reason, cost=cost))


def heard_of(ask: Ask, claim: Known | Wait | Failed | Denied | BaseException) -> Answered | Exception:
    """As `told`; an error of ours is handed on."""
    return _error(claim) if isinstance(claim, BaseException) else told(ask, claim)


def told(ask: Ask, claim: Known | Wait | Failed | Denied) -> Answered:
    """What a lead is told where nobody was called for it."""
    match claim:
        case Known():
            return _from_cache(ask, claim)
        case Wait():
            return _pending(ask, min(claim.seconds, QUEUED_SECONDS) if claim.busy else claim.seconds)
        case Failed(reason, stale, cost, paid_by):
            if reason == "rate_limited" and not stale:
                return _pending(ask, QUEUED_SECONDS, reason)
            return _without_answer(ask, reason, stale, cost if paid_by == ask.run else 0.0)
        case Denied(reason, stale):
            metrics.lookups_denied.labels(ask.wanted.provider, reason).inc()
            return _without_answer(ask, reason, stale)


def _error(error: BaseException) -> Exception:
    if isinstance(error, Exception):
        return error
    raise error


def answered(
    ended: Ended, found: Findings | UpstreamError, at: datetime | BaseException | None
) -> Answered | Exception:
    """What a lead is told after a call for it: `at` is when its answer was kept, or why it could not be."""
    ask, stale = ended.ask, ended.mine.stale
    if isinstance(at, BaseException):
        return _error(at)
    if isinstance(found, UpstreamError):
        return failed(ask, found, stale, float(ended.cost or 0))
    if found.status is Status.PENDING:
        return _pending(ask, found.retry_after or QUEUED_SECONDS)
    if found.status is Status.FAILED:
        return _without_answer(ask, found.reason or "failed", stale)
    report = _report(
        ask, found.status.value, origin=Origin.CALL, answered_at=at or utcnow(), cost=float(ended.cost or 0)
    )
    return Answered(found, report)


def out_of_time(ask: Ask, stale: Known | None, *, begun: bool) -> Answered:
    """The lead's time is over: what was not asked yet is asked later, what hangs is missed."""
    return _without_answer(ask, "time_budget", stale) if begun else _pending(ask, QUEUED_SECONDS, "queued")


def shared(answered: Answered) -> Answered:
    """The same answer for another lead that waited for it, and does not pay for it."""
    report = answered.report
    origin = Origin.CACHE if report.origin is Origin.CALL else report.origin
    return answered._replace(report=report.model_copy(update={"origin": origin, "cost": 0.0}))
