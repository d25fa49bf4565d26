"""What a second opinion may decide, and what it can't."""

from __future__ import annotations

import pytest

from revenueflow.domain.claim import ClaimVerdict, JudgedClaim, Verdict
from revenueflow.domain.lead import Intent
from revenueflow.domain.opinion import Opinion, Relation, Source
from revenueflow.grounding.effect import weigh
from revenueflow.grounding.opinion import hear, undecided
from tests.unit.grounding.lead import FETCHED, SELF, cites, claim, judged, piece, rules, vocabulary

TEXT = "Nordlicht opened an office in Lisbon. It does not sell to consumers. We doubled the support team last spring."
ASKED = "We might try a pilot for the support team."
EVIDENCE = {
    "E1": piece("clearbit", "company_name", "Nordlicht Energie"),
    "E2": piece("hunter", "description", TEXT),
    "E3": piece("form", "message", ASKED, SELF),
    "E4": piece("hunter", "news", "The support team of another company doubled."),
    "E5": piece("clearbit", "headcount", 240),
}
SOURCE = Source(model="m-1", prompt_version="v-1")
GROWS = claim("other", None, "The company expands its support team.", "E2")
SELLS = claim("other", None, "The company sells directly to private consumers.", "E2")


def opinion(relation: str, quote: str = "", cited: str = "E2", claim_id: str = "C1") -> Opinion:
    return Opinion(claim_id=claim_id, relation=Relation(relation), evidence_id=cited, quote=quote)


def heard(before: JudgedClaim, *opinions: Opinion) -> Verdict:
    (after,) = hear([before], opinions, SOURCE, EVIDENCE, vocabulary(), rules(), FETCHED)
    return after.verdict


def test_a_quote_that_says_it_supports_a_claim() -> None:
    before = judged(GROWS, EVIDENCE)
    assert undecided([before]) == (before,)
    found = heard(before, opinion("entails", "We doubled the support team"))
    assert (found.verdict, found.decided_by, found.score) == (ClaimVerdict.SUPPORTED, "second_opinion", 0.6)
    assert (found.citations, found.anti_citations, found.self_reported_only) == (("E2",), (), False)
    assert found.found == {"quote": "We doubled the support team", "model": "m-1", "prompt_version": "v-1"}
    (span,) = found.spans
    assert TEXT[span.start : span.end] == "We doubled the support team"


def test_a_quote_that_denies_it_contradicts_a_claim() -> None:
    found = heard(judged(SELLS, EVIDENCE), opinion("contradicts", "It does not sell to consumers."))
    assert (found.verdict, found.decided_by) == (ClaimVerdict.CONTRADICTED, "second_opinion")
    assert (found.citations, found.anti_citations) == ((), ("E2",))


@pytest.mark.parametrize("relation", ["entails", "contradicts"])
@pytest.mark.parametrize(
    ("quote", "cited"),
    [
        ("", "E2"),
        ("The company expands its support team.", "E2"),
        ("We doubled the sales team", "E2"),
        ("the support te", "E2"),
        ("The support team of another company doubled.", "E4"),
        ("The support team of another company doubled.", "E2"),
        ("We doubled the support team", "E97"),
        ("We doubled", "E2"),
        ("Nordlicht opened an office in Lisbon.", "E2"),
        ("240", "E5"),
    ],
)
def test_without_a_verified_quote_an_opinion_does_not_count(relation: str, quote: str, cited: str) -> None:
    """Nothing quoted, made up, changed, cut out of a word, of evidence not cited, or about something else."""
    before = judged(GROWS, EVIDENCE)
    assert heard(before, opinion(relation, quote, cited)) == before.verdict


def test_silence_and_words_on_other_claims_change_nothing() -> None:
    before = judged(GROWS, EVIDENCE)
    assert heard(before) == before.verdict
    assert heard(before, opinion("silent", "We doubled the support team")) == before.verdict
    assert heard(before, opinion("entails", "We doubled the support team", claim_id="C2")) == before.verdict


def test_two_opinions_on_one_claim_are_none() -> None:
    before, good = judged(GROWS, EVIDENCE), opinion("entails", "We doubled the support team")
    assert heard(before, good, good) == heard(before, good, opinion("silent")) == before.verdict


@pytest.mark.parametrize("quote", ["sell to consumers", "It does not sell to consumers.", "to consumers"])
def test_a_denial_can_not_be_cut_off_from_what_it_denies(quote: str) -> None:
    before = judged(SELLS, EVIDENCE)
    assert heard(before, opinion("entails", quote)) == before.verdict


@pytest.mark.parametrize(
    "made",
    [
        claim("headcount", 500, "The company has 500 employees.", "E5"),
        claim("headcount", 240, "The company has 240 employees.", "E5"),
        claim("other", None, "The company expands its support team in Tokyo.", "E2"),
        claim("other", None, "The support team tripled.", "E2"),
        claim("headcount", None, "The number of employees is not specified.", "E5"),
        claim("other", None, "The number of consumers is not specified.", "E2"),
        claim("other", None, "The company expands its support team.", cites("E2", "We tripled the support team")),
        claim("other", None, "The company expands its support team.", "E98"),
    ],
)
def test_an_opinion_overrules_no_check(made: object) -> None:
    before = judged(made, EVIDENCE)  # type: ignore[arg-type]
    assert undecided([before]) == ()
    assert heard(before, opinion("entails", "We doubled the support team")) == before.verdict
    assert heard(before, opinion("entails", "240", "E5")) == before.verdict


def test_what_the_sender_says_stays_what_the_sender_says() -> None:
    before = judged(claim("other", None, "A trial of the product is planned for the support team.", "E3"), EVIDENCE)
    found = heard(before, opinion("entails", ASKED, "E3"))
    assert (found.decided_by, found.self_reported_only) == ("second_opinion", True)


def test_it_is_told_and_earns_no_points() -> None:
    wish = judged(claim("buying_signal", None, "The support team might be involved in it soon.", "E3"), EVIDENCE)
    size = judged(claim("headcount", 240, "The company has 240 employees.", "E5"), EVIDENCE)
    after = hear([wish, size], [opinion("entails", ASKED, "E3")], SOURCE, EVIDENCE, vocabulary(), rules(), FETCHED)
    with_it, without = (weigh(one, EVIDENCE, rules(), FETCHED) for one in (after, [size]))
    assert len(with_it.supported) == 2
    assert (with_it.fit, with_it.intent) == (without.fit, without.intent)
    assert with_it.intent is Intent.LOW
