"""Scores as a table for people and programs: the same columns from a file and from the database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from revenueflow.domain.scoring import Factor
from revenueflow.domain.text import neutral_cell
from revenueflow.pipeline.score_file import Scored
from revenueflow.scoring.reasoning import reasoning, reasons
from revenueflow.sources.csv.rejects import DETAILS

COLUMNS = (
    "lead_id", "name", "company", "role", "industry", "score", "intent", "reasoning", "tier", "profile", "factors",
    "owner",
)  # fmt: skip


def of_row(row: Scored) -> dict[str, Any]:
    """A scored row of a file, by column. Nobody owns what is not stored."""
    form, score = row.given.form, row.score
    why = reasoning(score)
    return {
        "lead_id": row.given.source_id or "",
        "name": form.name,
        "company": form.company,
        "role": form.title,
        "industry": form.industry,
        "score": score.total,
        "intent": score.intent.value,
        "reasoning": f"{why}; {DETAILS[row.row.problem]}" if row.row.problem else why,
        "tier": score.tier.value,
        "profile": score.profile,
        "factors": factors(score.factors),
        "owner": None,
    }


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
