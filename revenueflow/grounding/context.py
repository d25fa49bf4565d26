"""What the checks may look at: one run's evidence, read once per judgement."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import orjson
from pydantic import JsonValue

from revenueflow.domain.claim import Claim
from revenueflow.domain.evidence import Evidence, Signal, Trust
from revenueflow.domain.phrases import words
from revenueflow.domain.quantity import Quantity, scan
from revenueflow.domain.text import comparable
from revenueflow.domain.vocabulary import Vocabulary
from revenueflow.grounding.fields import FIELDS, Fact, Field, Relation
from revenueflow.grounding.free.leaves import Leaves
from revenueflow.grounding.prose import Prose, relation_of_prose
from revenueflow.grounding.rules import GroundingRules
from revenueflow.grounding.sentence import Sentence
from revenueflow.grounding.wording import stem, without


class Context:
    """One run's evidence with its readings, each computed once. Lives as long as one `judge`."""

    def __init__(self, evidence: Mapping[str, Evidence], vocabulary: Vocabulary, rules: GroundingRules) -> None:
        self.evidence = evidence
        self.vocabulary = vocabulary
        self.rules = rules
        self._claimed: dict[int, Fact | None] = {}
        self._sentences: dict[int, Sentence] = {}
        self._texts: dict[str, str] = {}
        self._words: dict[str, tuple[str, ...]] = {}
        self._stems: dict[str, frozenset[str]] = {}
        self._numbers: dict[str, tuple[Quantity, ...]] = {}
        self._facts: dict[tuple[Field, str], Fact | None] = {}
        self._prose: dict[tuple[Field, str], Prose] = {}
        self._leaves: dict[tuple[str, ...], Leaves] = {}

    def cited(self, claim: Claim) -> tuple[str, ...]:
        """The ids that a claim cites, each once; all are in the evidence once `citation_exists` passed."""
        return tuple(dict.fromkeys(citation.evidence_id for citation in claim.citations))

    def text(self, evidence_id: str) -> str:
        """A piece's value as text in the form for comparison; the items of a list on lines of their own."""
        if evidence_id not in self._texts:
            self._texts[evidence_id] = "\n".join(_lines(self.evidence[evidence_id].value))
        return self._texts[evidence_id]

    def words(self, evidence_id: str) -> tuple[str, ...]:
        """The folded words of a piece."""
        if evidence_id not in self._words:
            self._words[evidence_id] = words(self.text(evidence_id))
        return self._words[evidence_id]

    def stems(self, evidence_id: str) -> frozenset[str]:
        """The stems of the words of a piece."""
        if evidence_id not in self._stems:
            self._stems[evidence_id] = frozenset(map(stem, self.words(evidence_id)))
        return self._stems[evidence_id]

    def numbers(self, evidence_id: str) -> tuple[Quantity, ...]:
        """The numbers of a piece."""
        if evidence_id not in self._numbers:
            self._numbers[evidence_id] = scan(self.text(evidence_id))
        return self._numbers[evidence_id]

    def fact(self, field: Field, evidence_id: str) -> Fact | None:
        """The value of a field that a piece of the right signal gives; None is unknown."""
        key = (field, evidence_id)
        if key not in self._facts:
            piece = self.evidence[evidence_id]
            fits = piece.signal in field.signals and piece.value is not None
            self._facts[key] = field.read(piece.value, self.vocabulary, piece.signal) if fits else None
        return self._facts[key]

    def relation(self, field: Field, claimed: Fact, evidence_id: str) -> Relation:
        """How a piece stands to the claimed value; silent if it is about something else."""
        piece = self.evidence[evidence_id]
        if piece.signal in field.prose and isinstance(piece.value, str):
            return relation_of_prose(field, claimed, self.prose(field, evidence_id), self.rules)
        found = self.fact(field, evidence_id)
        return Relation.SILENT if found is None else field.relate(claimed, found, self.rules)

    def prose(self, field: Field, evidence_id: str) -> Prose:
        """What a text says and denies about a field."""
        key = (field, evidence_id)
        if key not in self._prose:
            self._prose[key] = Prose.read(field, self.text(evidence_id), self.vocabulary, self.rules.words)
        return self._prose[key]

    def of_signals(self, field: Field) -> tuple[str, ...]:
        """All pieces of the run that hold a value of the field."""
        return tuple(name for signal in field.signals for name in self._by_signal.get(signal, ()))

    def claimed(self, claim: Claim) -> Fact | None:
        """The typed value of a claim; where it gives none, the only one that its statement names."""
        if id(claim) not in self._claimed:
            self._claimed[id(claim)] = self._value_of(claim)
        return self._claimed[id(claim)]

    def _value_of(self, claim: Claim) -> Fact | None:
        field = FIELDS[claim.field]
        if claim.value is not None:
            return field.read(claim.value, self.vocabulary)
        named = field.mentioned(self.sentence(claim).text, self.vocabulary)
        return named[0] if len(named) == 1 else None

    def sentence(self, claim: Claim) -> Sentence:
        """The statement of a claim."""
        if id(claim) not in self._sentences:
            bare = without(comparable(claim.statement), self._company_names)
            self._sentences[id(claim)] = Sentence(bare, self.rules.words)
        return self._sentences[id(claim)]

    @cached_property
    def company_words(self) -> frozenset[str]:
        """The words of the company's names and domains."""
        return frozenset(word for name in self._company_names for word in words(name))

    @cached_property
    def _company_names(self) -> tuple[str, ...]:
        signals = (Signal.COMPANY_NAME, Signal.COMPANY_DOMAIN)
        found = {self.text(name) for signal in signals for name in self._by_signal.get(signal, ())}
        return tuple(sorted((name for name in found if len(name) > 2), key=len, reverse=True))

    @cached_property
    def _by_signal(self) -> dict[Signal, list[str]]:
        found: dict[Signal, list[str]] = {}
        for name, piece in self.evidence.items():
            found.setdefault(piece.signal, []).append(name)
        return found

    def self_reported(self, evidence_id: str) -> bool:
        """True for what the person who wrote to us says."""
        return self.evidence[evidence_id].trust is Trust.SELF_REPORTED

    def leaves(self, evidence_ids: tuple[str, ...]) -> Leaves:
        """The leaves of some pieces together."""
        if evidence_ids not in self._leaves:
            pieces = {name: self.evidence[name] for name in evidence_ids}
            self._leaves[evidence_ids] = Leaves(
                {name: piece.value for name, piece in pieces.items()},
                {name: piece.signal.value for name, piece in pieces.items()},
                self.company_words,
                max((piece.fetched_at.date() for piece in pieces.values()), default=None),
                self.rules.statements,
            )
        return self._leaves[evidence_ids]


def _lines(value: JsonValue) -> list[str]:
    if isinstance(value, str):
        return [comparable(value)]
    if isinstance(value, list):
        return [line for item in value for line in _lines(item)]
    if isinstance(value, dict):
        return [line for item in value.values() for line in _lines(item)]
    return [] if value is None else [orjson.dumps(value).decode()]
