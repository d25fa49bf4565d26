"""Asks about one lead, round by round, within one time budget, until nothing is lacking or nobody is left to ask.

A provider that fails, hangs or has nothing costs its signals, never the lead: the result names what was missed.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from revenueflow.domain.base import Value
from revenueflow.domain.evidence import Evidence, Signal, Trust
from revenueflow.domain.lead import Lead
from revenueflow.enrichment import plan
from revenueflow.enrichment.answers import Answered, Asking, Report
from revenueflow.enrichment.base import Status, Subject, evidence_id
from revenueflow.enrichment.plan import Choices, Known, Offers, Wanted
from revenueflow.enrichment.rules import EnrichmentRules, SignalRule


class Missed(Value):
    """One signal that a provider might have given and did not. `path` is set where a value was refused."""

    provider: str
    signal: Signal
    reason: str
    path: str | None = None


class Enriched(Value):
    """All that the providers gave, in the order in which they were asked.

    `signals_missed`: those that were wanted and that nobody gave. `completeness`: the share of what was wanted that is
    known, from anybody or from the form; 0-100.
    """

    evidence: tuple[Evidence, ...] = ()
    missed: tuple[Missed, ...] = ()
    reports: tuple[Report, ...] = ()
    signals_missed: tuple[Signal, ...] = ()
    completeness: int = 100

    @property
    def pending(self) -> float | None:
        """Seconds after which to ask again, if a provider is still looking."""
        waits = [report.retry_after or 0.0 for report in self.reports if report.outcome == Status.PENDING]
        return min(waits, default=None)

    @property
    def cost(self) -> float:
        """US dollars that were paid for this lead."""
        return round(sum(report.cost for report in self.reports), 6)


class Waterfall:
    """The providers that are set up, and the rules by which they are asked."""

    def __init__(self, rules: EnrichmentRules, offers: Offers, trusts: Mapping[str, Trust], asking: Asking) -> None:
        self.rules = rules
        self.offers = offers
        self.trusts = trusts
        self._asking = asking
        self._choices: dict[tuple[str, bool, bool], Choices] = {}

    def choices(self, rules: Mapping[Signal, SignalRule], campaign_id: str, subject: Subject) -> Choices:
        """What could be asked about somebody, worked out once for all of their kind."""
        campaign = campaign_id if campaign_id in self.rules.campaigns else ""
        kind = (campaign, subject.domain is not None, subject.email is not None)
        if kind not in self._choices:
            self._choices[kind] = plan.choices_of(rules, subject, self.offers)
        return self._choices[kind]

    async def enrich(
        self, lead: Lead, subject: Subject, *, run: UUID, form: Sequence[Evidence] = (), patient: bool = True
    ) -> Enriched:
        """Evidence about a lead. `form` is what it says of itself. With the same `run` the ids are the same.

        While a provider is still looking nobody else is asked for the same, unless not `patient`.
        """
        way = _Way(self, lead, subject, run, patient)
        end = time.monotonic() + self.rules.budget_seconds
        while wanted := way.next_round():
            await way.ask(wanted, end)
        return way.result(form)

    async def ask(self, wanted: Wanted, campaign_id: str, run: UUID, end: float) -> Answered:
        """One answer, if it comes before `end` (monotonic)."""
        begun = time.monotonic()
        answered = await self._asking.ask(wanted, campaign_id, run, max(0.0, end - begun))
        seconds = round(time.monotonic() - begun, 6)
        return answered._replace(report=answered.report.model_copy(update={"seconds": seconds}))


class _Way:
    """One lead on its way through the rounds."""

    def __init__(self, waterfall: Waterfall, lead: Lead, subject: Subject, run: UUID, patient: bool) -> None:
        self._waterfall = waterfall
        self._known = Known(lead, subject)
        self._patient = patient
        self._run = run
        self._rules = waterfall.rules.of_campaign(lead.campaign_id)
        self._choices = waterfall.choices(self._rules, lead.campaign_id, subject)
        self._answers: dict[tuple[str, str], tuple[Wanted, Answered]] = {}

    def next_round(self) -> list[Wanted]:
        """What is lacking, and can be asked."""
        return plan.next_round(self._rules, self._known, self._choices, self._answers)

    async def ask(self, wanted: Sequence[Wanted], end: float) -> None:
        """All at the same time."""
        campaign = self._known.lead.campaign_id
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._waterfall.ask(one, campaign, self._run, end)) for one in wanted]
        for one, task in zip(wanted, tasks, strict=True):
            self._answers[one.provider, one.lookup.name] = one, task.result()
        evidence = [item for one, answered in self._answers.values() for item in self._evidence(one, answered)]
        looking = {asked for asked, (_, one) in self._answers.items() if one.report.outcome == Status.PENDING}
        pending = looking if self._patient else frozenset()
        self._known = Known(self._known.lead, self._known.subject, evidence, pending)

    def result(self, form: Sequence[Evidence]) -> Enriched:
        """What came of all rounds."""
        reports = tuple(answered.report for _, answered in self._answers.values())
        wanted = {signal: rule for signal, rule in self._rules.items() if plan.holds(rule.only_if, self._known)}
        told = {item.signal for item in self._known.evidence}
        lacking = tuple(sorted(signal for signal in wanted if signal not in told))
        unknown = set(lacking) - {item.signal for item in form}
        return Enriched(
            evidence=tuple(self._known.evidence),
            missed=(*self._refused(), *self._missed(lacking, wanted)),
            reports=reports,
            signals_missed=lacking,
            completeness=round(100 * (1 - len(unknown) / len(wanted))) if wanted else 100,
        )

    def _refused(self) -> Iterable[Missed]:
        for wanted, answered in self._answers.values():
            for item in answered.findings.refused if answered.findings else ():
                yield Missed(provider=wanted.provider, signal=item.signal, reason=item.reason, path=item.path)

    def _missed(self, lacking: Sequence[Signal], rules: Mapping[Signal, SignalRule]) -> Iterable[Missed]:
        refused = {(one.provider, one.signal) for one in self._refused()}
        for signal in lacking:
            for provider in rules[signal].providers:
                if (provider, signal) not in refused:
                    yield Missed(provider=provider, signal=signal, reason=self._reason(signal, provider))

    def _reason(self, signal: Signal, provider: str) -> str:
        offers, subject = self._waterfall.offers, self._known.subject
        lookup = plan.choice(signal, provider, subject, offers)
        if lookup is None or (provider, lookup.name) not in self._answers:
            return plan.why_not(signal, provider, subject, offers)
        report = self._answers[provider, lookup.name][1].report
        return report.reason or ("not_found" if report.outcome == Status.FOUND else report.outcome)

    def _evidence(self, wanted: Wanted, answered: Answered) -> Iterable[Evidence]:
        findings, report = answered
        if findings is None or report.answered_at is None:
            return
        asked = f"{wanted.provider}.{wanted.lookup.name}"
        for fact in findings.facts:
            yield Evidence(
                id=evidence_id(self._known.lead.id, str(self._run), asked, fact.signal, fact.path),
                provider=wanted.provider,
                lookup=wanted.lookup.name,
                signal=fact.signal,
                path=fact.path,
                value=fact.value,
                fetched_at=report.answered_at,
                trust=self._waterfall.trusts[wanted.provider],
                cost=report.cost,
            )
