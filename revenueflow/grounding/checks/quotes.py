"""A quote is verbatim text of the cited value, after Unicode normalisation only."""

from __future__ import annotations

from typing import Final

from revenueflow.domain.claim import Citation, Claim, ClaimVerdict, Span
from revenueflow.domain.text import comparable
from revenueflow.grounding.context import Context
from revenueflow.grounding.decision import Decision

Place = tuple[int, int]
"""From where up to where, in the text of a piece."""
POINTS: Final = ".,"


def quote_verbatim(claim: Claim, context: Context) -> Decision | None:
    """Each quote must stand, as whole words and numbers, in the evidence that it is said to be from."""
    missing = tuple(c.evidence_id for c in claim.citations if c.quote and not _stands(c, context))
    if not missing:
        return None
    return Decision(ClaimVerdict.UNSUPPORTED, "quote_verbatim", anti_citations=missing, score=0.1)


def spans(claim: Claim, context: Context) -> tuple[Span, ...]:
    """Where the quotes of a claim stand, each at its first place; nothing for one that does not."""
    cited = (c for c in claim.citations if c.quote and c.evidence_id in context.evidence)
    found = ((c.evidence_id, _known_place(c, context)) for c in cited)
    return tuple(Span(evidence_id=name, start=at[0], end=at[1]) for name, at in found if at)


def _stands(citation: Citation, context: Context) -> bool:
    return not comparable(citation.quote or "") or _known_place(citation, context) is not None


def _known_place(citation: Citation, context: Context) -> Place | None:
    key = (citation.evidence_id, citation.quote)
    if key not in context.places:
        context.places[key] = place(citation, context)
    return context.places[key]


def place(citation: Citation, context: Context) -> Place | None:
    """Where the quote of a citation first stands in the text of its evidence; None if it does not."""
    quote = comparable(citation.quote or "")
    if not quote:
        return None
    text = context.text(citation.evidence_id)
    return _whole(quote, text) or _whole(_unquoted(quote), text)


def _unquoted(quote: str) -> str:
    """As it stands in the JSON line: with the quotation marks of a string around it."""
    return quote[1:-1] if len(quote) > 2 and quote[0] == quote[-1] == '"' else quote


def _whole(quote: str, text: str) -> Place | None:
    """Where the quote occurs and is not cut out of a word or a number ("24" is not in "240" or "1.24")."""
    start = text.find(quote)
    while start >= 0:
        end = start + len(quote)
        if not (_cut_before(quote, text, start) or _cut_after(quote, text, end)):
            return start, end
        start = text.find(quote, start + 1)
    return None


def _cut_before(quote: str, text: str, start: int) -> bool:
    if start == 0 or not quote[0].isalnum():
        return False
    before = text[start - 1]
    return _in_word(before) or (before in POINTS and text[start - 2 : start - 1].isdecimal())


def _cut_after(quote: str, text: str, end: int) -> bool:
    if end == len(text) or not quote[-1].isalnum():
        return False
    after = text[end]
    return _in_word(after) or (after in POINTS and text[end + 1 : end + 2].isdecimal())


def _in_word(char: str) -> bool:
    return char.isalnum() or char == "_"
