from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from pydantic import JsonValue

from revenueflow import defaults
from revenueflow.domain.evidence import Evidence, Signal, Trust
from revenueflow.domain.lead import Lead
from revenueflow.domain.vocabulary import Vocabulary
from revenueflow.enrichment.facts import lead_facts
from revenueflow.enrichment.rules import Overwrite

NOW = datetime(2026, 11, 21, tzinfo=UTC)
VOCABULARY = defaults.load(Vocabulary, "vocabulary.toml")
LEAD = Lead(id=UUID(int=1), email="ada@acme.example", name="Ada", domain="acme.example", received_at=NOW)


def say(provider: str, signal: Signal, value: JsonValue, *, days_old: int = 0) -> Evidence:
    trust = Trust.SELF_REPORTED if provider == "form" else Trust.VENDOR
    at = NOW - timedelta(days=days_old)
    return Evidence(id=uuid4(), provider=provider, signal=signal, path="$.x", value=value, fetched_at=at, trust=trust)


def numbered(*evidence: Evidence) -> dict[str, Evidence]:
    return {f"E{number}": item for number, item in enumerate(evidence, 1)}


def test_values_are_normalised() -> None:
    facts = lead_facts(
        LEAD,
        numbered(
            say("clearbit", Signal.INDUSTRY, "Software"),
            say("clearbit", Signal.COUNTRY, "Germany"),
            say("clearbit", Signal.HEADCOUNT, "51-250"),
            say("clearbit", Signal.COMPANY_NAME, "Acme"),
        ),
        VOCABULARY,
    )
    assert (facts.industry, facts.country, facts.headcount, facts.company) == ("software", "DE", 150, "Acme")
    assert facts.evidence == {
        "industry": ("E1",),
        "country": ("E2",),
        "headcount": ("E3",),
        "company": ("E4",),
    }


def test_a_vendor_goes_before_the_form_however_old() -> None:
    evidence = numbered(say("form", Signal.HEADCOUNT, 9000), say("hunter", Signal.HEADCOUNT, 40, days_old=400))
    facts = lead_facts(LEAD, evidence, VOCABULARY)
    assert (facts.headcount, facts.evidence["headcount"]) == (40, ("E2",))


def test_the_form_counts_where_nobody_else_speaks() -> None:
    facts = lead_facts(LEAD, numbered(say("form", Signal.HEADCOUNT, "10k+")), VOCABULARY)
    assert facts.headcount == 10_000


def test_what_more_providers_say_goes_before_what_is_fresher() -> None:
    evidence = numbered(
        say("a", Signal.COUNTRY, "FR", days_old=9),
        say("b", Signal.COUNTRY, "DE"),
        say("c", Signal.COUNTRY, "France", days_old=30),
    )
    facts = lead_facts(LEAD, evidence, VOCABULARY)
    assert (facts.country, facts.evidence["country"]) == ("FR", ("E1", "E3"))


def test_one_provider_that_repeats_itself_is_one_voice() -> None:
    evidence = numbered(
        say("a", Signal.COUNTRY, "FR", days_old=9),
        say("a", Signal.COUNTRY, "France", days_old=9),
        say("b", Signal.COUNTRY, "DE"),
    )
    assert lead_facts(LEAD, evidence, VOCABULARY).country == "DE"


def test_the_fresher_wins_among_equals() -> None:
    evidence = numbered(
        say("a", Signal.INDUSTRY, "Retail", days_old=2), say("b", Signal.INDUSTRY, "Insurance", days_old=1)
    )
    assert lead_facts(LEAD, evidence, VOCABULARY).industry == "insurance"


def test_near_headcounts_agree() -> None:
    evidence = numbered(
        say("a", Signal.HEADCOUNT, 5000),
        say("b", Signal.HEADCOUNT, 240, days_old=5),
        say("c", Signal.HEADCOUNT, 260, days_old=6),
    )
    facts = lead_facts(LEAD, evidence, VOCABULARY)
    assert (facts.headcount, facts.evidence["headcount"]) == (240, ("E2", "E3"))


def test_what_cannot_be_read_is_passed_over() -> None:
    evidence = numbered(say("a", Signal.COUNTRY, "Atlantis"), say("form", Signal.COUNTRY, "Deutschland"))
    assert lead_facts(LEAD, evidence, VOCABULARY).country == "DE"


def test_the_leads_own_fields_fill_gaps() -> None:
    own = LEAD.model_copy(update={"title": "CTO", "country": "AT", "company": "Acme", "source": "webinar"})
    facts = lead_facts(own, {}, VOCABULARY)
    assert (facts.title, facts.country, facts.company, facts.source) == ("CTO", "AT", "Acme", "webinar")
    assert facts.evidence == {}
    assert (facts.email_given, facts.name_given, facts.phone_given) == (True, True, False)


def test_the_domain_stays_the_one_that_was_asked_about() -> None:
    facts = lead_facts(LEAD, numbered(say("a", Signal.COMPANY_DOMAIN, "parked.example")), VOCABULARY)
    assert (facts.domain, facts.evidence) == ("acme.example", {})
    agreed = lead_facts(LEAD, numbered(say("a", Signal.COMPANY_DOMAIN, "www.acme.example")), VOCABULARY)
    assert (agreed.domain, agreed.evidence) == ("acme.example", {"domain": ("E1",)})


def test_mailboxes_are_told_apart() -> None:
    private = LEAD.model_copy(update={"email": "ada@gmail.com"})
    thrown_away = LEAD.model_copy(update={"email": "ada@mailinator.com"})
    kinds = [
        (facts.free_mail, facts.disposable)
        for facts in (lead_facts(lead, {}, VOCABULARY) for lead in (LEAD, private, thrown_away))
    ]
    assert kinds == [(False, False), (True, False), (False, True)]


def test_a_list_of_evidence_is_named_by_its_own_ids() -> None:
    item = say("a", Signal.INDUSTRY, "Software")
    assert lead_facts(LEAD, [item], VOCABULARY).evidence == {"industry": (str(item.id),)}


def why(evidence: Sequence[Evidence], overwrite: Overwrite = Overwrite.ALWAYS) -> tuple[object, str | None]:
    facts = lead_facts(LEAD, evidence, VOCABULARY, overwrite={Signal.HEADCOUNT: overwrite})
    return facts.headcount, facts.why.get("headcount")


def headcount(provider: str, value: int, trust: Trust = Trust.VENDOR, days: int = 0) -> Evidence:
    at = LEAD.received_at + timedelta(days=days)
    return say(provider, Signal.HEADCOUNT, value).model_copy(update={"trust": trust, "fetched_at": at})


FORM = headcount("form", 20, Trust.SELF_REPORTED)


def test_a_choice_says_what_decided() -> None:
    own = headcount("directory", 500, Trust.FIRST_PARTY)
    assert why([]) == (None, None)
    assert why([headcount("a", 240)]) == (240, "only")
    assert why([headcount("a", 240), headcount("b", 250)])[1] == "agreed"
    assert why([FORM, headcount("a", 240)]) == (240, "trust")
    assert why([headcount("a", 240), own]) == (500, "trust")
    assert why([headcount("a", 900), headcount("b", 240), headcount("c", 250)])[1] == "agreement"
    assert why([headcount("a", 900), headcount("b", 240, days=1)]) == (240, "freshness")
    assert why([headcount("a", 900), headcount("b", 240)]) == (900, "order")


def test_what_the_lead_says_of_itself_stays_if_the_rule_says_so() -> None:
    older, newer = headcount("a", 240, days=-1), headcount("a", 240, days=1)
    assert why([FORM, newer], Overwrite.WHEN_BLANK) == (20, "trust")
    assert why([newer], Overwrite.WHEN_BLANK) == (240, "only")
    assert why([FORM, newer], Overwrite.WHEN_FRESHER) == (240, "trust")
    assert why([FORM, older], Overwrite.WHEN_FRESHER) == (20, "trust")
    assert why([FORM, newer], Overwrite.NEVER) == (20, "only")
    assert why([newer], Overwrite.NEVER) == (None, None)


def test_companies_agree_by_name_whatever_their_legal_form() -> None:
    evidence = numbered(
        say("apollo", Signal.COMPANY_NAME, "Zenith Ltd"),
        say("clearbit", Signal.COMPANY_NAME, "Acme Aktiengesellschaft", days_old=9),
        say("hunter", Signal.COMPANY_NAME, "ACME AG", days_old=5),
    )
    facts = lead_facts(LEAD, evidence, VOCABULARY)
    assert (facts.company, facts.evidence["company"]) == ("ACME AG", ("E2", "E3"))


def test_an_industry_may_be_a_naics_code() -> None:
    evidence = numbered(say("zoominfo", Signal.INDUSTRY, "513210"), say("hunter", Signal.INDUSTRY, "Computer Software"))
    facts = lead_facts(LEAD, evidence, VOCABULARY)
    assert (facts.industry, facts.evidence["industry"]) == ("software", ("E1", "E2"))


def test_what_says_nothing_is_no_fact_and_leaves_the_word_to_others() -> None:
    lead = LEAD.model_copy(update={"company": "N/A", "title": "-", "name": "none", "phone": "123", "message": "n/a"})
    facts = lead_facts(lead, [], VOCABULARY)
    assert (facts.company, facts.title, facts.name_given, facts.phone_given, facts.bio_given) == (
        None, None, False, False, False,
    )  # fmt: skip
    assert facts.unread == {"phone": "what was given as the phone"}
    evidence = [say("hunter", Signal.COMPANY_NAME, "Unknown"), say("form", Signal.COMPANY_NAME, "Acme")]
    assert lead_facts(lead, evidence, VOCABULARY).company == "Acme"
    assert lead_facts(lead, [say("form", Signal.COUNTRY, "NA")], VOCABULARY).country == "NA"
    assert lead_facts(lead, [say("form", Signal.COUNTRY, "N/A")], VOCABULARY).unread.keys() == {"phone"}
