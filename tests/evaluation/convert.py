"""Public sets of labelled claims in the form that `revenueflow eval grounding` reads. A form is known by its keys.

| form | keys of a line | as |
|---|---|---|
| record to text (RAGTruth) | source, responses[response, labels[start, end, label_type]] | a claim for each text |
| infobox (InfoTabS) | table, claim, label (E, C, N) | a claim a line |
| text and summary (SummEdits) | text, claim, supported | a claim a line |
| ours | evidence, claims, labels | as it is |
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

SENTENCE_END: Final = re.compile(r"(?<=[.!?])[\"”)]*\s+(?=[\"“(]?[A-Z0-9])|\n+")
OF_LETTER: Final = {"E": "supported", "C": "contradicted", "N": "unsupported"}
RECORD, SENTENCES, INFOBOX, SUMMARY, OWN = "record", "sentences", "infobox", "summary", "own"
KEYS: Final = {
    RECORD: {"source", "responses"},
    INFOBOX: {"table", "claim", "label"},
    SUMMARY: {"text", "claim", "supported"},
    OWN: {"evidence", "claims"},
}

Case = dict[str, Any]


class Converted(NamedTuple):
    """Cases of one form, and the kinds of labelled claims that are finer than labels, by claim id."""

    form: str
    cases: list[Case]
    kinds: dict[str, str]


def forms(folder: Path) -> Iterator[Converted]:
    """Each file of a known form in a folder and below; a file of records makes two sets."""
    for file in sorted(folder.rglob("*.jsonl")):
        rows = list(_rows(file))
        form = next((name for name, keys in KEYS.items() if rows and keys <= rows[0].keys()), None)
        if form == RECORD:
            yield _records(rows)
            yield _sentences(rows)
        elif form is not None:
            made = {INFOBOX: _infobox, SUMMARY: _summary, OWN: _as_it_is}[form]
            yield Converted(form, [made(row, f"{file.stem}-{place}") for place, row in enumerate(rows)], {})


def own(file: Path) -> Converted:
    """A file in our own form, with the kinds of its claims where it gives them."""
    rows = list(_rows(file))
    kinds = {f"{place}/{name}": kind for place, row in enumerate(rows) for name, kind in row.get("kinds", {}).items()}
    return Converted(OWN, rows, kinds)


def _rows(file: Path) -> Iterator[dict[str, Any]]:
    with file.open(encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line) if line.strip() else None
            if isinstance(row, dict):
                yield row


def _records(rows: list[dict[str, Any]]) -> Converted:
    claims = [
        [(str(place), one["response"], one["labels"]) for place, one in enumerate(row["responses"])] for row in rows
    ]
    return _labelled(RECORD, rows, claims)


def _sentences(rows: list[dict[str, Any]]) -> Converted:
    claims = [
        [
            (f"{place}-{start}", one["response"][start:end], _overlapping(one["labels"], start, end))
            for place, one in enumerate(row["responses"])
            for start, end in _spans(one["response"])
        ]
        for row in rows
    ]
    return _labelled(SENTENCES, rows, claims)


def _labelled(form: str, rows: list[dict[str, Any]], claims: list[list[tuple[str, str, list[Any]]]]) -> Converted:
    kinds: dict[str, str] = {}
    cases = []
    for number, (row, made) in enumerate(zip(rows, claims, strict=True)):
        case: Case = {
            "evidence": [{"id": "E1", "provider": "record", "data": row["source"]}],
            "claims": [],
            "labels": {},
        }
        for place, text, labels in made:
            name = f"{number}-{place}"
            kinds[name] = _kind(labels)
            case["claims"].append({"id": name, "statement": text})
            case["labels"][name] = {"none": "supported", "baseless": "unsupported"}.get(kinds[name], "contradicted")
        cases.append(case)
    return Converted(form, cases, kinds)


def _kind(labels: Iterable[dict[str, Any]]) -> str:
    types = {label["label_type"].lower() for label in labels}
    if "evident conflict" in types:
        return "evident conflict"
    if "subtle conflict" in types:
        return "subtle conflict"
    return "baseless" if types else "none"


def _overlapping(labels: list[dict[str, Any]], start: int, end: int) -> list[dict[str, Any]]:
    return [label for label in labels if label["start"] < end and label["end"] > start]


def _spans(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    for end in SENTENCE_END.finditer(text):
        if text[start : end.start()].strip():
            yield start, end.start()
        start = end.end()
    if text[start:].strip():
        yield start, len(text)


def _as_it_is(row: dict[str, Any], _name: str) -> Case:
    return row


def _infobox(row: dict[str, Any], name: str) -> Case:
    evidence = [{"id": "E1", "provider": "table", "data": row["table"]}]
    claims = [{"id": name, "statement": row["claim"]}]
    return {"evidence": evidence, "claims": claims, "labels": {name: OF_LETTER[row["label"]]}}


def _summary(row: dict[str, Any], name: str) -> Case:
    evidence = [{"id": "E1", "provider": "text", "data": row["text"]}]
    claims = [{"id": name, "statement": row["claim"]}]
    return {
        "evidence": evidence,
        "claims": claims,
        "labels": {name: "supported" if row["supported"] else "unsupported"},
    }
