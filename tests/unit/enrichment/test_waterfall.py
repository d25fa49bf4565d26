from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from uuid import UUID

from revenueflow.domain.evidence import Signal, Trust
from revenueflow.enrichment.base import (
    EnrichmentProvider,
    Fact,
    Findings,
    Refused,
    Status,
    Subject,
    Unconfigured,
)
from revenueflow.enrichment.waterfall import Enriched, Missed, enrich
from revenueflow.errors import UpstreamError, UpstreamUnavailable

NOW = datetime(2026, 11, 21, tzinfo=UTC)
SUBJECT = Subject(lead_id=UUID(int=1), domain="acme.example")
BOTH = frozenset({Signal.HEADCOUNT, Signal.INDUSTRY})


class Scripted:
    """A provider without a wire: what it answers is given."""

    def __init__(
        self,
        name: str,
        answer: Findings | UpstreamError,
        *,
        trust: Trust = Trust.VENDOR,
        gate: asyncio.Event | None = None,
    ) -> None:
        self.name = name
        self.trust = trust
        self.signals = BOTH
        self._answer = answer
        self._gate = gate

    async def find(self, _: Subject, /) -> Findings:
        if self._gate:
            await self._gate.wait()
        if isinstance(self._answer, UpstreamError):
            raise self._answer
        return self._answer


def found(value: int) -> Findings:
    return Findings(
        status=Status.FOUND, facts=(Fact(signal=Signal.HEADCOUNT, path="$.metrics.employees", value=value),)
    )


async def run(*providers: EnrichmentProvider, budget: float = 5, key: str = "job/1") -> Enriched:
    return await enrich(SUBJECT, providers, run_key=key, now=NOW, budget_seconds=budget)


async def test_evidence_has_its_provenance_in_the_order_of_the_providers() -> None:
    own = Scripted("directory", found(250), trust=Trust.FIRST_PARTY)
    enriched = await run(Scripted("clearbit", found(240)), own)
    told = [(item.provider, item.path, item.value, item.trust, item.fetched_at) for item in enriched.evidence]
    assert told == [
        ("clearbit", "$.metrics.employees", 240, Trust.VENDOR, NOW),
        ("directory", "$.metrics.employees", 250, Trust.FIRST_PARTY, NOW),
    ]
    assert enriched.missed == ()


async def test_a_repeated_step_gives_the_same_ids() -> None:
    provider = Scripted("clearbit", found(240))
    first, again, other = await run(provider), await run(provider), await run(provider, key="job/2")
    assert first.evidence == again.evidence
    assert first.evidence[0].id != other.evidence[0].id


async def test_a_failure_costs_its_signals_and_not_the_lead() -> None:
    broken = Scripted("hunter", UpstreamUnavailable("hunter", "server_error", retry_after=9))
    enriched = await run(broken, Scripted("clearbit", found(240)))
    assert [item.provider for item in enriched.evidence] == ["clearbit"]
    assert enriched.missed == (
        Missed(provider="hunter", signal=Signal.HEADCOUNT, reason="server_error"),
        Missed(provider="hunter", signal=Signal.INDUSTRY, reason="server_error"),
    )
    assert enriched.signals_missed == (Signal.INDUSTRY,)
    assert (enriched.reports[0].outcome, enriched.reports[0].reason) == ("failed", "server_error")
    assert enriched.reports[0].retry_after == 9


async def test_a_provider_that_hangs_is_left_behind() -> None:
    hung = Scripted("hunter", found(1), gate=asyncio.Event())
    enriched = await run(hung, Scripted("clearbit", found(240)), budget=0.1)
    assert [item.value for item in enriched.evidence] == [240]
    assert enriched.reports[0].reason == "time_budget"


async def test_providers_run_at_the_same_time() -> None:
    gate = asyncio.Event()

    class Opener(Scripted):
        async def find(self, subject: Subject, /) -> Findings:
            gate.set()
            return await super().find(subject)

    enriched = await run(Scripted("first", found(1), gate=gate), Opener("second", found(2)))
    assert [item.value for item in enriched.evidence] == [1, 2]


async def test_pending_tells_when_to_ask_again() -> None:
    later = Findings(status=Status.PENDING, retry_after=30)
    sooner = Findings(status=Status.PENDING, retry_after=12)
    enriched = await run(Scripted("a", later), Scripted("b", sooner), Scripted("c", found(1)))
    assert enriched.pending == 12
    assert {item.reason for item in enriched.missed} == {"pending"}
    assert (await run(Scripted("c", found(1)))).pending is None


async def test_a_refused_value_is_missed_with_its_path() -> None:
    refused = Refused(signal=Signal.INDUSTRY, path="$.category.industry", reason="wrong_type")
    enriched = await run(Scripted("a", Findings(status=Status.FOUND, refused=(refused,))))
    assert enriched.missed == (
        Missed(provider="a", signal=Signal.INDUSTRY, reason="wrong_type", path="$.category.industry"),
    )


async def test_what_is_not_configured_not_found_or_not_askable_is_said() -> None:
    enriched = await run(
        Unconfigured("clearbit", BOTH),
        Scripted("hunter", Findings(status=Status.NOT_FOUND)),
        Scripted("apollo", Findings(status=Status.SKIPPED)),
    )
    reasons = {(item.provider, item.reason) for item in enriched.missed}
    assert reasons == {("clearbit", "not_configured"), ("hunter", "not_found"), ("apollo", "no_domain")}
    assert [report.calls for report in enriched.reports] == [0, 0, 0]


async def test_the_result_survives_a_checkpoint() -> None:
    enriched = await run(Scripted("clearbit", found(240)), Unconfigured("hunter", BOTH))
    assert Enriched.model_validate_json(enriched.model_dump_json()) == enriched


async def test_no_provider_gives_an_empty_result() -> None:
    assert await run() == Enriched()
