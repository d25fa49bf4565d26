"""What an earlier answer is worth now. Pure: the times are the database's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from revenueflow.db.lookups import Kept
from revenueflow.enrichment.base import Findings, Status


@dataclass(frozen=True, slots=True)
class Known:
    """An answer, and when it was given."""

    findings: Findings
    answered_at: datetime


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


def judge(kept: Kept | None, now: datetime, *, good_for: timedelta, not_found_for: timedelta) -> Known | Wait | Due:
    """What is known is used; else what is under way is waited for; else it is asked."""
    if kept is None:
        return Due()
    known = last(kept)
    if known and now - known.answered_at < _lasts(known, good_for, not_found_for):
        return known
    if kept.state == "asking" and kept.lease_until and kept.lease_until > now:
        return Wait((kept.lease_until - now).total_seconds(), busy=True)
    if kept.state == "pending" and kept.ask_again_at and kept.ask_again_at > now:
        return Wait((kept.ask_again_at - now).total_seconds(), busy=False)
    return Due(known, abandoned=kept.state == "asking")


def last(kept: Kept) -> Known | None:
    """The last answer, however old."""
    if kept.findings is None or kept.answered_at is None:
        return None
    return Known(_findings(kept.findings), kept.answered_at)


@lru_cache(maxsize=1024)
def _findings(text: str) -> Findings:
    """Leads of one company come together: what is known of it is read once."""
    return Findings.model_validate_json(text)


def _lasts(known: Known, good_for: timedelta, not_found_for: timedelta) -> timedelta:
    return good_for if known.findings.status is Status.FOUND else min(good_for, not_found_for)
