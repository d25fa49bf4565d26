"""`revenueflow eval pii`: what the redactor takes out of labelled texts, and what it leaves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from time import perf_counter
from typing import Any, Final

from pydantic import NonNegativeInt, StrictStr

from revenueflow.cli import labelled
from revenueflow.cli.labelled import LabelledFile, Predictions
from revenueflow.cli.run import write_json
from revenueflow.privacy.patterns import Found, Kind
from revenueflow.privacy.redaction import spans

COVERED = 0.9
"""The share of a label's characters that must be masked."""
NAMES: Final[Mapping[Kind, frozenset[str]]] = {
    Kind.EMAIL: frozenset({"EMAIL", "EMAIL_ADDRESS"}),
    Kind.PHONE: frozenset({"PHONE", "PHONE_NUMBER", "FAX_NUMBER", "US_PHONE_NUMBER"}),
    Kind.CARD: frozenset({"CARD", "CREDIT_CARD", "CREDIT_CARD_NUMBER"}),
    Kind.IBAN: frozenset({"IBAN", "IBAN_CODE"}),
    Kind.NATIONAL_ID: frozenset(
        {"NATIONAL_ID", "SSN", "US_SSN", "US_ITIN", "US_PASSPORT", "US_DRIVER_LICENSE", "UK_NINO", "ES_NIF", "ES_NIE",
         "IT_FISCAL_CODE", "IN_PAN", "IN_AADHAAR", "PASSPORT", "DRIVER_LICENSE"}
    ),
    Kind.IP: frozenset({"IP", "IP_ADDRESS", "IPV4", "IPV6"}),
    Kind.CREDENTIALS: frozenset({"CREDENTIALS", "URL_CREDENTIALS"}),
    Kind.SECRET: frozenset({"SECRET", "TOKEN", "API_KEY", "PASSWORD", "AWS_ACCESS_KEY", "JWT", "PRIVATE_KEY"}),
    Kind.NAME: frozenset({"NAME", "PERSON", "FIRST_NAME", "LAST_NAME"}),
}  # fmt: skip
"""The labels that stand for what a kind finds. Other labels have no form: they are counted all the same."""
STRUCTURED: Final = frozenset().union(*(names for kind, names in NAMES.items() if kind is not Kind.NAME))


class Label(labelled.Row):
    """A span that is personal data; `end_position` is behind its last character."""

    entity_type: StrictStr
    start_position: NonNegativeInt
    end_position: NonNegativeInt


class LabelledText(labelled.Row):
    """A text, and all the personal data in it."""

    full_text: StrictStr
    spans: tuple[Label, ...]


def pii(file: LabelledFile, predictions: Predictions = None) -> None:
    """Is personal data masked: {"full_text", "spans": [{"entity_type", "start_position", "end_position"}]} a line.

    Example: revenueflow eval pii texts.jsonl --predictions found.jsonl
    """
    rows = labelled.read(file, LabelledText)
    start = perf_counter()
    found = [spans(row.full_text) for row in rows]
    seconds = perf_counter() - start
    labelled.write(predictions, ({"spans": [one._asdict() for one in each]} for each in found))
    write_json(measured(rows, found) | {"seconds": round(seconds, 4)})


def measured(rows: Sequence[LabelledText], found: Sequence[Sequence[Found]]) -> dict[str, Any]:
    """By type of label: how many, the share that is masked, and of what was masked as it, the share that is right.

    `leaked_per_1000`: labels of any type that are not masked, for each thousand texts. `structured` are the types that
    have a form of their own, together.
    """
    hits, labels = defaultdict[str, int](int), defaultdict[str, int](int)
    right, answers = defaultdict[Kind, int](int), defaultdict[Kind, int](int)
    for row, answer in zip(rows, found, strict=True):
        for label in row.spans:
            labels[label.entity_type] += 1
            hits[label.entity_type] += _is_masked(label, answer)
        for one in answer:
            answers[one.kind] += 1
            right[one.kind] += any(_is_right(one, label) for label in row.spans)
    by_type = {name: _of_type(name, labels[name], hits[name], right, answers) for name in sorted(labels)}
    structured = [name for name in labels if name in STRUCTURED]
    kinds = [kind for kind in Kind if kind is not Kind.NAME]
    total, masked = sum(labels[name] for name in structured), sum(hits[name] for name in structured)
    return {
        "n": len(rows),
        "by_type": by_type,
        "structured": {
            "n": total,
            "recall": labelled.share(masked, total),
            "precision": labelled.share(sum(right[kind] for kind in kinds), sum(answers[kind] for kind in kinds)),
            "leaked_per_1000": round(1000 * (total - masked) / len(rows), 1),
        },
        "leaked_per_1000": round(1000 * (sum(labels.values()) - sum(hits.values())) / len(rows), 1),
    }


def _of_type(
    name: str, labels: int, hits: int, right: Mapping[Kind, int], answers: Mapping[Kind, int]
) -> dict[str, Any]:
    kind = next((kind for kind, names in NAMES.items() if name in names), None)
    precision = labelled.share(right[kind], answers[kind]) if kind and kind in answers else None
    return {"n": labels, "recall": labelled.share(hits, labels), "precision": precision}


def _is_masked(label: Label, found: Sequence[Found]) -> bool:
    covered = sum(max(0, min(one.end, label.end_position) - max(one.start, label.start_position)) for one in found)
    return covered >= COVERED * (label.end_position - label.start_position)


def _is_right(one: Found, label: Label) -> bool:
    """Most of what was masked is a label of its kind."""
    inside = min(one.end, label.end_position) - max(one.start, label.start_position)
    return label.entity_type in NAMES[one.kind] and inside * 2 > one.end - one.start
