"""A quote is verbatim text of the cited value, after Unicode normalisation only."""

from __future__ import annotations

import re

from revenueflow.domain.claim import Citation, Claim, ClaimVerdict, Span
from revenueflow.domain.text import comparable
from revenueflow.grounding.context import Context
from revenueflow.grounding.decision import Decision


def quote_verbatim(claim: Claim, context: Context) -> Decision | None:
    """Each quote must stand, as whole words and numbers, in the evidence that it is said to be from."""
    missing = tuple(c.evidence_id for c in claim.citations if c.quote and not _stands(c, context))
    if not missing:
        return None
    return Decision(ClaimVerdict.UNSUPPORTED, "quote_verbatim", anti_citations=missing, score=0.1)


def spans(claim: Claim, context: Context) -> tuple[Span, ...]:
    """Where the quotes of a claim stand, each at its first place; nothing for one that does not."""
    found = (
        (c.evidence_id, place(c, context)) for c in claim.citations if c.quote and c.evidence_id in context.evidence
    )
    return tuple(Span(evidence_id=name, start=at.start(), end=at.end()) for name, at in found if at)


def _stands(citation: Citation, context: Context) -> bool:
    return not comparable(citation.quote or "") or place(citation, context) is not None


def place(citation: Citation, context: Context) -> re.Match[str] | None:
    """Where the quote of a citation first stands in the text of its evidence; None if it does not."""
    quote = comparable(citation.quote or "")
    if not quote:
        return None
    text = context.text(citation.evidence_id)
    return _whole(quote, text) or _whole(_unquoted(quote), text)


def _unquoted(quote: str) -> str:
    """As it stands in the JSON line: with the quotation marks of a string around it."""
    return quote[1:-1] if len(quote) > 2 and quote[0] == quote[-1] == '"' else quote


def _whole(quote: str, text: str) -> re.Match[str] | None:
    """Where the quote occurs and is not cut out of a word or a number ("24" is not in "240" or "1.24")."""
    if quote not in text:
        return None
    before = r"(?<!\w)(?<!\d[.,])" if quote[0].isalnum() else ""
    after = r"(?!\w)(?![.,]\d)" if quote[-1].isalnum() else ""
    return re.search(f"{before}{re.escape(quote)}{after}", text)
