"""Two halves that a record has, joined to one fact that it has not."""

from __future__ import annotations

from typing import Any

import pytest

from revenueflow.domain.claim import ClaimVerdict, Verdict
from revenueflow.grounding.documents import Document, Documents, Wanted
from revenueflow.grounding.validator import judge
from tests.unit.grounding.lead import rules, vocabulary

RECORD: dict[str, Any] = {
    "name": "Elbtal Systems",
    "founded": 2015,
    "headquarters": "Hamburg, Germany",
    "offices": ["Vienna", "Prague"],
    "ceo": "Jana Brandt",
    "customers": ["Otto", "Lidl"],
    "acquired_by": "Maersk",
    "acquired": "March 2021",
    "total_funding": "$12M",
}


def verdict(statement: str, **more: Any) -> Verdict:
    documents = Documents([Document("E1", "directory", RECORD | more)], rules())
    bound = documents.bound(Wanted("C1", None, None, statement))
    return judge([bound], documents.evidence, vocabulary(), rules())[0].verdict


@pytest.mark.parametrize(
    "statement",
    [
        "Elbtal Systems was founded in Hamburg in 2015.",
        "Elbtal Systems was founded in Hamburg.",
        "Elbtal Systems was founded in 2015 in Vienna.",
        "Elbtal Systems was established near Prague.",
        "Elbtal Systems was founded by Jana Brandt in 2015.",
        "Elbtal Systems acquired Maersk in March 2021.",
        "Otto acquired Elbtal Systems.",
        "Elbtal Systems raised $12M from Maersk.",
        "Elbtal Systems raised $12M in 2021.",
        "Elbtal Systems opened an office in Prague in 2021.",
    ],
)
def test_a_value_of_another_key_is_not_what_the_words_bind(statement: str) -> None:
    found = verdict(statement)
    assert (found.verdict, found.decided_by) == (ClaimVerdict.UNSUPPORTED, "joined")
    assert found.anti_citations == ("E1",)


@pytest.mark.parametrize(
    "statement",
    [
        "Elbtal Systems was founded in 2015.",
        "Elbtal Systems was founded in 2015 and is headquartered in Hamburg.",
        "Elbtal Systems, headquartered in Hamburg, was founded in 2015.",
        "Elbtal Systems was acquired by Maersk in March 2021.",
        "Maersk acquired Elbtal Systems in 2021.",
    ],
)
def test_what_stands_under_its_own_key_is(statement: str) -> None:
    assert verdict(statement).verdict is ClaimVerdict.SUPPORTED


@pytest.mark.parametrize(
    "more",
    [
        {"founding": {"city": "Hamburg", "year": 2015}},
        {"founding_location": "Hamburg"},
        {"place_of_origin": "Hamburg"},
        {"history": "Two students started the company in a garage in Hamburg, and moved it to Vienna a year later."},
        {"notes": "founded in Hamburg"},
    ],
)
def test_a_key_or_a_text_that_may_say_it_is_enough(more: dict[str, Any]) -> None:
    assert verdict("Elbtal Systems was founded in Hamburg in 2015.", **more).decided_by != "joined"


@pytest.mark.parametrize(
    "statement",
    [
        "Elbtal Systems was not founded in Hamburg.",
        "Elbtal Systems may have been founded in Hamburg.",
        "Elbtal Systems was founded in Rome.",
        "Elbtal Systems works in Hamburg.",
    ],
)
def test_what_is_denied_open_or_nowhere_is_left_to_others(statement: str) -> None:
    assert verdict(statement).decided_by != "joined"
