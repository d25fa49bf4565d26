"""What a check says when it decides."""

from __future__ import annotations

from typing import Final, NamedTuple

from pydantic import JsonValue

from revenueflow.domain.claim import ClaimVerdict

SCORES: Final = {
    ClaimVerdict.SUPPORTED: 1.0,
    ClaimVerdict.AMBIGUOUS: 0.5,
    ClaimVerdict.NOT_CHECKABLE: 0.4,
    ClaimVerdict.UNSUPPORTED: 0.2,
    ClaimVerdict.CONTRADICTED: 0.0,
}
"""How sure a verdict is that the claim holds, where the check knows no better."""


HEDGE: Final = "hedge"
"""The check that finds a claim to claim nothing: it does not count in the judgement."""


SECOND_OPINION: Final = "second_opinion"
"""A model's opinion that its quote carries: it is told, and earns no points."""


class Decision(NamedTuple):
    """A verdict and why: `expected` is what the claim says, `found` what the cited evidence says."""

    verdict: ClaimVerdict
    check: str
    expected: JsonValue = None
    found: JsonValue = None
    citations: tuple[str, ...] = ()
    anti_citations: tuple[str, ...] = ()
    score: float | None = None
