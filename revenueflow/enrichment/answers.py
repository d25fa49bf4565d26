"""What came of asking one provider one question, for one lead."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Protocol
from uuid import UUID

from revenueflow.domain.base import Value
from revenueflow.enrichment.base import Findings
from revenueflow.enrichment.plan import Wanted


class Origin(StrEnum):
    """Where an answer is from. `stale`: the provider failed, and this is older than it should be."""

    CALL = "call"
    CACHE = "cache"
    STALE = "stale"
    NONE = "none"


class Report(Value):
    """How one question went. `cost` is in US dollars and this lead's own: an answer that was there already costs none.

    `outcome` is found, not_found, pending or failed, `reason` says why it failed. `answered_at` is when the provider
    said it, not when this lead got it; `seconds` is what it waited, `retry_after` how many to wait until asking again.
    """

    provider: str
    lookup: str
    outcome: str
    reason: str | None = None
    origin: Origin = Origin.NONE
    answered_at: datetime | None = None
    seconds: float = 0.0
    cost: float = 0.0
    retry_after: float | None = None


class Answered(NamedTuple):
    """The findings, and how they came about; None if there are none."""

    findings: Findings | None
    report: Report


class Asking(Protocol):
    """Whoever answers: from what is kept already, or by a paid call."""

    async def ask(self, wanted: Wanted, campaign_id: str, run: UUID, seconds: float) -> Answered:
        """The answer for a run of a lead, if it comes within `seconds`. What a provider fails in is in the report."""
