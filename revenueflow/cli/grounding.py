"""`revenueflow eval grounding`: the validator, measured on labelled claims about any evidence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from time import perf_counter
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from pydantic import JsonValue, StrictStr, model_validator

from revenueflow import defaults
from revenueflow.cli import labelled
from revenueflow.cli.labelled import LabelledFile, Predictions
from revenueflow.cli.run import guarded, write_json
from revenueflow.domain.claim import Citation, Verdict
from revenueflow.domain.evidence import Signal, Trust
from revenueflow.domain.vocabulary import Vocabulary
from revenueflow.settings import General, Settings

if TYPE_CHECKING:
    from revenueflow.grounding.documents import Document, Wanted
    from revenueflow.grounding.rules import GroundingRules

Label = Literal["supported", "contradicted", "unsupported"]
LABELS: tuple[Label, ...] = ("supported", "contradicted", "unsupported")


class Cited(labelled.Row):
    """Where a claim is said to stand: `json_path` is RFC 9535."""

    evidence_id: StrictStr
    json_path: StrictStr | None = None
    quote: StrictStr | None = None


class Said(labelled.Row):
    """A claim. `field` is one of ours, or the name of a key under which vendors give such values."""

    id: StrictStr
    statement: StrictStr
    field: StrictStr | None = None
    value: JsonValue = None
    citations: tuple[Cited, ...] | None = None


class Given(labelled.Row):
    """A piece of evidence: any JSON, or a text. With a `signal` it is one fact, as the pipeline has them."""

    id: StrictStr
    provider: StrictStr = "evidence"
    data: JsonValue
    trust: Trust | None = None
    signal: Signal | None = None
    path: StrictStr = "$"
    fetched_at: datetime | None = None


class Case(labelled.Row):
    """One line: evidence, claims about it, and for each claim its label, where there is one."""

    evidence: tuple[Given, ...]
    claims: tuple[Said, ...]
    labels: dict[str, Label] | None = None

    @model_validator(mode="after")
    def _ids(self) -> Case:
        for key, ids in (("evidence", [one.id for one in self.evidence]), ("claims", [one.id for one in self.claims])):
            if len(set(ids)) < len(ids):
                raise ValueError(f"{key}: two with the same id; allowed: each id once")
        if not set(self.labels or ()) <= {claim.id for claim in self.claims}:
            raise ValueError("labels: one for no claim; allowed: the ids of the claims")
        return self


class Tables(NamedTuple):
    """What the validator reads besides the evidence."""

    vocabulary: Vocabulary
    rules: GroundingRules


class Judged(NamedTuple):
    """A verdict with the label of its claim, if it has one."""

    verdict: Verdict
    label: Label | None

    @property
    def answer(self) -> str:
        """The verdict as a label: what can't be told is not supported."""
        return self.verdict.verdict.value if self.verdict.verdict.value in LABELS else "unsupported"


def grounding(file: LabelledFile, predictions: Predictions = None) -> None:
    """Does the evidence say it: {"evidence": [{"id", "provider", "data"}], "claims": [{"id", "statement", "field"?,
    "value"?, "citations"?}], "labels"?: {claim id: supported | contradicted | unsupported}} on each line.

    Example: revenueflow eval grounding claims.jsonl --predictions verdicts.jsonl
    """
    rows = labelled.read(file, Case)
    tables = guarded(_tables)
    start = perf_counter()
    judged = [one for row in rows for one in judge_case(row, tables)]
    seconds = perf_counter() - start
    labelled.write(predictions, (_prediction(one.verdict) for one in judged))
    write_json(figures(judged) | {"seconds": round(seconds, 4)})


def judge_case(case: Case, tables: Tables) -> Iterator[Judged]:
    """Each claim of a line with its verdict, in order."""
    from revenueflow.grounding.documents import Documents
    from revenueflow.grounding.validator import judge

    documents = Documents(map(_document, case.evidence), tables.rules)
    claims = [documents.bound(_wanted(claim)) for claim in case.claims]
    for found in judge(claims, documents.evidence, *tables):
        yield Judged(found.verdict, (case.labels or {}).get(found.claim.id))


def figures(judged: Sequence[Judged]) -> dict[str, Any]:
    """How well verdicts agree with labels. None where nothing can be divided by."""
    known = [one for one in judged if one.label is not None]
    expected = [one.label == "supported" for one in known]
    found = [one.answer == "supported" for one in known]
    shares = [
        labelled.share(sum(a == b is side for a, b in zip(expected, found, strict=True)), expected.count(side))
        for side in (True, False)
    ]
    return {
        "n": len(judged),
        "confusion": {label: _answers(label, known) for label in LABELS},
        "balanced_accuracy": _mean([share for share in shares if share is not None]),
        "per_verdict": {label: _of_label(label, known) for label in LABELS},
        "auroc": labelled.auroc(expected, [one.verdict.score for one in known]),
    }


def _answers(label: Label, known: Sequence[Judged]) -> dict[str, int]:
    answers = [one.verdict.verdict.value for one in known if one.label == label]
    return {answer: answers.count(answer) for answer in (*LABELS, "ambiguous", "not_checkable")}


def _of_label(label: Label, known: Sequence[Judged]) -> dict[str, float | None]:
    hits = sum(one.label == one.answer == label for one in known)
    return {
        "precision": labelled.share(hits, sum(one.answer == label for one in known)),
        "recall": labelled.share(hits, sum(one.label == label for one in known)),
    }


def _mean(shares: Sequence[float]) -> float | None:
    return round(sum(shares) / len(shares), 4) if len(shares) == 2 else None


def _prediction(verdict: Verdict) -> dict[str, Any]:
    kept = {"claim_id", "verdict", "score", "decided_by", "expected", "found"}
    return verdict.model_dump(mode="json", include=kept)


def _document(given: Given) -> Document:
    from revenueflow.grounding.documents import UNDATED, Document

    trust, fetched_at = given.trust or _trust(given.provider), given.fetched_at or UNDATED
    return Document(given.id, given.provider, given.data, trust, given.signal, given.path, fetched_at)


def _trust(provider: str) -> Trust:
    """What a form says, the person says who filled it."""
    return Trust.SELF_REPORTED if provider.lower() == "form" else Trust.VENDOR


def _wanted(said: Said) -> Wanted:
    from revenueflow.grounding.documents import Wanted

    cited = tuple(Citation(**one.model_dump()) for one in said.citations or ())
    return Wanted(said.id, said.field, said.value, said.statement, cited)


def _tables() -> Tables:
    """The tables that the pipeline would use."""
    from revenueflow.grounding.rules import GroundingRules

    config_dir = Settings.only(General).config_dir
    return Tables(
        defaults.load(Vocabulary, "vocabulary.toml", config_dir),
        defaults.load(GroundingRules, "grounding.toml", config_dir),
    )
