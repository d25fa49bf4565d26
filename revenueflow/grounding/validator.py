"""The grounding validator: checks in order, and the first that decides is recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Final

from revenueflow.domain.claim import Claim, ClaimVerdict, JudgedClaim, Verdict
from revenueflow.domain.evidence import Evidence
from revenueflow.domain.vocabulary import Vocabulary
from revenueflow.grounding.checks.citations import citation_exists, citation_in_run, citation_path
from revenueflow.grounding.checks.conflict import vendor_conflict
from revenueflow.grounding.checks.dates import dates, stale_date
from revenueflow.grounding.checks.free.statement import free_statement
from revenueflow.grounding.checks.hedge import free_hedge, hedge
from revenueflow.grounding.checks.lexical import buying_signal, lexical
from revenueflow.grounding.checks.names import foreign_names
from revenueflow.grounding.checks.numbers import numbers
from revenueflow.grounding.checks.polarity import polarity
from revenueflow.grounding.checks.quotes import quote_verbatim, spans
from revenueflow.grounding.checks.statement import says_value
from revenueflow.grounding.checks.typed import typed_comparison, typed_support
from revenueflow.grounding.context import Context
from revenueflow.grounding.decision import SCORES, Decision
from revenueflow.grounding.rules import GroundingRules

Check = Callable[[Claim, Context], Decision | None]

CHECKS: Final[tuple[Check, ...]] = (
    hedge,
    citation_exists,
    citation_in_run,
    citation_path,
    quote_verbatim,
    free_statement,
    typed_comparison,
    polarity,
    dates,
    stale_date,
    numbers,
    foreign_names,
    says_value,
    vendor_conflict,
    typed_support,
    buying_signal,
    free_hedge,
    lexical,
)
"""Each decides or passes on (None); `lexical` always decides."""

UNDECIDED: Final = Decision(ClaimVerdict.NOT_CHECKABLE, "none")


def judge(
    claims: Iterable[Claim],
    evidence: Mapping[str, Evidence],
    vocabulary: Vocabulary,
    rules: GroundingRules,
    checks: tuple[Check, ...] = CHECKS,
    now: datetime | None = None,
) -> tuple[JudgedClaim, ...]:
    """Each claim with its verdict, in order. `evidence` is what the prompt showed, by its ids (E1…En).

    Decides by the evidence alone, without I/O; linear in claims and evidence. What no check decides
    is `not_checkable`: nothing is supported on doubt. `now` is the time of the claims, from which they count
    "next quarter"; without it, that of the newest evidence.
    """
    context = Context(evidence, vocabulary, rules, now)
    listed = tuple(claims)
    return tuple(JudgedClaim(claim=claim, verdict=_verdict(claim, context, checks)) for claim in listed)


def _verdict(claim: Claim, context: Context, checks: tuple[Check, ...]) -> Verdict:
    decision = UNDECIDED
    for check in checks:
        found = check(claim, context)
        if found is not None:
            decision = found
            break
    carrying = decision.citations
    return Verdict(
        claim_id=claim.id,
        verdict=decision.verdict,
        score=round(SCORES[decision.verdict] if decision.score is None else decision.score, 4),
        decided_by=decision.check,
        expected=decision.expected,
        found=decision.found,
        citations=carrying,
        anti_citations=decision.anti_citations,
        spans=spans(claim, context),
        self_reported_only=bool(carrying) and all(context.self_reported(name) for name in carrying),
    )
