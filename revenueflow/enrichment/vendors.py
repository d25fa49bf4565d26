"""Calls to providers: within the limits of each, and not at all while its breaker is open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from limits import RateLimitItem
from redis.asyncio import Redis

from revenueflow.domain.evidence import Trust
from revenueflow.enrichment.base import EnrichmentProvider, Findings, Lookup, Question
from revenueflow.enrichment.plan import Offers
from revenueflow.enrichment.rules import EnrichmentRules, ProviderRule
from revenueflow.errors import UpstreamError, UpstreamRejected
from revenueflow.resilience.breaker import Breaker
from revenueflow.resilience.windows import Windows, windows_of

BROKEN = frozenset({"bad_key", "quota", "forbidden"})
"""Refusals that say nothing of the question: the next one would be refused too."""


class Vendors:
    """The providers that are set up, by name. `redis` and `windows` are shared with the other processes."""

    def __init__(
        self, providers: Sequence[EnrichmentProvider], rules: EnrichmentRules, redis: Redis, windows: Windows
    ) -> None:
        self._lines = {
            one.name: _Line(one, rules.providers.get(one.name, ProviderRule()), rules.budget_seconds, redis, windows)
            for one in providers
        }

    @property
    def offers(self) -> Offers:
        """What each can be asked."""
        return {name: line.provider.lookups for name, line in self._lines.items()}

    @property
    def trusts(self) -> Mapping[str, Trust]:
        """How the facts of each are weighed."""
        return {name: line.provider.trust for name, line in self._lines.items()}

    async def admit(self, provider: str) -> None:
        """Returns once a call may be made. Raises UpstreamUnavailable (`breaker_open`, `rate_limited`)."""
        await self._lines[provider].admit()

    async def call(self, provider: str, lookup: Lookup, questions: Sequence[Question]) -> Sequence[Findings]:
        """One call, that was admitted. Raises UpstreamError."""
        return await self._lines[provider].call(lookup, questions)


class _Line:
    """The line to one provider."""

    def __init__(
        self, provider: EnrichmentProvider, rule: ProviderRule, patience: float, redis: Redis, windows: Windows
    ) -> None:
        self.provider = provider
        self._patience = patience
        self._breaker = Breaker(provider.name, redis)
        self._windows = windows
        self._limits: tuple[RateLimitItem, ...] = windows_of(rule.per_second, rule.per_minute)

    async def admit(self) -> None:
        await self._breaker.admit()
        await self._windows.take(self.provider.name, self._limits, patience=self._patience)

    async def call(self, lookup: Lookup, questions: Sequence[Question]) -> Sequence[Findings]:
        try:
            findings = await self.provider.look_up(lookup, questions)
        except UpstreamError as error:
            await self._breaker.record(ok=not _broken(error))
            raise
        await self._breaker.record(ok=True)
        return findings


def _broken(error: UpstreamError) -> bool:
    """Whether the provider, rather than the question, is what is wrong. Being too fast is our fault."""
    if isinstance(error, UpstreamRejected):
        return error.reason in BROKEN
    return error.reason != "rate_limited"
