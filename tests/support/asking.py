"""A waterfall without a database: each question is a call."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from revenueflow import defaults
from revenueflow.enrichment.answers import Answered, Origin, Report
from revenueflow.enrichment.base import EnrichmentProvider, Question
from revenueflow.enrichment.plan import Wanted
from revenueflow.enrichment.rules import EnrichmentRules
from revenueflow.enrichment.waterfall import Waterfall
from revenueflow.errors import UpstreamError

NOW = datetime(2026, 11, 21, tzinfo=UTC)


class Straight:
    """Asks the providers, and keeps nothing."""

    def __init__(self, providers: Sequence[EnrichmentProvider]) -> None:
        self._providers = {one.name: one for one in providers}
        self.asked: list[tuple[str, str, str]] = []

    async def ask(self, wanted: Wanted, _: str, __: UUID, seconds: float) -> Answered:
        """One call."""
        self.asked.append((wanted.provider, wanted.lookup.name, wanted.key))
        provider = self._providers[wanted.provider]
        about = {"provider": wanted.provider, "lookup": wanted.lookup.name}
        try:
            async with asyncio.timeout(seconds):
                (findings,) = await provider.look_up(wanted.lookup, [Question(wanted.key)])
        except (UpstreamError, TimeoutError) as error:
            reason = getattr(error, "reason", "time_budget")
            return Answered(None, Report(**about, outcome="failed", reason=reason))
        report = Report(
            **about,
            outcome=findings.status.value,
            origin=Origin.CALL,
            answered_at=NOW,
            retry_after=findings.retry_after,
            cost=0.1,
        )
        return Answered(findings, report)


def straight(providers: Sequence[EnrichmentProvider], rules: EnrichmentRules | None = None) -> Waterfall:
    """The waterfall of these providers, by our rules unless others are given."""
    offers, trusts = {one.name: one.lookups for one in providers}, {one.name: one.trust for one in providers}
    return Waterfall(rules or defaults.load(EnrichmentRules, "enrichment.toml"), offers, trusts, Straight(providers))
