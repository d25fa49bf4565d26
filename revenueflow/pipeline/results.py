"""Scores as a table for people and programs: the same columns from a file and from the database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from revenueflow.domain.recent import Recent
from revenueflow.domain.scoring import Factor, Score
from revenueflow.domain.text import neutral_cell
from revenueflow.pipeline.score_file import REMEMBERED, Scored
from revenueflow.scoring.reasoning import reasoning, reasons
from revenueflow.sources.csv.rejects import DETAILS

COLUMNS = (
    "lead_id", "name", "company", "role", "industry", "score", "intent", "reasoning", "tier", "profile", "factors",
    "owner",
)  # fmt: skip


class Rows:
    """Scored rows of a file as the cells of a CSV. What rows with the same score say of it is made once."""

    def __init__(self) -> None:
        self._told: Recent[int, tuple[Score, str, str]] = Recent(REMEMBERED)

    def cells(self, row: Scored, owner: str = "") -> list[str]:
        """The cells of a row and its owner, none of which a spreadsheet takes for a formula."""
        form, score = row.given.form, row.score
        # What is kept holds its score: no other one gets that id meanwhile.
        _, why, lines = self._told.get(id(score), lambda: (score, reasoning(score), _cell(factors(score.factors))))
        if row.row.problem:
            why = f"{why}; {DETAILS[row.row.problem]}"
        given = (row.given.source_id, form.name, form.company, form.title, form.industry)
        points = (str(score.total), score.intent.value, neutral_cell(why), score.tier.value, score.profile, lines)
        return [*(neutral_cell(text) if text else "" for text in given), *points, neutral_cell(owner)]


def of_stored(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of `scores.results`, by column."""
    lines = waterfall(row["score_factors"])
    return {
        "lead_id": str(row["id"]),
        **{name: row[name] for name in COLUMNS if name in row},
        "reasoning": reasons(row["score_factors"]),
        "factors": lines,
    }


def factors(lines: Iterable[Factor]) -> list[dict[str, Any]]:
    """The lines of a score as JSON has them."""
    return waterfall([line.__dict__ for line in lines])


def waterfall(lines: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Lines of a score, each with `after`, the score after it."""
    told, after = [], 0
    for line in lines:
        after += line["points"]
        told.append({**line, "after": after})
    return told


def cells(result: Mapping[str, Any]) -> list[str]:
    """A result as the cells of a CSV, none of which a spreadsheet takes for a formula."""
    return [neutral_cell(_cell(result[name])) for name in COLUMNS]


def _cell(value: Any) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    return str(value) if isinstance(value, int) else orjson.dumps(value).decode()
