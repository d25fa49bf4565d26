"""A score in a sentence that a salesperson reads."""

from __future__ import annotations

from revenueflow.domain.scoring import Factor, Score

LONGEST_REASON = 160


def reasoning(score: Score) -> str:
    """Each line with its points and why, then what was not understood."""
    lines = [_line(factor) for factor in score.factors]
    if score.not_understood:
        lines.append(f"not understood: {', '.join(score.not_understood)}")
    return "; ".join(lines)


def _line(factor: Factor) -> str:
    points = f"{factor.points}/{factor.maximum}" if factor.maximum else str(factor.points)
    return f"{factor.name} {points}: {factor.reason[:LONGEST_REASON]}"
