"""Labelled files (JSON Lines), and how well our answers agree with the labels. What every `eval` command shares."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, BinaryIO, TypeVar

import orjson
import typer
from pydantic import BaseModel, ConfigDict, ValidationError

from revenueflow.cli.run import fail
from revenueflow.errors import plain

LabelledFile = Annotated[Path, typer.Argument(help="JSON Lines; - reads standard input.")]
Predictions = Annotated[
    Path | None, typer.Option(dir_okay=False, help="Also write each answer to this file, as JSON Lines.")
]
M = TypeVar("M", bound=BaseModel)


class Row(BaseModel):
    """One line of a labelled file. Other keys are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")


def read(file: Path, model: type[M]) -> list[M]:
    """The rows of a file. The first bad line ends the command: file, line number, key and what is allowed, no value."""
    with _opened(file) as lines:
        rows = [_row(line, f"{file}:{number}", model) for number, line in enumerate(lines, 1) if line.strip()]
    if not rows:
        fail(f"{file}: no rows; allowed: one JSON object on each line, with {', '.join(model.model_fields)}")
    return rows


@contextmanager
def _opened(file: Path) -> Iterator[BinaryIO]:
    if str(file) == "-":
        yield sys.stdin.buffer
        return
    try:
        with file.open("rb") as lines:
            yield lines
    except OSError as error:
        fail(f"{file}: can't be read: {error.strerror}")


def _row(line: bytes, place: str, model: type[M]) -> M:
    try:
        return model.model_validate(orjson.loads(line.removeprefix(b"\xef\xbb\xbf")))
    except orjson.JSONDecodeError:
        fail(f"{place}: not JSON; allowed: one JSON object on each line, with {', '.join(model.model_fields)}")
    except ValidationError as error:
        faults = error.errors(include_input=False, include_url=False, include_context=False)
        said = "; ".join(f"{'.'.join(map(str, fault['loc'])) or 'the line'}: {plain(fault['msg'])}" for fault in faults)
        fail(f"{place}: {said}")


def write(file: Path | None, rows: Iterable[Mapping[str, Any]]) -> None:
    """Rows as JSON Lines. Ends the command if the file can't be written."""
    if file is None:
        return
    try:
        with file.open("wb") as out:
            out.writelines(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows)
    except OSError as error:
        fail(f"{file}: can't be written: {error.strerror}")


def binary(expected: Sequence[bool], found: Sequence[bool]) -> dict[str, float | None]:
    """Precision, recall, F1 and accuracy of yes-no answers. None where nothing can be divided by."""
    pairs = list(zip(expected, found, strict=True))
    hits = sum(label and answer for label, answer in pairs)
    return {
        "precision": share(hits, sum(found)),
        "recall": share(hits, sum(expected)),
        "f1": share(2 * hits, sum(found) + sum(expected)),
        "accuracy": share(sum(label == answer for label, answer in pairs), len(pairs)),
    }


def auroc(expected: Sequence[bool], scores: Sequence[float]) -> float | None:
    """The chance that a positive has the higher score; ties count half. None without both kinds."""
    positives = sum(expected)
    negatives = len(expected) - positives
    if not positives or not negatives:
        return None
    ranks = _ranks(scores)
    total = sum(rank for rank, label in zip(ranks, expected, strict=True) if label)
    return round((total - positives * (positives + 1) / 2) / (positives * negatives), 4)


def _ranks(scores: Sequence[float]) -> list[float]:
    """From 1; equal scores share the mean of their ranks."""
    order = sorted(range(len(scores)), key=scores.__getitem__)
    ranks = [0.0] * len(scores)
    start = 0
    while start < len(order):
        end = start
        while end < len(order) and scores[order[end]] == scores[order[start]]:
            end += 1
        for place in order[start:end]:
            ranks[place] = (start + 1 + end) / 2
        start = end
    return ranks


def classes(expected: Sequence[str | None], found: Sequence[str | None]) -> dict[str, Any]:
    """Accuracy, and precision and recall of each class; "none" is the class of what has none."""
    pairs = [(label or "none", answer or "none") for label, answer in zip(expected, found, strict=True)]
    named = sorted({name for pair in pairs for name in pair})
    return {
        "accuracy": share(sum(label == answer for label, answer in pairs), len(pairs)),
        "classes": {name: _of_class(name, pairs) for name in named},
    }


def _of_class(name: str, pairs: Sequence[tuple[str, str]]) -> dict[str, Any]:
    labels = sum(label == name for label, _ in pairs)
    hits = sum(label == answer == name for label, answer in pairs)
    answers = sum(answer == name for _, answer in pairs)
    return {"n": labels, "precision": share(hits, answers), "recall": share(hits, labels)}


def share(part: int, whole: int) -> float | None:
    """A share with four digits, None of nothing."""
    return round(part / whole, 4) if whole else None
