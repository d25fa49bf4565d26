from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from revenueflow import defaults
from revenueflow.domain.naics import Naics, naics
from revenueflow.domain.vocabulary import Vocabulary
from revenueflow.errors import ConfigurationError

VOCABULARY = defaults.load(Vocabulary, "vocabulary.toml")


def test_each_industry_of_the_short_list_has_a_code() -> None:
    assert naics().industries.keys() == VOCABULARY.industries.keys()


@pytest.mark.parametrize("industry", [name for name in VOCABULARY.industries if name != "ecommerce"])
def test_a_code_leads_back_to_its_industry(industry: str) -> None:
    assert naics().industry(naics().code(industry)) == industry


@pytest.mark.parametrize(
    ("code", "industry"),
    [
        ("513210", "software"),
        (541512, "software"),
        ("52", "finance"),
        ("524126", "insurance"),
        ("3254", "biotech"),
        ("325", "chemicals"),
        ("31-33", "manufacturing"),
        ("454110", "ecommerce"),
        ("99", None),
        ("5", None),
        ("Software", None),
        (True, None),
        (None, None),
        (51.5, None),
    ],
)
def test_the_longest_known_prefix_decides(code: JsonValue, industry: str | None) -> None:
    assert naics().industry(code) == industry


@given(st.text() | st.integers())
def test_any_code_is_read(code: str | int) -> None:
    assert naics().industry(code) in (*naics().industries, None)


@pytest.mark.parametrize(
    "label", ["Mining & Metals", "Law Enforcement", "Casinos & Gaming", "Computer Networking", "Textiles"]
)
def test_labels_of_vendors_are_on_the_short_list(label: str) -> None:
    assert VOCABULARY.industry(label) in VOCABULARY.industries


def test_a_prefix_of_two_industries_is_an_error(tmp_path: Path) -> None:
    text = defaults.text("naics.toml").replace('prefixes = ["524"]', 'prefixes = ["524", "61"]', 1)
    (tmp_path / "naics.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match="61"):
        defaults.load(Naics, "naics.toml", tmp_path)
