"""Scores the rows of a file without storing any: with a model through the same grounded analysis, or by rules alone.

Rows come out in the order in which they went in. At most AT_ONCE of them are held.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol
from uuid import UUID, uuid5

import orjson
import uuid_utils.compat

from revenueflow.analysis import chain, prompt
from revenueflow.analysis.base import Analyst, Asker, Underway
from revenueflow.analysis.models.rules import NAME as RULES
from revenueflow.analysis.prompt import PromptTemplate
from revenueflow.clock import utcnow
from revenueflow.domain.claim import Analysis
from revenueflow.domain.lead import LeadForm
from revenueflow.domain.recent import Recent
from revenueflow.domain.scoring import Score
from revenueflow.domain.vocabulary import Vocabulary
from revenueflow.enrichment.facts import lead_facts
from revenueflow.enrichment.form import form_evidence
from revenueflow.enrichment.form_facts import FormFacts
from revenueflow.errors import Unavailable
from revenueflow.grounding.effect import weigh
from revenueflow.grounding.rules import GroundingRules
from revenueflow.grounding.validator import judge
from revenueflow.pipeline.capture import lead_of
from revenueflow.privacy.masking import Mask
from revenueflow.scoring.profile import Profile, Profiles
from revenueflow.scoring.score import score
from revenueflow.sources.aliases import Understood
from revenueflow.sources.csv.reader import Item, Reader, Row
from revenueflow.sources.csv.records import cells

AT_ONCE = 32
REMEMBERED = 4096
ASKED_AGAIN = 60
"""Looks at an answer that another process waits for, one a second."""


class Given(NamedTuple):
    """A row as it was given: in our words, and as JSON by column. `problem`: why it can't be taken as a lead."""

    line: int
    understood: Understood
    raw: bytes
    problem: str | None = None


class Scored(NamedTuple):
    """A row, and what it is worth."""

    row: Given
    score: Score

    @property
    def line(self) -> int:
        """Where it begins."""
        return self.row.line

    @property
    def given(self) -> Understood:
        """What it says."""
        return self.row.understood


class Scorer(Protocol):
    """What a form is worth."""

    async def score(self, form: LeadForm, campaign_id: str) -> Score:
        """The score. Raises Unavailable if what it needs does not answer."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Which profile scores a row: the one that is named, else that of the campaign."""

    profiles: Profiles
    named: Profile | None = None

    def of(self, campaign_id: str) -> Profile:
        """The profile."""
        return self.named or self.profiles.of(campaign_id)

    @property
    def texts(self) -> frozenset[str]:
        """The facts of which the words may count."""
        asked = [self.named] if self.named else self.profiles.known.values()
        return frozenset[str]().union(*(profile.texts for profile in asked))


class ByRules:
    """Scores by what the form tells, without an analysis.

    Forms that differ only in what no profile reads (whose name it is, at which company) share one score, which is
    remembered: up to REMEMBERED of them.
    """

    def __init__(self, choice: Choice, vocabulary: Vocabulary) -> None:
        self._choice = choice
        self._vocabulary = vocabulary
        self._facts = FormFacts(vocabulary)
        self._reads_names = not choice.texts.isdisjoint({"company", "domain"})
        self._known: Recent[tuple[object, ...], Score] = Recent(REMEMBERED)

    async def score(self, form: LeadForm, campaign_id: str) -> Score:
        """The score of a form."""
        return self.now(form, campaign_id)

    def now(self, form: LeadForm, campaign_id: str) -> Score:
        """The score of a form, for who need not wait."""
        return self._known.get((campaign_id, *self._key(form)), lambda: self._made(form, campaign_id))

    def _made(self, form: LeadForm, campaign_id: str) -> Score:
        profile, facts = self._choice.of(campaign_id), self._facts.of(form, campaign_id)
        return score(profile, facts, None, self._vocabulary, is_modelled=False)

    def _key(self, form: LeadForm) -> tuple[object, ...]:
        """All that a score can depend on."""
        if self._reads_names:
            return tuple(form.__dict__.values())
        reach = *self._facts.reach(form), *self._facts.place(form)
        given = bool(form.email), bool(form.phone), bool(form.name), bool(form.company), bool(form.message)
        return (form.title, form.industry, form.headcount, form.country, form.source, *reach, *given)


@dataclass(frozen=True, slots=True)
class ByModel:
    """Scores with the claims that analysts write about the form and that stand up to it."""

    choice: Choice
    analysts: Sequence[Analyst]
    template: PromptTemplate
    vocabulary: Vocabulary
    grounding: GroundingRules
    offer: str | None = None
    run: UUID = field(default_factory=uuid_utils.compat.uuid7)

    async def score(self, form: LeadForm, campaign_id: str) -> Score:
        """The score of a form: analysed, grounded, scored."""
        now = utcnow()
        # The same form is the same lead: what was asked once in this run need not be asked again.
        lead_id = uuid5(self.run, form.model_dump_json())
        lead, _ = lead_of(lead_id, form, self.vocabulary, campaign=campaign_id, at=now)
        evidence = form_evidence(lead, run_key=str(self.run))
        mask = Mask(lead.email, lead.phone, lead.name)
        asked = prompt.build(evidence, self.template, mask=mask, offer=self.offer)
        analysis = await self._analysis(asked, Asker(lead_id, self.run))
        numbered = prompt.numbered(evidence)
        judged = judge(analysis.claims, numbered, self.vocabulary, self.grounding, now=now)
        judgement = weigh(judged, numbered, self.grounding, now)
        facts = lead_facts(lead, numbered, self.vocabulary)
        profile, is_modelled = self.choice.of(campaign_id), analysis.analyst != RULES
        return score(profile, facts, judgement, self.vocabulary, is_modelled=is_modelled)

    async def _analysis(self, asked: prompt.Prompt, asker: Asker) -> Analysis:
        for _ in range(ASKED_AGAIN):
            try:
                analysis, _failures = await chain.analyse(asked, self.analysts, asker)
            except Underway as error:
                await asyncio.sleep(error.retry_after or 1)
            else:
                return analysis
        raise Unavailable("another process has been asking the same for a minute; try again")


async def score_rows(pieces: AsyncIterator[bytes], reader: Reader, scorer: Scorer) -> AsyncIterator[Scored]:
    """Each record of a file with its score, in order. Raises InvalidInput for a file without a header that we know."""
    waiting: deque[asyncio.Task[Scored]] = deque()
    try:
        async for item in _items(pieces, reader):
            row = _given(item, reader)
            if isinstance(scorer, ByRules):
                yield Scored(row, scorer.now(row.understood.form, row.understood.campaign_id))
                continue
            waiting.append(asyncio.create_task(_scored(scorer, row)))
            if len(waiting) >= AT_ONCE:
                yield await waiting.popleft()
        while waiting:
            yield await waiting.popleft()
    finally:
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


async def _scored(scorer: Scorer, row: Given) -> Scored:
    return Scored(row, await scorer.score(row.understood.form, row.understood.campaign_id))


async def _items(pieces: AsyncIterator[bytes], reader: Reader) -> AsyncIterator[Item]:
    async for piece in pieces:
        for item in reader.feed(piece):
            yield item
        await asyncio.sleep(0)
    for item in reader.close():
        yield item


def _given(item: Item, reader: Reader) -> Given:
    """Of a row that would be rejected, too, what it says: it keeps its place and its id."""
    if isinstance(item, Row):
        return Given(item.line, item.arrival.understood or Understood(), item.arrival.raw)
    columns, row = reader.columns, cells(item.raw, reader.delimiter)
    if columns is None:
        return Given(item.line, Understood(), b"{}", item.reason)
    return Given(item.line, columns.understand(row), orjson.dumps(columns.record(row)), item.reason)
