"""`revenueflow eval`: our own components, measured on labelled files. Each command prints one JSON object."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter
from typing import Annotated, Any, ClassVar, Literal

import typer
from pydantic import StrictStr

from revenueflow import defaults
from revenueflow.cli import labelled
from revenueflow.cli.labelled import LabelledFile, Predictions
from revenueflow.cli.lazy import LazyGroup
from revenueflow.cli.run import guarded, write_json
from revenueflow.domain.vocabulary import Vocabulary
from revenueflow.settings import General, Settings


class Measured(LazyGroup):
    """Those that are large have modules of their own."""

    places: ClassVar = {
        "grounding": "grounding:grounding",
        "pii": "pii:pii",
        "scoring": "eval_scoring:scoring",
        "routing": "routing_eval:routing",
    }


app = typer.Typer(
    cls=Measured, help="Measure our own components on a labelled file. Prints one JSON object.", no_args_is_help=True
)
Misses = Annotated[
    Path | None, typer.Option(dir_okay=False, help="Also write what was wrong to this file, as JSON Lines.")
]
Seniority = Literal["c_level", "vp", "director", "manager", "individual"]


class Pair(labelled.Row):
    """Two names of companies, and whether they mean one."""

    name1: StrictStr
    name2: StrictStr
    is_match: bool


class Title(labelled.Row):
    """A title, and what it says; null for what it does not say."""

    title: StrictStr
    seniority: Seniority | None
    department: StrictStr | None


@app.command()
def matching(file: LabelledFile, predictions: Predictions = None) -> None:
    """Do two names mean one company: {"name1", "name2", "is_match"} on each line.

    Example: revenueflow eval matching pairs.jsonl --predictions answers.jsonl
    """
    from revenueflow.domain.companies import THRESHOLD, match_score

    rows = labelled.read(file, Pair)
    guarded(lambda: match_score("", ""))
    start = perf_counter()
    scores = [match_score(row.name1, row.name2) for row in rows]
    seconds = perf_counter() - start
    expected, found = [row.is_match for row in rows], [score >= THRESHOLD for score in scores]
    labelled.write(
        predictions,
        (
            row.model_dump() | {"score": score, "found": score >= THRESHOLD}
            for row, score in zip(rows, scores, strict=True)
        ),
    )
    measured = labelled.binary(expected, found) | {"auroc": labelled.auroc(expected, scores)}
    write_json({"n": len(rows)} | measured | {"threshold": THRESHOLD, "seconds": round(seconds, 4)})


@app.command()
def titles(file: LabelledFile, predictions: Predictions = None, misses: Misses = None) -> None:
    """Seniority and department of titles: {"title", "seniority", "department"} on each line, null for none.

    Example: revenueflow eval titles titles.jsonl --misses wrong.jsonl
    """
    rows = labelled.read(file, Title)
    vocabulary = guarded(_vocabulary)
    start = perf_counter()
    found = [(vocabulary.seniority(row.title), vocabulary.department(row.title)) for row in rows]
    seconds = perf_counter() - start
    answers = [_answer(row, *answer) for row, answer in zip(rows, found, strict=True)]
    wrong = [answer for answer in answers if not answer["right"]]
    labelled.write(predictions, answers)
    labelled.write(misses, wrong)
    measured = {
        "seniority": labelled.classes([row.seniority for row in rows], [one for one, _ in found]),
        "department": labelled.classes([row.department for row in rows], [one for _, one in found]),
    }
    write_json({"n": len(rows)} | measured | {"misses": len(wrong), "seconds": round(seconds, 4)})


def _vocabulary() -> Vocabulary:
    """The table that the pipeline would use, with its indices built."""
    table = defaults.load(Vocabulary, "vocabulary.toml", Settings.only(General).config_dir)
    table.seniority("CEO")
    table.department("CEO")
    return table


def _answer(row: Title, seniority: str | None, department: str | None) -> dict[str, Any]:
    right = (seniority, department) == (row.seniority, row.department)
    return row.model_dump() | {"found_seniority": seniority, "found_department": department, "right": right}
