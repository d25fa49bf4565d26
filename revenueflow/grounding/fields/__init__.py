"""What a value of each typed field is, where it may be read, and how two of them compare."""

from __future__ import annotations

from typing import Final

from revenueflow.domain.claim import ClaimField
from revenueflow.domain.evidence import Signal
from revenueflow.grounding.clause import clauses
from revenueflow.grounding.fields.base import Fact, Field, Relation, Unlisted
from revenueflow.grounding.fields.jobs import Hiring
from revenueflow.grounding.fields.named import Named, Products
from revenueflow.grounding.fields.numeric import FUNDING, REVENUE, Amount, Count, Year
from revenueflow.grounding.fields.places import Places
from revenueflow.grounding.fields.plans import Budget, Timeline
from revenueflow.grounding.fields.texts import Phrased
from revenueflow.grounding.fields.told import Telling, Told

FIELDS: Final[dict[ClaimField, Field]] = {
    ClaimField.INDUSTRY: Named("industry", frozenset({Signal.INDUSTRY})),
    ClaimField.COUNTRY: Named("country", frozenset({Signal.COUNTRY})),
    ClaimField.FUNDING_STAGE: Named("funding_stage", frozenset({Signal.FUNDING_STAGE})),
    ClaimField.SENIORITY: Named("seniority", frozenset({Signal.SENIORITY, Signal.TITLE})),
    ClaimField.DEPARTMENT: Named("department", frozenset({Signal.DEPARTMENT, Signal.TITLE})),
    ClaimField.TECHNOLOGY: Products(),
    ClaimField.TECHNOLOGY_ABSENT: Products(absent=True),
    ClaimField.HEADCOUNT: Count(),
    ClaimField.FOUNDED_YEAR: Year(),
    ClaimField.FUNDING_AMOUNT: Amount(FUNDING, frozenset({Signal.FUNDING_TOTAL})),
    ClaimField.REVENUE: Amount(REVENUE, frozenset({Signal.REVENUE})),
    ClaimField.LOCATION: Places(ClaimField.LOCATION),
    ClaimField.HIRING: Hiring(ClaimField.HIRING),
    ClaimField.PRODUCT_LAUNCH: Phrased(ClaimField.PRODUCT_LAUNCH, exact=True, whole=False),
    ClaimField.USE_CASE: Phrased(ClaimField.USE_CASE, cued=False),
    ClaimField.COMPETITOR: Phrased(ClaimField.COMPETITOR, exact=True),
    ClaimField.BUDGET: Budget(ClaimField.BUDGET),
    ClaimField.TIMELINE: Timeline(ClaimField.TIMELINE),
}

__all__ = [
    "FIELDS",
    "Amount",
    "Budget",
    "Count",
    "Fact",
    "Field",
    "Hiring",
    "Named",
    "Phrased",
    "Places",
    "Products",
    "Relation",
    "Telling",
    "Timeline",
    "Told",
    "Unlisted",
    "Year",
    "clauses",
]
