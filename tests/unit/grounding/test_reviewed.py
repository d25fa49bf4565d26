"""What is in question, what a decision does, and for which claims it holds."""

from __future__ import annotations

from typing import Any

import pytest

from revenueflow.domain.claim import Claim, ClaimVerdict, JudgedClaim
from revenueflow.domain.evidence import Evidence, Trust
from revenueflow.domain.review import Decided, DecisionKind, Questions, ReviewKind
from revenueflow.grounding.cases import case
from revenueflow.grounding.effect import weigh
from revenueflow.grounding.reasons import reason
from revenueflow.grounding.reviewed import decided, fingerprint, questions, wrong_with
from tests.unit.grounding.lead import FETCHED, LEAD, cites, claim, judged, piece, rules, vocabulary

TRUE = claim("industry", "software", "It is in the software industry.", "E3")
DISPUTED = claim("headcount", 10_000, "It has 10000 employees.", cites("E14", "10000"))
FORGED = claim("headcount", 50_000, "It has 50000 employees.", "E99")


def print_of(made: Claim, evidence: dict[str, Evidence] | None = None) -> str:
    pieces = LEAD if evidence is None else evidence
    return fingerprint(judged(made, pieces), pieces, vocabulary())


def with_decision(made: Claim, kind: DecisionKind, **given: Any) -> JudgedClaim:
    values = {"value": made.value, "statement": made.statement} | given
    decision = Decided(ref="C1", fingerprint=print_of(made), decision=kind, **values)
    return decided([judged(made)], [decision], LEAD, vocabulary())[0]


def asked(*claims: Claim) -> Questions:
    return questions(weigh([judged(one) for one in claims], LEAD, rules(), FETCHED))


def test_what_is_in_question() -> None:
    assert asked(TRUE) == Questions()
    assert asked() == Questions()
    assert asked(FORGED) == Questions(kind=ReviewKind.REJECTED, questioned=("C1",))
    disputed = DISPUTED.model_copy(update={"id": "C2"})
    assert asked(TRUE, disputed) == Questions(kind=ReviewKind.AMBIGUOUS, questioned=("C2",))


def test_nobody_is_asked_twice() -> None:
    rejected = with_decision(FORGED, DecisionKind.REJECT)
    assert questions(weigh([rejected], LEAD, rules(), FETCHED)) == Questions()


def test_an_accepted_claim_rests_on_what_it_cites() -> None:
    verdict = with_decision(DISPUTED, DecisionKind.ACCEPT).verdict
    assert (verdict.verdict, verdict.decided_by, verdict.score) == (ClaimVerdict.SUPPORTED, "review", 1.0)
    assert (verdict.citations, verdict.self_reported_only, verdict.expected) == (("E14",), True, 10_000)


def test_an_edited_claim_rests_on_a_person() -> None:
    found = with_decision(DISPUTED, DecisionKind.EDIT, value=250, statement="It has 250 employees.")
    assert (found.claim.value, found.verdict.expected) == (250, 250)
    assert (found.verdict.citations, found.verdict.self_reported_only) == ((), False)
    weighed = weigh([found], LEAD, rules(), FETCHED)
    same = judged(claim("headcount", 240, "It has 240 employees.", "E4"))
    assert weighed.fit == weigh([same], LEAD, rules(), FETCHED).fit


def test_a_rejected_claim_keeps_its_words() -> None:
    found = with_decision(TRUE, DecisionKind.REJECT, statement="something else")
    assert (found.claim, found.verdict.verdict) == (TRUE, ClaimVerdict.UNSUPPORTED)


def test_a_decision_about_another_claim_changes_nothing() -> None:
    other = Decided(ref="C1", fingerprint="0", decision=DecisionKind.ACCEPT, statement="x")
    assert decided([judged(FORGED)], [other], LEAD, vocabulary()) == (judged(FORGED),)


@pytest.mark.parametrize(
    "same",
    [
        DISPUTED.model_copy(update={"statement": "10000 people work there.", "id": "C7"}),
        DISPUTED.model_copy(update={"value": "10000"}),
    ],
)
def test_it_holds_for_the_same_claim_in_other_words(same: Claim) -> None:
    assert print_of(same) == print_of(DISPUTED)


@pytest.mark.parametrize(
    "other",
    [
        DISPUTED.model_copy(update={"value": 9000, "statement": "It has 9000 employees."}),
        claim("other", None, "It has 10000 employees.", "E14"),
    ],
)
def test_it_does_not_hold_for_another_claim(other: Claim) -> None:
    assert print_of(other) != print_of(DISPUTED)


@pytest.mark.parametrize(
    "change",
    [
        {"E4": piece("clearbit", "headcount", 260)},
        {"E14": piece("form", "headcount", "10000", Trust.VENDOR)},
        {"E17": piece("apollo", "headcount", 9000)},
    ],
)
def test_it_does_not_hold_over_other_evidence(change: dict[str, Evidence]) -> None:
    assert print_of(DISPUTED, LEAD | change) != print_of(DISPUTED)


def test_neither_numbering_nor_other_kinds_of_evidence_matter() -> None:
    moved = {f"E{int(name[1:]) + 100}": one for name, one in LEAD.items()} | {"E9": piece("x", "country", "FR")}
    again = DISPUTED.model_copy(update={"citations": (cites("E114", "10000"),)})
    assert print_of(again, moved) == print_of(DISPUTED)


@pytest.mark.parametrize(
    ("made", "wrong"),
    [
        (TRUE, False),
        (TRUE.model_copy(update={"value": None}), True),
        (DISPUTED.model_copy(update={"value": "many"}), True),
        (DISPUTED.model_copy(update={"value": {"a": 1}}), True),
        (DISPUTED.model_copy(update={"statement": "  "}), True),
        (DISPUTED.model_copy(update={"statement": "x" * 1001}), True),
        (DISPUTED.model_copy(update={"statement": "a\u200bb"}), True),
        (claim("technology", ["HubSpot", "SAP"], "It uses HubSpot and SAP."), False),
        (claim("technology", ["HubSpot\n"], "It uses HubSpot."), True),
        (claim("other", None, "It ships parcels."), False),
    ],
)
def test_the_form_of_an_edited_claim(made: Claim, wrong: bool) -> None:
    assert bool(wrong_with(made, vocabulary())) is wrong


def test_a_case_holds_labels_and_no_personal_data() -> None:
    about = {"provider": "form", "signal": "message", "path": "$.message", "trust": "self_reported"}
    evidence = [about | {"ordinal": 1, "value": ["Ask Dana Reyes"]}]
    row = {
        "ref": "C1", "field": "other", "value": None, "statement": "Dana Reyes asks.", "verdict": "contradicted",
        "citations": [{"evidence_id": "E1", "json_path": "$.message", "quote": "Ask Dana Reyes"}],
    }  # fmt: skip
    decision = Decided(ref="C1", fingerprint="", decision=DecisionKind.REJECT, statement="Dana Reyes asks.")
    found = case(evidence, [row], [decision], [("name", "Dana Reyes")])
    assert found["evidence"] == [about | {"id": "E1", "data": ["Ask [NAME]"]}]
    (written,) = found["claims"]
    assert written["statement"] == "[NAME] asks."
    assert written["citations"] == [{"evidence_id": "E1", "json_path": "$.message", "quote": "Ask [NAME]"}]
    assert found["labels"] == {"C1": "contradicted"}


@pytest.mark.parametrize("verdict", ClaimVerdict)
def test_every_verdict_has_a_reason(verdict: ClaimVerdict) -> None:
    assert reason(verdict, "a check of tomorrow")
    assert reason(verdict, "quote_verbatim")
