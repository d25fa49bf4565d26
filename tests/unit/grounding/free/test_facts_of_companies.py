"""Free statements about company evidence, through the whole validator: no fabricated variant is ever supported."""

from __future__ import annotations

import pytest

from revenueflow.domain.claim import ClaimVerdict
from revenueflow.grounding.validator import judge
from tests.unit.grounding.lead import claim, piece, rules, vocabulary

EVIDENCE = {
    "E1": piece("clearbit", "company_name", "Nordlicht Energie"),
    "E2": piece("clearbit", "founded_year", 2015),
    "E3": piece("clearbit", "headcount", 240),
    "E4": piece("clearbit", "funding_total", 12_300_000),
    "E5": piece("clearbit", "revenue", "$10M-$50M"),
    "E6": piece("clearbit", "country", "DE"),
    "E7": piece("clearbit", "job_postings", ["Data Engineer", "Account Executive", "SRE"]),
    "E8": piece("clearbit", "technologies", ["Salesforce", "Snowflake"]),
}
TRUE = [
    ("Nordlicht Energie was founded in 2015.", "E2"),
    ("Nordlicht Energie was founded before 2018.", "E2"),
    ("Nordlicht Energie was founded after 2010.", "E2"),
    ("Nordlicht Energie was founded in the 2010s.", "E2"),
    ("Nordlicht Energie was founded between 2014 and 2016.", "E2"),
    ("Nordlicht Energie was founded over ten years ago.", "E2"),
    ("Nordlicht Energie has 240 employees.", "E3"),
    ("Nordlicht Energie has over 200 employees.", "E3"),
    ("Nordlicht Energie has fewer than 500 employees.", "E3"),
    ("Nordlicht Energie has raised $12.3 million.", "E4"),
    ("Nordlicht Energie has raised more than 12 million dollars.", "E4"),
    ("Nordlicht Energie is based in Germany.", "E6"),
    ("Nordlicht Energie is based in Europe.", "E6"),
    ("Nordlicht Energie has three openings.", "E7"),
]
CONTRADICTED = [
    ("Nordlicht Energie was founded in 2016.", "E2"),
    ("Nordlicht Energie was founded in 2051.", "E2"),
    ("Nordlicht Energie was founded after 2018.", "E2"),
    ("Nordlicht Energie was founded before 2010.", "E2"),
    ("Nordlicht Energie was founded in the 1990s.", "E2"),
    ("Nordlicht Energie was founded between 2016 and 2018.", "E2"),
    ("Nordlicht Energie was founded less than five years ago.", "E2"),
    ("Nordlicht Energie has over 500 employees.", "E3"),
    ("Nordlicht Energie has fewer than 100 employees.", "E3"),
    ("Nordlicht Energie has 2,400 employees.", "E3"),
    ("Nordlicht Energie has 24 employees.", "E3"),
    ("Nordlicht Energie has 241 employees.", "E3"),
    ("Nordlicht Energie has raised $123 million.", "E4"),
    ("Nordlicht Energie has raised $1.23 million.", "E4"),
    ("Nordlicht Energie has raised €12.3 million.", "E4"),
    ("Nordlicht Energie has a revenue of over $100 million.", "E5"),
    ("Nordlicht Energie has a revenue of less than $5 million.", "E5"),
    ("Nordlicht Energie is based in France.", "E6"),
    ("Nordlicht Energie is headquartered in North America.", "E6"),
    ("Nordlicht Energie is an American company.", "E6"),
    ("Nordlicht Energie has five openings.", "E7"),
    ("Nordlicht Energie has only one opening.", "E7"),
]
NOT_SUPPORTED = [
    ("Nordlicht Energie has 250 employees.", "E3"),
    ("Nordlicht Energie has 240 employees in 31 offices.", "E3"),
    ("Nordlicht Energie has 240 million employees.", "E3"),
    ("Nordlicht Energie has raised 12.3 million euros.", "E4"),
    ("Nordlicht Energie has raised ¥12.3 million.", "E4"),
    ("Nordlicht Energie has raised $12.3 billion.", "E4"),
    ("Nordlicht Energie has a revenue of £30 million.", "E5"),
    ("Nordlicht Energie was founded in 2015 and employs 900 people.", "E2"),
    ("Nordlicht Energie was founded in 2015 by Carla Weiss.", "E2"),
    ("Nordlicht Energie was the first of its kind, founded in 2015.", "E2"),
    ("Nordlicht Energie was not founded in 2015.", "E2"),
    ("Nordlicht Energie may have been founded in 2015.", "E2"),
    ("Nordlucht Energie GmbH & Co was founded in 2015.", "E2"),
    ("Sudlicht Energie was founded in 2015.", "E2"),
    ("Nordlicht Energie is the only company based in Germany.", "E6"),
    ("Nordlicht Energie has used Salesforce since 2015.", "E8"),
    ("Nordlicht Energie has openings in three countries.", "E7"),
]


def verdict(statement: str, *cited: str) -> ClaimVerdict:
    found = judge([claim("other", None, statement, *cited)], EVIDENCE, vocabulary(), rules())
    return found[0].verdict.verdict


@pytest.mark.parametrize(("statement", "cited"), TRUE)
def test_true_ones_are_supported(statement: str, cited: str) -> None:
    assert verdict(statement, cited) is ClaimVerdict.SUPPORTED


@pytest.mark.parametrize(("statement", "cited"), CONTRADICTED)
def test_fabricated_ones_are_contradicted(statement: str, cited: str) -> None:
    assert verdict(statement, cited) is ClaimVerdict.CONTRADICTED


@pytest.mark.parametrize(("statement", "cited"), NOT_SUPPORTED)
def test_what_goes_beyond_the_evidence_is_not_supported(statement: str, cited: str) -> None:
    assert verdict(statement, cited) is not ClaimVerdict.SUPPORTED


def test_two_true_halves_joined_falsely() -> None:
    joined = verdict("Nordlicht Energie has had 240 employees since 2015.", "E2", "E3")
    assert joined is not ClaimVerdict.SUPPORTED
