"""A score in a sentence that a salesperson reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from revenueflow.domain.scoring import Score

LONGEST_REASON = 160


def reasoning(score: Score) -> str:
    """Each line with its points and why, then what was not understood."""
    return _sentence((line.__dict__ for line in score.factors), score.not_understood)


def reasons(lines: Iterable[Mapping[str, Any]]) -> str:
    """As `reasoning`, of lines as they are stored; older ones don't tell what was not understood."""
    kept = list(lines)
    return _sentence(kept, dict.fromkeys(name for line in kept for name in line.get("not_understood", ())))


def _sentence(lines: Iterable[Mapping[str, Any]], not_understood: Iterable[str]) -> str:
    told = [_line(line) for line in lines]
    names = ", ".join(not_understood)
    return "; ".join([*told, f"not understood: {names}"] if names else told)


def _line(line: Mapping[str, Any]) -> str:
    points = f"{line['points']}/{line['maximum']}" if line["maximum"] else str(line["points"])
    return f"{line['name']} {points}: {line['reason'][:LONGEST_REASON]}"
