"""What the checks may look at: one run's evidence, read once per judgement."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime

from revenueflow.domain.claim import Claim, ClaimField
from revenueflow.domain.evidence import Evidence, Signal, Trust
from revenueflow.domain.lazy import lazy
from revenueflow.domain.phrases import LITTLE_WORDS, WORD, fold, words
from revenueflow.domain.quantity import Quantity, scan
from revenueflow.domain.text import comparable, lines_of
from revenueflow.domain.vocabulary import Vocabulary
from revenueflow.grounding.clause import Clause, clauses, sentences
from revenueflow.grounding.fields import FIELDS, Fact, Field, Relation, Telling, Told
from revenueflow.grounding.free.leaves import Leaves
from revenueflow.grounding.prose import Prose, relation_of_prose
from revenueflow.grounding.rules import GroundingRules
from revenueflow.grounding.sentence import Sentence
from revenueflow.grounding.wording import stem, without


class Context:
    """One run's evidence with its readings, each computed once. Lives as long as one `judge`."""

    def __init__(
        self,
        evidence: Mapping[str, Evidence],
        vocabulary: Vocabulary,
        rules: GroundingRules,
        now: datetime | None = None,
    ) -> None:
        self.evidence = evidence
        self.vocabulary = vocabulary
        self.rules = rules
        self._now = now
        self.allowed: dict[int, frozenset[str]] = {}
        """Kept by the check of names: the words that the statement of a claim may hold."""
        self.places: dict[tuple[str, str | None], tuple[int, int] | None] = {}
        """Kept by the check of quotes: where each stands in its piece."""
        self._carrying: dict[tuple[int, str], tuple[Clause, ...]] = {}
        self._telling_parts: dict[tuple[int, str], tuple[Clause, ...]] = {}
        self._predicates: dict[int, str] = {}
        self._cited: dict[int, tuple[str, ...]] = {}
        self._related: dict[int, tuple[tuple[str, ...], tuple[str, ...]]] = {}
        self._tellings: dict[str, Telling] = {}
        self._clauses: dict[str, tuple[Clause, ...]] = {}
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
        found = self._cited.get(id(claim))
        if found is None:
            found = self._cited[id(claim)] = tuple(dict.fromkeys(one.evidence_id for one in claim.citations))
        return found

    def text(self, evidence_id: str) -> str:
        """A piece's value as text in the form for comparison; the items of a list on lines of their own."""
        if evidence_id not in self._texts:
            self._texts[evidence_id] = "\n".join(lines_of(self.evidence[evidence_id].value))
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

    def carrying(self, claim: Claim, name: str) -> tuple[Clause, ...]:
        """The clauses of a text that carry the value of a typed claim, with their sentences; all of any other piece."""
        key = (id(claim), name)
        if key not in self._carrying:
            self._carrying[key] = self._carry(claim, name)
        return self._carrying[key]

    def telling_parts(self, claim: Claim, field: Told, claimed: Fact, name: str) -> tuple[Clause, ...]:
        """The clauses and sentences of a text that agree with some item of a claim about plans."""
        key = (id(claim), name)
        if key not in self._telling_parts:
            self._telling_parts[key] = tuple(field.carrying(claimed, self.telling(name)))
        return self._telling_parts[key]

    def _carry(self, claim: Claim, name: str) -> tuple[Clause, ...]:
        piece, field = self.evidence[name], FIELDS.get(claim.field)
        claimed = self.claimed(claim) if field else None
        if field is None or claimed is None or piece.signal in field.signals or piece.signal not in field.prose:
            return self.clauses(name)
        if isinstance(field, Told):
            places = {clause.sentence for clause in self.telling_parts(claim, field, claimed, name)}
            return tuple(clause for clause in self.clauses(name) if clause.sentence in places)
        found = tuple(clause for clause in self.clauses(name) if field.mentioned(clause.text, self.vocabulary))
        return found or self.clauses(name)

    def field_stems(self, field: ClaimField) -> frozenset[str]:
        """The stems of the words that say what kind of fact a statement of this field states."""
        return self.rules.words.stems_of_field.get(field, frozenset())

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
        if isinstance(field, Told):
            told = piece.value is not None and piece.signal in field.signals | field.prose
            return field.relation(claimed, self.telling(evidence_id)) if told else Relation.SILENT
        if piece.signal in field.prose and piece.value is not None:
            return relation_of_prose(field, claimed, self.prose(field, evidence_id), self.rules)
        found = self.fact(field, evidence_id)
        return Relation.SILENT if found is None else field.relate(claimed, found, self.rules)

    def prose(self, field: Field, evidence_id: str) -> Prose:
        """What a text says and denies about a field."""
        key = (field, evidence_id)
        if key not in self._prose:
            self._prose[key] = Prose.read(field, self.clauses(evidence_id), self.vocabulary)
        return self._prose[key]

    def related(self, claim: Claim) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The cited pieces that agree, and those that disagree. None agrees unless all parts are carried by some."""
        if id(claim) not in self._related:
            claimed = self.claimed(claim) if claim.field in FIELDS else None
            self._related[id(claim)] = (
                ((), ()) if claimed is None else self._relate(claim, FIELDS[claim.field], claimed)
            )
        return self._related[id(claim)]

    def _relate(self, claim: Claim, field: Field, claimed: Fact) -> tuple[tuple[str, ...], tuple[str, ...]]:
        cited, parts = self.cited(claim), field.parts(claimed)
        relations = {name: [self.relation(field, part, name) for part in parts] for name in cited}
        disagree = tuple(name for name in cited if Relation.DISAGREES in relations[name])
        agree = tuple(name for name in cited if Relation.AGREES in relations[name] and name not in disagree)
        carried = all(any(relations[name][at] is Relation.AGREES for name in cited) for at in range(len(parts)))
        return (agree if carried else ()), disagree

    def carriers(self, claim: Claim) -> tuple[str, ...]:
        """The pieces whose words and numbers the statement may use: those that carry the value, if any does.

        So a claim cannot join the value of one piece with a detail of another.
        """
        return self.related(claim)[0] or self.cited(claim)

    def clauses(self, evidence_id: str) -> tuple[Clause, ...]:
        """The clauses of a piece; each item of a list is at least one."""
        if evidence_id not in self._clauses:
            self._clauses[evidence_id] = self.clauses_of(self.text(evidence_id))
        return self._clauses[evidence_id]

    def clauses_of(self, text: str) -> tuple[Clause, ...]:
        """The clauses of any text."""
        numbered = enumerate(sentences(text))
        return tuple(Clause(part, self.rules.words, at) for at, whole in numbered for part in clauses(whole))

    def telling(self, evidence_id: str) -> Telling:
        """A piece as a text that tells of plans."""
        if evidence_id not in self._tellings:
            piece = self.evidence[evidence_id]
            day = piece.fetched_at.date()
            parts = self.clauses(evidence_id)
            self._tellings[evidence_id] = Telling(
                parts, piece.signal, self.vocabulary, self.rules, day, self.day_for(day), wholes=[]
            )
        return self._tellings[evidence_id]

    def stated(self, claim: Claim, cited: Iterable[str]) -> Telling:
        """The statement of a claim as such a text, on the day of the cited pieces."""
        days = [self.day_for(self.evidence[name].fetched_at.date()) for name in cited]
        day = max(days, default=self.today)
        whole = (Clause(self.sentence(claim).text, self.rules.words),)
        return Telling(whole, None, self.vocabulary, self.rules, day, day, stated=True)

    @lazy
    def today(self) -> date:
        """The day of the judgement: the one given, else that of the newest piece."""
        newest = max((piece.fetched_at for piece in self.evidence.values()), default=None)
        known = self._now or newest
        return known.date() if known else date.min

    def day_for(self, day: date) -> date:
        """The day from which a claim counts "next quarter": that of a piece that is fresh, else today."""
        fresh = abs((self.today - day).days) <= self.rules.time.fresh_days
        return day if fresh else self.today

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
            fact = field.read(claim.value, self.vocabulary)
            told = fact is not None and isinstance(field, Told)
            return field.of_statement(fact, self.predicate(claim), self.vocabulary) if fact and told else fact
        named = field.mentioned(self.sentence(claim).text, self.vocabulary)
        return named[0] if len(named) == 1 else None

    def sentence(self, claim: Claim) -> Sentence:
        """The statement of a claim."""
        found = self._sentences.get(id(claim))
        if found is None:
            bare = without(comparable(claim.statement), self._company_names)
            found = self._sentences[id(claim)] = Sentence(bare, self.rules.words, self.today)
        return found

    def predicate(self, claim: Claim) -> str:
        """The statement without the company's name, in whatever part of it that begins as the name does.

        Dates are left out, too, unless the claim is about one.
        """
        if id(claim) not in self._predicates:
            sentence = self.sentence(claim)
            text = sentence.text if claim.field is ClaimField.TIMELINE else sentence.undated
            kept, inside = list(text), False
            for match in WORD.finditer(text):
                word = fold(match[0])
                inside = word in self._first_words or (inside and word in self.company_words)
                if inside:
                    kept[match.start() : match.end()] = " " * (match.end() - match.start())
            self._predicates[id(claim)] = "".join(kept)
        return self._predicates[id(claim)]

    @lazy
    def _first_words(self) -> frozenset[str]:
        return frozenset(found[0] for name in self._company_names if (found := words(name)))

    @lazy
    def company_words(self) -> frozenset[str]:
        """The words of the company's names and domains."""
        return frozenset(word for name in self._company_names for word in words(name))

    @lazy
    def company_stems(self) -> frozenset[str]:
        """Their stems."""
        return frozenset(map(stem, self.company_words))

    @lazy
    def _company_names(self) -> tuple[str, ...]:
        signals = (Signal.COMPANY_NAME, Signal.COMPANY_DOMAIN)
        found = {self.text(name) for signal in signals for name in self._by_signal.get(signal, ())}
        told = (name for name in found if len(name) > 2 or (len(name) == 2 and fold(name) not in LITTLE_WORDS))
        return tuple(sorted(told, key=len, reverse=True))

    @lazy
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
