"""Where the model says it read it: citations exist, belong to this run, and point into the cited value."""

from __future__ import annotations

import re
from typing import Final
from uuid import UUID

from pydantic import JsonValue

from revenueflow.domain.claim import Claim, ClaimVerdict
from revenueflow.grounding.context import Context
from revenueflow.grounding.decision import Decision

STEP: Final = re.compile(r"\.([^\W\d][\w-]*)|\[(\d+)\]|\['([^']+)'\]|\[\"([^\"]+)\"\]")


def citation_exists(claim: Claim, context: Context) -> Decision | None:
    """A claim without citations, or with an invented one, is unsupported, whatever else it cites."""
    invented = _unknown(claim, context, foreign=False)
    if claim.citations and not invented:
        return None
    return Decision(ClaimVerdict.UNSUPPORTED, "citation_exists", found=None, score=0.05)


def citation_in_run(claim: Claim, context: Context) -> Decision | None:
    """An id of evidence that was not shown in this run, such as one of another run, carries nothing."""
    if not _unknown(claim, context, foreign=True):
        return None
    return Decision(ClaimVerdict.UNSUPPORTED, "citation_in_run", score=0.05)


def citation_path(claim: Claim, context: Context) -> Decision | None:
    """A path that is given must be the cited evidence's own, or lead into its value."""
    for citation in claim.citations:
        piece = context.evidence[citation.evidence_id]
        if citation.json_path and not _leads_into(citation.json_path, piece.path, piece.value):
            return Decision(ClaimVerdict.UNSUPPORTED, "citation_path")
    return None


def _unknown(claim: Claim, context: Context, *, foreign: bool) -> list[str]:
    missing = (name for name in context.cited(claim) if name not in context.evidence)
    return [name for name in missing if _is_uuid(name) is foreign]


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _leads_into(path: str, own: str, value: JsonValue) -> bool:
    if path.strip() in (own, "$.value", "$", "value"):
        return True
    steps, root = _steps(path), _steps(own)
    if steps is None or root is None or steps[: len(root)] != root:
        return False
    return _exists(value, steps[len(root) :])


def _exists(value: JsonValue, steps: list[str | int]) -> bool:
    for step in steps:
        if isinstance(value, list):
            inside = isinstance(step, int) and step < len(value)
            value = value[step] if inside and isinstance(step, int) else None
        elif isinstance(value, dict) and isinstance(step, str):
            value = value.get(step)
        else:
            return False
    return value is not None


def _steps(path: str) -> list[str | int] | None:
    """The steps of a plain JSONPath; None for one with filters, slices or wildcards."""
    text = path.strip()
    if not text.startswith("$"):
        return None
    found: list[str | int] = []
    place = 1
    while place < len(text):
        match = STEP.match(text, place)
        if not match:
            return None
        name, index, single, double = match.groups()
        found.append(int(index) if index else name or single or double)
        place = match.end()
    return found
