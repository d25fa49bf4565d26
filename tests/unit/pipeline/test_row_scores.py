"""What a row of a file is worth does not depend on the rows before it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as some

from revenueflow import defaults
from revenueflow.domain.lead import LeadForm
from revenueflow.domain.vocabulary import Vocabulary
from revenueflow.pipeline.score_file import ByRules, Choice
from revenueflow.scoring.profile import Profile
from revenueflow.wiring import files

VOCABULARY = defaults.load(Vocabulary, "vocabulary.toml")
PROFILES = files.profiles(None)
EVERY_FACT = """
name = "all"
version = "1"
tiers = { hot = 70, warm = 40 }
[[factors]]
name = "given"
kind = "completeness"
maximum = 100
points = { email = 5, work_email = 5, phone = 5, name = 5, bio = 5, title = 5, company = 10, domain = 10, \
industry = 10, industry_text = 5, country = 10, source = 5, seniority = 5, department = 5, headcount = 10 }
"""
CHOICES = [Choice(PROFILES, profile) for profile in PROFILES.known.values()]
CHOICES.append(Choice(PROFILES, defaults.parse(Profile, EVERY_FACT, Path("all.toml"))))


def cells(*values: str) -> some.SearchStrategy[str | None]:
    """What stands in a column: values that differ in what can be read of them."""
    return some.none() | some.sampled_from((*values, "", " ", "\u200b", "N/A", "-", "x" * 301, "x" * 4000))


forms = some.builds(
    LeadForm,
    email=cells("a@acme.example", "b@gmail.com", "c@mailinator.com", "a@", "a@localhost"),
    name=cells("Ann", "Bo"),
    phone=cells("+49 30 1234567", "abc", "0", "123"),
    company=cells("Acme", "Globex"),
    website=cells("https://acme.example/x", "gmail.com", "http://["),
    title=cells("CEO", "Wizard"),
    industry=cells("SaaS", "Widgets"),
    headcount=cells("240", "huge"),
    country=cells("Germany", "Untied States"),
    location=cells("Berlin, Germany", "Paris, CA"),
    source=cells("Referral", "web"),
    message=cells("We want a demo."),
)


@pytest.mark.parametrize("choice", CHOICES, ids=lambda choice: choice.named.name)
@given(some.lists(forms, min_size=1, max_size=8))
@example([LeadForm(company="x" * 400), LeadForm(company="Acme")])
@example([LeadForm(company="Acme"), LeadForm(company="x" * 400)])
def test_the_score_of_a_row_does_not_depend_on_the_rows_before(choice: Choice, rows: Sequence[LeadForm]) -> None:
    file = ByRules(choice, VOCABULARY)
    for row in rows:
        assert file.now(row, "default") == ByRules(choice, VOCABULARY).now(row, "default")
