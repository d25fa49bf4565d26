"""A second opinion: what a model says of a claim that the checks left undecided."""

from __future__ import annotations

from enum import StrEnum

from revenueflow.domain.base import Value


class Relation(StrEnum):
    """How the evidence stands to a claim."""

    ENTAILS = "entails"
    CONTRADICTS = "contradicts"
    SILENT = "silent"


class Opinion(Value):
    """One answer: the claim, the relation, and the words of the evidence that show it."""

    claim_id: str
    relation: Relation
    evidence_id: str = ""
    quote: str = ""


class Source(Value):
    """Whose opinions they are."""

    model: str
    prompt_version: str
