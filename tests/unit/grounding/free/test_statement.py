"""Figures, names, opinions and words of free statements, and how the parts make a verdict."""

from __future__ import annotations

import pytest

from revenueflow.grounding.checks.free.figures import number, rating
from revenueflow.grounding.checks.free.names import foreign_name
from revenueflow.grounding.checks.free.opinions import mixed, opinion
from revenueflow.grounding.checks.free.statement import Check
from revenueflow.grounding.free.finding import Stance
from tests.unit.grounding.free.listing import RECORD, finding, verdict

AGREES = [
    (rating, "It has a rating of 4.5 out of 5 stars."),
    (rating, "It is rated 4.5."),
    (rating, "One reviewer gave five stars."),
    (mixed, "It received mixed reviews."),
    (opinion, "Customers praise the helpful staff."),
    (opinion, "Some complain about high prices."),
    (opinion, "The atmosphere can be loud."),
]
BAD = [
    (rating, "It has a rating of 4.0 stars."),
    (rating, "It has a 3.5-star rating."),
    (number, "A desk is $49 a day."),
    (number, "It has 1200 members."),
    (foreign_name, "It has 4.5 stars on Google."),
    (foreign_name, "The studio is in downtown Seattle."),
    (opinion, "Portions are generous."),
    (opinion, "It is praised for its convenient location."),
]
SILENT = [
    (rating, "It is a studio."),
    (number, "A desk is $35 a day."),
    (number, "The rating is based on 3 reviews."),
    (foreign_name, "The studio in Portland, Oregon, has WiFi."),
    (foreign_name, "On Monday the Lindenhof is closed."),
    (mixed, "It is good."),
    (opinion, "It is a studio in Portland."),
]


@pytest.mark.parametrize(("check", "statement"), AGREES)
def test_what_the_record_says_agrees(check: Check, statement: str) -> None:
    found = finding(check, statement)
    assert found is not None
    assert found.stance is Stance.AGREES, found


@pytest.mark.parametrize(("check", "statement"), BAD)
def test_what_it_does_not_say_is_found(check: Check, statement: str) -> None:
    found = finding(check, statement)
    assert found is not None
    assert found.stance is not Stance.AGREES, found


@pytest.mark.parametrize(("check", "statement"), SILENT)
def test_a_check_passes_on_what_is_not_its_own(check: Check, statement: str) -> None:
    assert finding(check, statement) is None


def test_all_good_reviews_are_not_mixed() -> None:
    record = RECORD | {"reviews": [{"stars": 5, "text": "a"}, {"stars": 4, "text": "b"}], "stars": 4.5}
    assert finding(mixed, "Reviews are good.", record) is None
    opinions = [{"stars": 5, "text": "All of it was really very good indeed."}] * 2
    found = finding(mixed, "It has mixed reviews.", RECORD | {"reviews": list(opinions)})
    assert found is not None
    assert found.stance is Stance.DISAGREES


def test_a_long_text_holds_if_all_its_parts_do() -> None:
    text = (
        "Lindenhof Studios is a coworking space at 12 Harbour Road in Portland, Oregon, rated 4.5 stars. "
        "It offers free WiFi and takeout, but no outdoor seating. It is closed on Mondays. "
        "Customers praise the helpful staff and the delicious coffee, while one found it loud and crowded at noon."
    )
    assert verdict(text).verdict == "supported"
    for wrong, right in (("closed on Mondays", "closed on Fridays"), ("no outdoor", "lovely outdoor")):
        found = verdict(text.replace(wrong, right))
        assert found.verdict == "contradicted", right
        assert found.score < 0.5
    assert verdict(text.replace("4.5 stars", "4.5 stars on Yelp")).verdict == "unsupported"


def test_the_score_falls_with_each_word_that_nothing_explains() -> None:
    scores = [
        verdict(f"It offers coffee{more}.").score
        for more in ("", ", including falafel", ", including falafel and tapas")
    ]
    assert scores[0] > scores[1] > scores[2]
    assert verdict("Its founder juggles flaming chainsaws aboard submarines.").verdict == "unsupported"


def test_a_record_without_sentences_explains_only_its_own_words() -> None:
    record = {"title": "Vega Dam", "opened": 1961, "height": "120 m", "country": "Norway"}
    assert verdict("The dam opened in 1961.", record).verdict == "supported"
    assert verdict("The dam was demolished.", record).verdict == "unsupported"


def test_evidence_without_a_structure_is_left_to_the_checks_of_texts() -> None:
    assert verdict("It sells shoes.", "It sells shoes.").decided_by == "lexical"
