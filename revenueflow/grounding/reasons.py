"""Why a claim was judged as it was, in a sentence for people."""

from __future__ import annotations

from typing import Final

from revenueflow.domain.claim import ClaimVerdict

OF_CHECK: Final = {
    "citation_exists": "it cites nothing, or evidence that does not exist",
    "citation_in_run": "it cites evidence that was not shown in this run",
    "citation_path": "the path that it cites leads nowhere",
    "quote_verbatim": "the quote does not stand in the cited evidence",
    "polarity": "the statement denies what its value says, or the other way round",
    "numbers": "a number in it does not stand in the cited evidence",
    "names": "a name in it does not stand in the cited evidence",
    "statement": "the statement says something else than its value",
    "vendor_conflict": "another source says something else",
    "buying_signal": "the message does not ask for this",
    "second_opinion": "a model quotes what speaks against it",
    "review": "a person has decided it",
}
OF_VERDICT: Final = {
    ClaimVerdict.SUPPORTED: "the cited evidence says it",
    ClaimVerdict.CONTRADICTED: "the cited evidence says something else",
    ClaimVerdict.UNSUPPORTED: "the cited evidence does not say it",
    ClaimVerdict.AMBIGUOUS: "the evidence contradicts itself",
    ClaimVerdict.NOT_CHECKABLE: "it can't be told from the evidence",
}


def reason(verdict: str, check: str) -> str:
    """The sentence for a verdict and the check that decided it."""
    if verdict == ClaimVerdict.SUPPORTED and check != "review":
        return OF_VERDICT[ClaimVerdict.SUPPORTED]
    return OF_CHECK.get(check) or OF_VERDICT[ClaimVerdict(verdict)]
