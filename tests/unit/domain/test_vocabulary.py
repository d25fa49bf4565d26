"""Whole words, and the longest phrase wins."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from revenueflow import defaults
from revenueflow.domain.vocabulary import Vocabulary
from revenueflow.errors import ConfigurationError

INDUSTRIES = {
    "software",
    "fintech",
    "finance",
    "insurance",
    "healthcare",
    "biotech",
    "manufacturing",
    "automotive",
    "retail",
    "ecommerce",
    "education",
    "energy",
    "logistics",
    "media",
    "consulting",
    "marketing",
    "real_estate",
    "construction",
    "government",
    "telecom",
    "hospitality",
    "travel",
    "agriculture",
    "food",
    "legal",
    "nonprofit",
    "security",
    "semiconductors",
    "aerospace",
    "chemicals",
}


@cache
def vocabulary() -> Vocabulary:
    return defaults.load(Vocabulary, "vocabulary.toml")


def test_the_industries_are_the_short_list() -> None:
    assert set(vocabulary().industries) == INDUSTRIES
    assert all(vocabulary().industry(name) == name for name in INDUSTRIES)


@pytest.mark.parametrize(
    ("text", "industry"),
    [
        ("Internet Software & Services", "software"),
        ("healthcare tech", "healthcare"),
        ("Healthcare Technology", "healthcare"),
        ("tech", "software"),
        ("Hospital & Health Care", "healthcare"),
        ("Software, Healthcare", "software"),
        ("Gesundheitswesen", "healthcare"),
        ("Banks", "finance"),
        ("FINTECH", "fintech"),
        ("Öffentliche Verwaltung", "government"),
        ("fintechnology", None),
        ("Falconry", None),
        ("", None),
        (None, None),
    ],
)
def test_industry(text: str | None, industry: str | None) -> None:
    assert vocabulary().industry(text) == industry


@pytest.mark.parametrize(
    ("text", "country"),
    [
        ("US", "US"),
        ("usa", "US"),
        ("U.S.", "US"),
        ("UK", "GB"),
        ("England", "GB"),
        ("Deutschland", "DE"),
        ("DEU", "DE"),
        ("Berlin, Germany", "DE"),
        ("Türkiye", "TR"),
        ("日本", "JP"),
        ("South Korea", "KR"),
        ("Vietnam", "VN"),
        ("Georgia", "GE"),
        ("Atlanta, Georgia", None),
        ("Austin, TX", None),
        ("Denver, CO", None),
        ("New Jersey", None),
        ("Nigeria", "NG"),
        ("Niger", "NE"),
        ("Atlantis", None),
        ("", None),
        (None, None),
    ],
)
def test_country(text: str | None, country: str | None) -> None:
    assert vocabulary().country(text) == country


@pytest.mark.parametrize(
    ("title", "seniority", "department"),
    [
        ("CTO", "c_level", "engineering"),
        ("Director of Sales", "director", "sales"),
        ("leadership coach", "individual", None),
        ("Team Lead", "manager", None),
        ("VP Sales", "vp", "sales"),
        ("Vice President of Engineering", "vp", "engineering"),
        ("President", "c_level", "executive"),
        ("Assistant to the CEO", "individual", "executive"),
        ("Chief of Staff", "director", "executive"),
        ("Head of Growth", "director", "marketing"),
        ("Geschäftsführer (m/w/d)", "c_level", "executive"),
        ("GESCHAEFTSFUEHRER", "c_level", "executive"),
        ("Leiter IT", "director", "it"),
        ("Account Executive", "individual", "sales"),
        ("Product Owner", "individual", "product"),
        ("Sales Manager", "manager", "sales"),
        ("Vectors and vpns", None, None),
        ("", None, None),
        (None, None, None),
    ],
)
def test_titles(title: str | None, seniority: str | None, department: str | None) -> None:
    assert (vocabulary().seniority(title), vocabulary().department(title)) == (seniority, department)


def test_a_vendors_level_is_not_a_title() -> None:
    assert vocabulary().seniority_level("executive") == "c_level"
    assert vocabulary().seniority("executive") == "individual"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Salesforce.com", "salesforce"),
        ("React.js", "react"),
        ("C++", "c++"),
        ("C#", "c#"),
        (".NET", ".net"),
        ("Office 365", "microsoft 365"),
        ("Foo Bar", "foo bar"),
        ("Reactor", "reactor"),
    ],
)
def test_technology(text: str, name: str) -> None:
    assert vocabulary().technology(text) == name


@pytest.mark.parametrize(
    ("text", "stage"),
    [
        ("Series B", "series_b"),
        ("series-b round", "series_b"),
        ("Pre-Seed", "pre_seed"),
        ("Seed", "seed"),
        ("Series B, then Series C", None),
        ("Series", None),
    ],
)
def test_funding_stage(text: str, stage: str | None) -> None:
    assert vocabulary().funding_stage(text) == stage


def test_mentions_in_a_running_text() -> None:
    words = vocabulary()
    assert words.mentions("country", "A German firm in New Mexico; tell us about the US.") == ("DE", "US")
    assert words.mentions("country", "Contact us in it") == ()
    assert words.mentions("industry", "It is a healthcare tech firm") == ("healthcare",)
    assert words.mentions("technology", "uses salesforce crm, k8s and C++") == (
        "salesforce",
        "kubernetes",
        "c++",
    )
    assert words.mentions("seniority", "the directory of vectors") == ()


def test_a_phrase_with_two_meanings_is_an_error(tmp_path: Path) -> None:
    text = defaults.text("vocabulary.toml").replace("[technologies]\n", '[technologies]\nnew = ["sfdc"]\n', 1)
    (tmp_path / "vocabulary.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match="sfdc"):
        defaults.load(Vocabulary, "vocabulary.toml", tmp_path)
