from __future__ import annotations

import asyncio
from collections.abc import Sequence
from uuid import UUID

from revenueflow.domain.evidence import Evidence, Signal, Trust
from revenueflow.domain.lead import Lead
from revenueflow.enrichment.base import (
    EnrichmentProvider,
    Fact,
    Findings,
    KeyKind,
    Lookup,
    Question,
    Refused,
    Status,
    Subject,
)
from revenueflow.enrichment.rules import Caps, EnrichmentRules, ProviderRule, SignalRule
from revenueflow.enrichment.waterfall import Enriched, Missed
from revenueflow.errors import UpstreamError, UpstreamUnavailable
from tests.support.asking import NOW, straight

LEAD = Lead(id=UUID(int=1), received_at=NOW)
SUBJECT = Subject(lead_id=LEAD.id, domain="acme.example")
HEADCOUNT, INDUSTRY = Signal.HEADCOUNT, Signal.INDUSTRY
COMPANY = Lookup("company", KeyKind.DOMAIN, frozenset({HEADCOUNT, INDUSTRY}))


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
        self.lookups = (COMPANY,)
        self._answer = answer
        self._gate = gate

    async def look_up(self, _: Lookup, questions: Sequence[Question], /) -> Sequence[Findings]:
        if self._gate:
            await self._gate.wait()
        if isinstance(self._answer, UpstreamError):
            raise self._answer
        return [self._answer] * len(questions)


def found(value: int, signal: Signal = HEADCOUNT) -> Findings:
    return Findings(status=Status.FOUND, facts=(Fact(signal=signal, path=f"$.{signal.value}", value=value),))


async def run(
    *providers: EnrichmentProvider, answers: int = 2, budget: float = 5, key: int = 1, **more: object
) -> Enriched:
    names = tuple(one.name for one in providers)
    rules = EnrichmentRules(
        version=1,
        budget_seconds=budget,
        caps=Caps(day=1),
        providers={name: ProviderRule() for name in (*names, "absent")},
        signals={
            HEADCOUNT: SignalRule(providers=names, answers=answers),
            INDUSTRY: SignalRule(providers=(*names, "absent")),
        },
    )
    return await straight(providers, rules).enrich(LEAD, SUBJECT, run=UUID(int=key), **more)  # type: ignore[arg-type]


async def test_evidence_has_its_provenance_in_the_order_of_the_providers() -> None:
    own = Scripted("directory", found(250), trust=Trust.FIRST_PARTY)
    enriched = await run(Scripted("clearbit", found(240)), own)
    told = [
        (one.provider, one.lookup, one.path, one.value, one.trust, one.fetched_at, one.cost)
        for one in enriched.evidence
    ]
    assert told == [
        ("clearbit", "company", "$.headcount", 240, Trust.VENDOR, NOW, 0.1),
        ("directory", "company", "$.headcount", 250, Trust.FIRST_PARTY, NOW, 0.1),
    ]
    assert enriched.cost == 0.2


async def test_the_next_one_is_asked_only_for_what_is_lacking() -> None:
    second = Scripted("hunter", found(5, INDUSTRY))
    enriched = await run(Scripted("clearbit", found(240)), second, Scripted("apollo", found(1)), answers=1)
    assert [report.provider for report in enriched.reports] == ["clearbit", "hunter"]
    assert {one.signal for one in enriched.evidence} == {HEADCOUNT, INDUSTRY}
    assert (enriched.missed, enriched.signals_missed, enriched.completeness) == ((), (), 100)


async def test_a_repeated_step_gives_the_same_ids() -> None:
    provider = Scripted("clearbit", found(240))
    first, again, other = await run(provider), await run(provider), await run(provider, key=2)
    assert first.evidence == again.evidence
    assert first.evidence[0].id != other.evidence[0].id


async def test_a_failure_costs_its_signals_and_not_the_lead() -> None:
    broken = Scripted("hunter", UpstreamUnavailable("hunter", "server_error", retry_after=9))
    enriched = await run(broken, Scripted("clearbit", found(240)))
    assert [item.provider for item in enriched.evidence] == ["clearbit"]
    assert enriched.missed == (
        Missed(provider="hunter", signal=INDUSTRY, reason="server_error"),
        Missed(provider="clearbit", signal=INDUSTRY, reason="not_found"),
        Missed(provider="absent", signal=INDUSTRY, reason="not_configured"),
    )
    assert enriched.signals_missed == (INDUSTRY,)
    assert enriched.completeness == 50
    assert (enriched.reports[0].outcome, enriched.reports[0].reason) == ("failed", "server_error")


async def test_what_the_form_says_counts_as_known_but_is_missed_all_the_same() -> None:
    said = Evidence(
        id=UUID(int=3), provider="form", signal=INDUSTRY, path="$", value="x", fetched_at=NOW, trust=Trust.SELF_REPORTED
    )
    enriched = await run(Scripted("clearbit", found(240)), form=[said])
    assert (enriched.signals_missed, enriched.completeness) == ((INDUSTRY,), 100)


async def test_a_provider_that_hangs_is_left_behind() -> None:
    hung = Scripted("hunter", found(1), gate=asyncio.Event())
    enriched = await run(hung, Scripted("clearbit", found(240)), budget=0.1)
    assert [item.value for item in enriched.evidence] == [240]
    assert enriched.reports[0].reason == "time_budget"


async def test_providers_run_at_the_same_time() -> None:
    gate = asyncio.Event()

    class Opener(Scripted):
        async def look_up(self, lookup: Lookup, questions: Sequence[Question], /) -> Sequence[Findings]:
            gate.set()
            return await super().look_up(lookup, questions)

    enriched = await run(Scripted("first", found(1), gate=gate), Opener("second", found(2)))
    assert [item.value for item in enriched.evidence] == [1, 2]


async def test_pending_tells_when_to_ask_again_and_nobody_else_is_asked_for_the_same() -> None:
    later = Findings(status=Status.PENDING, retry_after=30)
    sooner = Findings(status=Status.PENDING, retry_after=12)
    providers = Scripted("a", later), Scripted("b", sooner), Scripted("c", found(1))
    enriched = await run(*providers)
    assert (enriched.pending, [one.provider for one in enriched.reports]) == (12, ["a", "b"])
    assert "pending" in {item.reason for item in enriched.missed}
    impatient = await run(*providers, patient=False)
    assert [item.provider for item in impatient.evidence] == ["c"]
    assert (await run(Scripted("c", found(1)))).pending is None


async def test_a_refused_value_is_missed_with_its_path() -> None:
    refused = Refused(signal=INDUSTRY, path="$.category.industry", reason="wrong_type")
    enriched = await run(Scripted("a", Findings(status=Status.FOUND, refused=(refused,))))
    assert enriched.missed[0] == Missed(provider="a", signal=INDUSTRY, reason="wrong_type", path="$.category.industry")


async def test_the_result_survives_a_checkpoint() -> None:
    enriched = await run(Scripted("clearbit", found(240)), Scripted("hunter", UpstreamUnavailable("hunter", "x")))
    assert Enriched.model_validate_json(enriched.model_dump_json()) == enriched


async def test_no_provider_gives_no_evidence() -> None:
    assert (await run()).signals_missed == (HEADCOUNT, INDUSTRY)
