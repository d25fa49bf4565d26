"""The country of a place in words: what is clear, and what is rather not known than guessed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from revenueflow import defaults
from revenueflow.domain import locations
from revenueflow.domain.countries import iso_names
from revenueflow.domain.vocabulary import Vocabulary

WORDS = defaults.load(Vocabulary, "vocabulary.toml")


@pytest.mark.parametrize(
    ("location", "code"),
    [
        ("Berlin, Germany", "DE"), ("Germany, Berlin", "DE"), ("Berlin (Germany)", "DE"), ("Germany", "DE"),
        ("DE", "DE"), ("Austin, TX 78701, United States", "US"), ("Austin, TX", "US"), ("austin, tx", "US"),
        ("Austin TX 78701", "US"), ("Seoul, Korea, Republic of", "KR"),
        ("US", "US"), ("Remote, US", "US"), ("U.S.A.", "US"), ("USA, Austin", "US"), ("Washington, D.C.", "US"),
        ("Texas", "US"), ("Seattle, WA", "US"), ("New York, NY", "US"), ("Jordan, MN", "US"), ("Georgia, USA", "US"),
        ("London, United Kingdom", "GB"), ("London, UK", "GB"), ("Sydney, NSW", "AU"), ("Amsterdam, NL", "NL"),
        ("Toronto, ON", "CA"), ("Victoria, BC", "CA"), ("10115 Berlin", "DE"), ("München, Bayern", "DE"),
        ("San Francisco, CA", "US"), ("Paris, CA 92570", "US"), ("Toronto, CA", "CA"), ("Toronto, CA M5V 2T6", "CA"),
        ("Berlin, DE", "DE"), ("Berlin, DE 10115", "DE"), ("Wilmington, DE", "US"), ("Denver, CO", "US"),
        ("Cali, CO", "CO"), ("Atlanta, Georgia", "US"), ("Tbilisi, Georgia", "GE"), ("Ger\u200bmany", "DE"),
    ],
)  # fmt: skip
def test_the_country_of_a_place(location: str, code: str) -> None:
    assert locations.country_in(location, WORDS) == code


@pytest.mark.parametrize(
    "location",
    ["Paris, CA", "Ontario, CA", "CA", "IL", "Georgia", "Untied States", "Paris", "Victoria", "Victoria, London",
     "Hauptstr. 12, 80331 München", "", " ", ",,,", "78701", None, "x" * 5000],
)  # fmt: skip
def test_a_place_of_no_country_or_of_several(location: str | None) -> None:
    assert locations.country_in(location, WORDS) is None


def test_a_field_of_its_own_goes_before_the_place() -> None:
    assert locations.country("Austria", "Berlin, Germany", WORDS) == "AT"
    assert locations.country("Untied States", "Berlin, Germany", WORDS) == "DE"


@given(some.text(max_size=40), some.sampled_from([name for names in iso_names().values() for name in names]))
def test_a_name_of_a_country_at_the_end_is_that_country_or_not_known(text: str, name: str) -> None:
    assert locations.country_in(f"{text}, {name}", WORDS) in (WORDS.country(name), "US", None)
    assert locations.country_in(text, WORDS) in (*iso_names(), None)


def test_a_city_is_listed_once_for_a_code() -> None:
    others = {city for code, cities in WORDS.cities.items() if code != "US" for city in cities}
    assert not others & set(WORDS.cities["US"])
