"""A claim: one statement by the model about the lead. A verdict: what the grounding validator says of it."""

from __future__ import annotations

from enum import StrEnum

from pydantic import JsonValue

from revenueflow.domain.base import Value
from revenueflow.domain.lead import Intent


class ClaimField(StrEnum):
    """What a claim is about. `other` is a free statement: it has no typed comparison."""

    INDUSTRY = "industry"
    HEADCOUNT = "headcount"
    COUNTRY = "country"
    TECHNOLOGY = "technology"
    TECHNOLOGY_ABSENT = "technology_absent"
    FUNDING_STAGE = "funding_stage"
    FUNDING_AMOUNT = "funding_amount"
    REVENUE = "revenue"
    FOUNDED_YEAR = "founded_year"
    SENIORITY = "seniority"
    DEPARTMENT = "department"
    BUYING_SIGNAL = "buying_signal"
    LOCATION = "location"
    HIRING = "hiring"
    PRODUCT_LAUNCH = "product_launch"
    USE_CASE = "use_case"
    BUDGET = "budget"
    TIMELINE = "timeline"
    COMPETITOR = "competitor"
    OTHER = "other"


class Citation(Value):
    """Where the model says it read it: `evidence_id` as shown in the prompt (E1…En), perhaps a path and a quote."""

    evidence_id: str
    json_path: str | None = None
    quote: str | None = None


class Claim(Value):
    """One statement. `id` is C1…Cn within an analysis; `value` is typed by `field` (number, text, or list)."""

    id: str
    field: ClaimField
    value: JsonValue = None
    statement: str
    citations: tuple[Citation, ...] = ()


class ClaimVerdict(StrEnum):
    """What the evidence says of a claim. Only `supported` ones leave the house."""

    SUPPORTED = "supported"
    CONTRADICTED = "contradicted"
    UNSUPPORTED = "unsupported"
    AMBIGUOUS = "ambiguous"
    NOT_CHECKABLE = "not_checkable"


class Span(Value):
    """The place of a quote: from `start` up to `end` in the text of the evidence, as `comparable` writes it."""

    evidence_id: str
    start: int
    end: int


class Verdict(Value):
    """The judgement of one claim.

    `score` is 1 for surely supported and 0 for surely not; `decided_by` names the check that decided;
    `expected` is what the claim says and `found` what the cited evidence says, both normalised;
    `citations` are the E-ids that carry it, `anti_citations` those that speak against it, `spans` where its quotes are;
    `self_reported_only` is true when nothing but the form itself supports it.
    """

    claim_id: str
    verdict: ClaimVerdict
    score: float
    decided_by: str
    expected: JsonValue = None
    found: JsonValue = None
    citations: tuple[str, ...] = ()
    anti_citations: tuple[str, ...] = ()
    spans: tuple[Span, ...] = ()
    self_reported_only: bool = False


class Analysis(Value):
    """What a model, or the rules analyst, answered. `fit` is its proposal only; the fit that counts is computed.

    `cached`: it is the answer that another run had paid for; tokens and cost (US dollars) are those of this run.
    """

    analyst: str
    model: str
    prompt_version: str
    fit: int
    intent: Intent
    claims: tuple[Claim, ...]
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float = 0.0
    cached: bool = False


class AnalysisVerdict(StrEnum):
    """`partial`: some claims were dropped. `rejected`: no supported claim is left; rules only."""

    VALID = "valid"
    PARTIAL = "partial"
    REJECTED = "rejected"


class JudgedClaim(Value):
    """A claim with its verdict."""

    claim: Claim
    verdict: Verdict

    @property
    def supported(self) -> bool:
        """True if the evidence says it."""
        return self.verdict.verdict is ClaimVerdict.SUPPORTED


class Judgement(Value):
    """The judged analysis: fit (0-100) and intent are computed from the claims that survived."""

    verdict: AnalysisVerdict
    fit: int
    intent: Intent
    claims: tuple[JudgedClaim, ...]

    @property
    def supported(self) -> tuple[JudgedClaim, ...]:
        """The claims that may leave the house."""
        return tuple(judged for judged in self.claims if judged.supported)
