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


@pytest.mark.parametrize("year", [1915, 1995, 2005, 2013, 2014, 2016, 2017, 2025, 2051])
def test_no_other_year_is_supported(year: int) -> None:
    assert verdict(f"Nordlicht Energie was founded in {year}.", "E2") is ClaimVerdict.CONTRADICTED
    assert verdict(f"Nordlicht Energie has been in business since {year}.", "E2") is not ClaimVerdict.SUPPORTED


@pytest.mark.parametrize(
    "count", ["2.4", "24", "239", "241", "204", "420", "2,400", "24,000", "240,000", "240 thousand"]
)
def test_no_other_count_is_supported(count: str) -> None:
    assert verdict(f"Nordlicht Energie has {count} employees.", "E3") is not ClaimVerdict.SUPPORTED


@pytest.mark.parametrize(
    "amount",
    ["€12.3M", "£12.3M", "$12.3B", "$12.3K", "$1.23M", "$123M", "$13.2M", "12.3 million yen", "CHF 12.3 million"],
)
def test_no_other_amount_is_supported(amount: str) -> None:
    assert verdict(f"Nordlicht Energie has raised {amount}.", "E4") is not ClaimVerdict.SUPPORTED


RECORD = piece(
    "crunchbase",
    "description",
    {
        "name": "Nordlicht Energie",
        "founded_on": "2015-03-02",
        "last_funding_date": "2021-06-14",
        "founders": ["Carla Weiss", "Jonas Berg"],
        "investors": ["Atlas Ventures", "Blue Peak Capital"],
        "num_employees": "201-500",
        "hq_location": "Hamburg, Germany",
        "ceo": "Carla Weiss",
        "acquired_by": None,
    },
)
OF_RECORD = [
    ("Nordlicht Energie was founded in March 2015.", ClaimVerdict.SUPPORTED),
    ("Nordlicht Energie was founded by Carla Weiss.", ClaimVerdict.SUPPORTED),
    ("Nordlicht Energie was founded by two founders.", ClaimVerdict.SUPPORTED),
    ("Nordlicht Energie has two founders.", ClaimVerdict.SUPPORTED),
    ("Nordlicht Energie is headquartered in Hamburg.", ClaimVerdict.SUPPORTED),
    ("The CEO is Carla Weiss.", ClaimVerdict.SUPPORTED),
    ("Nordlicht Energie was founded in April 2015.", ClaimVerdict.CONTRADICTED),
    ("Nordlicht Energie was founded in the fall of 2015.", ClaimVerdict.CONTRADICTED),
    ("Nordlicht Energie was founded by Martin Ruiz.", ClaimVerdict.CONTRADICTED),
    ("Nordlicht Energie is backed by Redwood Partners.", ClaimVerdict.CONTRADICTED),
    ("Nordlicht Energie has four founders.", ClaimVerdict.CONTRADICTED),
    ("Nordlicht Energie has over 600 employees.", ClaimVerdict.CONTRADICTED),
    ("Nordlicht Energie is headquartered in Austria.", ClaimVerdict.CONTRADICTED),
    ("The CEO is Jonas Berg.", ClaimVerdict.CONTRADICTED),
    ("The last funding was before 2020.", ClaimVerdict.CONTRADICTED),
]


OPEN_OF_RECORD = [
    "Nordlicht Energie was founded by Carla Weisz.",
    "Nordlicht Energie is backed by Blue Peak Partners.",
    "Nordlicht Energie was founded by Carla Weiss in 2016.",
    "Nordlicht Energie was backed by Carla Weiss.",
]


def of_record(statement: str) -> ClaimVerdict:
    found = judge([claim("other", None, statement, "E1")], {"E1": RECORD}, vocabulary(), rules())
    return found[0].verdict.verdict


@pytest.mark.parametrize(("statement", "expected"), OF_RECORD)
def test_a_record_of_a_company(statement: str, expected: ClaimVerdict) -> None:
    assert of_record(statement) is expected


@pytest.mark.parametrize("statement", OPEN_OF_RECORD)
def test_near_misses_and_false_joins_over_a_record(statement: str) -> None:
    assert of_record(statement) is not ClaimVerdict.SUPPORTED
