"""What an earlier answer is worth now. Pure: the times are the database's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from uuid import UUID

from revenueflow.db.lookups import Kept
from revenueflow.enrichment.base import Findings, Status


@dataclass(frozen=True, slots=True)
class Known:
    """An answer, when it was given, and what it cost (US dollars) the run that paid."""

    findings: Findings
    answered_at: datetime
    cost: float = 0.0
    paid_by: UUID | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """It was asked a moment ago, and failed: nobody asks again yet. It may have cost something, as in Known."""

    reason: str
    stale: Known | None
    cost: float = 0.0
    paid_by: UUID | None = None


@dataclass(frozen=True, slots=True)
class Wait:
    """Ask again after so many seconds. `busy`: somebody else is asking now; else the provider is looking."""

    seconds: float
    busy: bool


@dataclass(frozen=True, slots=True)
class Due:
    """It has to be asked. `abandoned`: whoever asked last never told how it ended; it counts as paid."""

    stale: Known | None = None
    abandoned: bool = False


Verdict = Known | Wait | Failed | Due


@dataclass(frozen=True, slots=True)
class Lasting:
    """How long an answer is used: one that was found, "nobody of that name", and either where the provider fails."""

    found: timedelta
    not_found: timedelta
    stale: timedelta

    def is_fresh(self, known: Known, now: datetime) -> bool:
        """Whether it is used without asking."""
        found = known.findings.status is Status.FOUND
        return now - known.answered_at < (self.found if found else min(self.found, self.not_found))

    def is_usable(self, known: Known, now: datetime) -> bool:
        """Whether it is better than nothing."""
        return now - known.answered_at < self.stale


def judge(kept: Kept | None, now: datetime, lasting: Lasting) -> Verdict:
    """What is known is used; else what is under way is waited for; else it is asked."""
    if kept is None:
        return Due()
    known = last(kept)
    if known and lasting.is_fresh(known, now):
        return known
    stale = known if known and lasting.is_usable(known, now) else None
    if kept.state == "asking" and kept.lease_until and kept.lease_until > now:
        return Wait((kept.lease_until - now).total_seconds(), busy=True)
    if kept.state == "pending" and kept.ask_again_at and kept.ask_again_at > now:
        return Wait((kept.ask_again_at - now).total_seconds(), busy=False)
    if kept.state == "idle" and kept.reason and kept.ask_again_at and kept.ask_again_at > now:
        return Failed(kept.reason, stale, float(kept.cost), kept.paid_by)
    return Due(stale, abandoned=kept.state == "asking")


def last(kept: Kept) -> Known | None:
    """The last answer, however old."""
    if kept.findings is None or kept.answered_at is None:
        return None
    if kept.reason:  # what it cost is what the failure cost
        return Known(_findings(kept.findings), kept.answered_at)
    return Known(_findings(kept.findings), kept.answered_at, float(kept.cost), kept.paid_by)


@lru_cache(maxsize=1024)
def _findings(text: str) -> Findings:
    """Leads of one company come together: what is known of it is read once."""
    return Findings.model_validate_json(text)
