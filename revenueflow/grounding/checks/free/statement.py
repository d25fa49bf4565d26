"""Free statements: each part is held against all that the cited evidence says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Final

from revenueflow.domain.claim import Claim, ClaimField, ClaimVerdict
from revenueflow.grounding.checks.free.attributes import attribute
from revenueflow.grounding.checks.free.denials import text_denies
from revenueflow.grounding.checks.free.facts import absent, facts
from revenueflow.grounding.checks.free.figures import number, rating
from revenueflow.grounding.checks.free.hours import hours
from revenueflow.grounding.checks.free.joined import joined
from revenueflow.grounding.checks.free.members import denied_value
from revenueflow.grounding.checks.free.names import foreign_name
from revenueflow.grounding.checks.free.opinions import mixed, opinion
from revenueflow.grounding.checks.free.wording import wording
from revenueflow.grounding.context import Context
from revenueflow.grounding.decision import Decision
from revenueflow.grounding.free.finding import Finding, Stance
from revenueflow.grounding.free.leaves import Leaves
from revenueflow.grounding.free.parts import Part, parts
from revenueflow.grounding.free.table import Statements

Check = Callable[[Part, Leaves], Finding | None]

WHOLE: Final[tuple[Check, ...]] = (facts,)
"""Each decides about a whole part by itself, or passes on (None): the first that decides is alone to count."""

CHECKS: Final[tuple[Check, ...]] = (
    attribute, denied_value, text_denies, hours, rating, number, foreign_name, joined, mixed, opinion, wording,
    absent,
)  # fmt: skip
"""Each decides about what it knows in a part, or passes on (None). All are asked."""

HALF: Final = 0.5


def free_statement(claim: Claim, context: Context) -> Decision | None:
    """Decides if some part is denied or missing, or if all parts are found; passes on otherwise.

    The score is how likely it is that all of it holds: the product of what the checks found in all parts, damped for
    long statements, whose parts are not independent. Many small doubts make a big one, and a single sure one decides.
    """
    if claim.field is not ClaimField.OTHER:
        return None
    leaves = context.leaves(context.cited(claim))
    found = [findings(part, leaves) for part in parts(claim.statement)]
    decided = [finding for one in found for finding in one]
    if not decided:
        return None
    likely = likelihood(decided, len(found), leaves.lists)
    if likely >= HALF and not all(found):
        return None
    return _decision(decisive(decided, likely), likely)


def findings(part: Part, leaves: Leaves) -> list[Finding]:
    """What the checks say of one part."""
    for whole in WHOLE:
        if (decided := whole(part, leaves)) is not None:
            return [decided]
    return [found for check in CHECKS if (found := check(part, leaves)) is not None]


def likelihood(found: Sequence[Finding], count: int, lists: Statements) -> float:
    """How likely a statement of `count` parts holds after these findings."""
    damped: float = prod(finding.score for finding in found) ** (count**-lists.damping)
    return damped * HALF if min(finding.score for finding in found) < lists.sure else damped


def decisive(found: Sequence[Finding], likely: float) -> Finding:
    """The finding to show: the worst one, and among bad ones first what speaks against the statement."""
    against = [finding for finding in found if finding.stance is Stance.DISAGREES]
    return min(against if against and likely < HALF else found, key=lambda finding: finding.score)


def _decision(worst: Finding, likely: float) -> Decision:
    names = tuple(dict.fromkeys(leaf.evidence_id for leaf in worst.leaves))
    if likely >= HALF:
        return Decision(ClaimVerdict.SUPPORTED, worst.check, worst.expected, worst.found, citations=names, score=likely)
    denied = worst.stance is Stance.DISAGREES
    verdict = ClaimVerdict.CONTRADICTED if denied else ClaimVerdict.UNSUPPORTED
    return Decision(verdict, worst.check, worst.expected, worst.found, anti_citations=names, score=likely)
