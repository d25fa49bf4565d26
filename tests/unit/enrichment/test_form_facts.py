"""The fast way from a form to facts says what the way over evidence says."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as some

from revenueflow import defaults
from revenueflow.domain.lead import LeadForm
from revenueflow.domain.vocabulary import Vocabulary
from revenueflow.enrichment.facts import lead_facts
from revenueflow.enrichment.form import form_evidence
from revenueflow.enrichment.form_facts import FormFacts
from revenueflow.pipeline.capture import lead_of

VOCABULARY = defaults.load(Vocabulary, "vocabulary.toml")
FACTS = FormFacts(VOCABULARY)
AT = datetime(2026, 11, 21, tzinfo=UTC)


def one_of(*values: str) -> some.SearchStrategy[str | None]:
    return some.none() | some.sampled_from(values)


forms = some.builds(
    LeadForm,
    email=one_of("a@acme.example", "a@gmail.com", "a@mailinator.com", "nonsense", " ", "n/a", "A@Shop.ACME.co.uk"),
    name=one_of("Ann", "N/A", "98 76", "y" * 301, "\u200b"),
    phone=one_of("+49 30 1234567", "x", "none", "0", "123", "1-800-FLOWERS", "000 000 000"),
    company=one_of("Acme", "Ac\u200bme", "k. A.", "3M", "-", "x" * 301),
    website=one_of("https://acme.example/x", "gmail.com", "http://[", "acme"),
    title=one_of("CEO", "Wizard", "x" * 4000, "???", "123", "unknown"),
    industry=one_of("SaaS", "Widgets", "513210", "Maschinenbau", "n/a", "Test"),
    headcount=one_of("240", "51-200", "10k+", "huge", "-5", "0", "1e9", "12", "1,2,3", "10,5", "-"),
    country=one_of("Germany", "US", "Untied States", "NA", "N/A"),
    location=one_of("Berlin, Germany", "Paris, CA", "Untied States", " ", "N/A"),
    source=one_of("Referral", "web", "--"),
    message=one_of("We want a demo.", "none", "..."),
)


@given(forms)
def test_both_ways_agree(form: LeadForm) -> None:
    lead, _ = lead_of(UUID(int=1), form, VOCABULARY, campaign="default", at=AT)
    slow = lead_facts(lead, form_evidence(lead, run_key="run", vocabulary=VOCABULARY), VOCABULARY)
    assert FACTS.of(form) == slow.model_copy(update={"evidence": {}, "why": {}})
