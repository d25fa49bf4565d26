"""Free statements: each part is held against all that the cited evidence says, and the worst part decides."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from revenueflow.domain.claim import Claim, ClaimField, ClaimVerdict
from revenueflow.grounding.checks.free.facts import absent, facts
from revenueflow.grounding.context import Context
from revenueflow.grounding.decision import Decision
from revenueflow.grounding.free.finding import Finding, Stance
from revenueflow.grounding.free.leaves import Leaves
from revenueflow.grounding.free.parts import Part, parts

Check = Callable[[Part, Leaves], Finding | None]

CHECKS: Final[tuple[Check, ...]] = (facts, absent)
"""Each decides about one part of a statement, or passes on (None)."""

VERDICTS: Final = {
    Stance.AGREES: ClaimVerdict.SUPPORTED,
    Stance.DISAGREES: ClaimVerdict.CONTRADICTED,
    Stance.MISSING: ClaimVerdict.UNSUPPORTED,
}


def free_statement(claim: Claim, context: Context) -> Decision | None:
    """Decides if some part is denied or missing, or if all parts are found; passes on otherwise."""
    if claim.field is not ClaimField.OTHER:
        return None
    leaves = _leaves(context.cited(claim), context)
    found = [_first(part, leaves) for part in parts(claim.statement)]
    decided = [finding for finding in found if finding is not None]
    worst = min(decided, key=lambda finding: finding.score, default=None)
    if worst is None or (worst.stance is Stance.AGREES and len(decided) < len(found)):
        return None
    return _decision(worst)


def _leaves(names: tuple[str, ...], context: Context) -> Leaves:
    pieces = {name: context.evidence[name] for name in names}
    return Leaves(
        {name: piece.value for name, piece in pieces.items()},
        {name: piece.signal.value for name, piece in pieces.items()},
        context.company_words,
        max((piece.fetched_at.date() for piece in pieces.values()), default=None),
    )


def _first(part: Part, leaves: Leaves) -> Finding | None:
    return next((found for check in CHECKS if (found := check(part, leaves)) is not None), None)


def _decision(finding: Finding) -> Decision:
    names = tuple(dict.fromkeys(leaf.evidence_id for leaf in finding.leaves))
    agrees = finding.stance is Stance.AGREES
    return Decision(
        VERDICTS[finding.stance],
        finding.check,
        finding.expected,
        finding.found,
        citations=names if agrees else (),
        anti_citations=() if agrees else names,
        score=finding.score,
    )
