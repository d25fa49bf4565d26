"""Scores a stored lead anew, from the evidence and the claims of its last analysed run. No model, no provider is asked.

A lead that was never analysed is scored by its form alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from revenueflow.analysis import prompt
from revenueflow.analysis.models.rules import NAME as RULES
from revenueflow.domain.claim import Judgement
from revenueflow.domain.evidence import Signal
from revenueflow.domain.lead import Lead, LeadForm, Tier
from revenueflow.domain.scoring import LeadFacts, Score
from revenueflow.domain.vocabulary import Vocabulary
from revenueflow.enrichment.facts import lead_facts
from revenueflow.enrichment.form_facts import FormFacts
from revenueflow.enrichment.rules import Overwrite
from revenueflow.pipeline.capture import Captured
from revenueflow.pipeline.enrich import Enriched
from revenueflow.pipeline.ground import Grounded
from revenueflow.pipeline.score import with_times
from revenueflow.scoring.profile import Profile
from revenueflow.scoring.score import score


@dataclass(frozen=True, slots=True)
class Known:
    """What a stored lead is scored from, and the score that it has: `factors`, its lines as JSON."""

    id: UUID
    campaign_id: str
    run_version: int
    facts: LeadFacts
    judgement: Judgement | None
    is_modelled: bool
    score: int | None
    tier: Tier | None
    factors: str = "[]"

    def by(self, profile: Profile, vocabulary: Vocabulary) -> Score:
        """Its score by a profile."""
        return score(profile, self.facts, self.judgement, vocabulary, is_modelled=self.is_modelled)


@dataclass(frozen=True, slots=True)
class Shelf:
    """Reads what is stored of leads, in the way in which the pipeline does."""

    vocabulary: Vocabulary
    overwrite: Mapping[Signal, Overwrite]
    forms: FormFacts = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "forms", FormFacts(self.vocabulary))

    def known(self, row: Mapping[str, Any], now: datetime) -> Known | None:
        """A row of `scores.stored`; None if it can't be read: an older or newer program wrote it."""
        try:
            return self._analysed(row, now) if row["ground"] else self._form_only(row, now)
        except ValidationError:
            return None

    def _analysed(self, row: Mapping[str, Any], now: datetime) -> Known:
        captured = Captured.model_validate_json(row["capture"])
        numbered = prompt.numbered(Enriched.model_validate_json(row["enrich"]).evidence)
        judgement = Grounded.model_validate_json(row["ground"]).judgement
        facts = lead_facts(captured.lead, numbered, self.vocabulary, overwrite=self.overwrite)
        facts = with_times(facts, captured.lead, now, submissions=len(captured.deliveries))
        return _known(row, facts, row["run_version"], judgement, is_modelled=row["analyst"] != RULES)

    def _form_only(self, row: Mapping[str, Any], now: datetime) -> Known:
        facts = self.forms.of(LeadForm.model_validate_json(row["form"]), row["campaign_id"])
        lead = Lead(id=row["id"], received_at=row["received_at"])
        facts = with_times(facts, lead, now, submissions=1)
        return _known(row, facts, row["version"], None, is_modelled=False)


def _known(
    row: Mapping[str, Any], facts: LeadFacts, version: int, judgement: Judgement | None, *, is_modelled: bool
) -> Known:
    tier = Tier(row["tier"]) if row["tier"] else None
    return Known(row["id"], row["campaign_id"], version, facts, judgement, is_modelled, row["score"], tier,
                 row["score_factors"] or "[]")  # fmt: skip
