"""Claims of which only texts tell: places, jobs, launches, use cases, budgets, times and competitors."""

from __future__ import annotations

from datetime import timedelta

import pytest

from revenueflow.domain.claim import Claim, ClaimVerdict
from revenueflow.domain.evidence import Evidence
from revenueflow.grounding.validator import judge
from tests.unit.grounding.lead import FETCHED, SELF, claim, judged, piece, rules, vocabulary

MESSAGE = (
    "We want to automate our invoice processing with a no-code tool. A budget of €50k is approved. We need to go live"
    " in Q1 2027. We are also looking at HubSpot and Pipedrive, not Salesforce. Payroll is handled by our bank."
)
JOBS = ["Backend Engineer", "Senior Data Engineer", "Account Executive", "Head of Sales (m/f/d)"]
NEWS = [
    "Nordlicht launches Atlas 2.0, a grid planning suite.",
    "Nordlicht opens an office in Lyon.",
    "Nordlicht postpones the launch of Borealis.",
    "On 2026-10-14 Nordlicht released Polaris.",
    "Nordlicht is hiring 12 technicians in St. Louis.",
]
LEAD = {
    "E1": piece("clearbit", "company_name", "Nordlicht Robotics GmbH"),
    "E2": piece("clearbit", "city", "München"),
    "E3": piece("clearbit", "country", "DE"),
    "E4": piece("pipe0", "job_postings", JOBS),
    "E5": piece("pipe0", "news", NEWS),
    "E6": piece("form", "message", MESSAGE, SELF),
    "E7": piece("hunter", "city", "St. Louis, MO"),
}
NO_MUNICH = {name: one for name, one in LEAD.items() if name != "E2"}
TRUE = [
    claim("location", "Munich, Germany", "The company is headquartered in Munich, Germany.", "E2", "E3"),
    claim("location", "Lyon", "Nordlicht has an office in Lyon.", "E5"),
    claim("hiring", "Backend Engineer", "Nordlicht is hiring a Backend Engineer.", "E4"),
    claim("hiring", 2, "Nordlicht has two open engineering roles.", "E4"),
    claim("hiring", 4, "There are 4 open positions at Nordlicht Robotics.", "E4"),
    claim("hiring", True, "The company is hiring.", "E4"),
    claim(
        "hiring",
        ["Backend Engineer", "Account Executive"],
        "It seeks a Backend Engineer and an Account Executive.",
        "E4",
    ),
    claim("hiring", "12 technicians", "Nordlicht is hiring 12 technicians.", "E5"),
    claim("product_launch", "Atlas 2.0", "Nordlicht launched Atlas 2.0.", "E5"),
    claim("product_launch", "Polaris", "Nordlicht released Polaris in October 2026.", "E5"),
    claim("use_case", "invoice automation", "The lead wants to automate invoice processing.", "E6"),
    claim("use_case", "no-code invoice processing", "They look for no-code automation of invoice processing.", "E6"),
    claim("budget", 50_000, "The lead has an approved budget of €50,000.", "E6"),
    claim("budget", "approved", "The budget is approved.", "E6"),
    claim("budget", True, "The lead has a budget.", "E6"),
    claim("timeline", "Q1 2027", "The lead needs to go live in Q1 2027.", "E6"),
    claim("timeline", "next quarter", "They want to go live next quarter.", "E6"),
    claim("timeline", "by June 2027", "They need to go live by June 2027.", "E6"),
    claim("competitor", ["HubSpot", "Pipedrive"], "The lead is also evaluating HubSpot and Pipedrive.", "E6"),
]
FALSE = [
    claim("location", "Hamburg", "Nordlicht is based in Hamburg.", "E2"),
    claim("location", "Munich, Austria", "Nordlicht is based in Munich, Austria.", "E2", "E3"),
    claim("location", "Lyon", "Nordlicht is headquartered in Lyon.", "E5"),
    claim("location", "Munich", "Nordlicht has an office in Munich and Oslo.", "E2"),
    claim("hiring", 3, "Nordlicht is hiring 3 engineers.", "E4"),
    claim("hiring", 4, "Nordlicht is hiring 4 engineers.", "E4"),
    claim("hiring", 4, "Nordlicht is hiring 5 people.", "E4"),
    claim("hiring", "Frontend Engineer", "Nordlicht is hiring a Frontend Engineer.", "E4"),
    claim("hiring", "Backend Engineer", "Nordlicht is hiring a Backend Engineer in Lyon.", "E4", "E5"),
    claim("hiring", False, "The company is not hiring.", "E4"),
    claim("product_launch", "Borealis", "Nordlicht launched Borealis.", "E5"),
    claim("product_launch", "Atlas 3.0", "Nordlicht launched Atlas 3.0.", "E5"),
    claim("product_launch", "Polaris", "Nordlicht released Polaris in October 2024.", "E5"),
    claim("use_case", "payroll automation", "The lead wants to automate payroll.", "E6"),
    claim("use_case", "invoice automation", "The lead does not want to automate invoice processing.", "E6"),
    claim("budget", 50_000, "The lead has an approved budget of $50,000.", "E6"),
    claim("budget", 500_000, "The lead has an approved budget of €500,000.", "E6"),
    claim("budget", "none", "There is no budget.", "E6"),
    claim("budget", 50_000, "A budget of €50,000 for payroll is approved.", "E6"),
    claim("timeline", "Q2 2027", "They need to go live in Q2 2027.", "E6"),
    claim("timeline", "March 2027", "They need to go live in March 2027.", "E6"),
    claim("timeline", "immediately", "They want to go live immediately.", "E6"),
    claim("competitor", "Salesforce", "The lead is also evaluating Salesforce.", "E6"),
    claim("competitor", "Hubspott", "The lead is also evaluating Hubspott.", "E6"),
]


def named(made: Claim) -> str:
    return f"{made.field}: {made.value} {made.statement}"


@pytest.mark.parametrize("made", TRUE, ids=named)
def test_what_a_text_tells_is_supported(made: Claim) -> None:
    result = judged(made, LEAD if made.field != "location" else {k: v for k, v in LEAD.items() if k != "E7"})
    assert result.supported, result.verdict


@pytest.mark.parametrize("made", FALSE, ids=named)
def test_what_no_text_tells_is_not(made: Claim) -> None:
    assert not judged(made, LEAD).supported


def test_a_number_of_jobs_is_counted_and_what_is_not_listed_is_not_denied() -> None:
    wrong = judged(claim("hiring", 3, "Nordlicht is hiring 3 engineers.", "E4"), LEAD).verdict
    unlisted = judged(claim("hiring", "Nurse", "Nordlicht is hiring a nurse.", "E4"), LEAD).verdict
    assert (wrong.verdict, unlisted.verdict) == (ClaimVerdict.CONTRADICTED, ClaimVerdict.UNSUPPORTED)


def test_another_vendors_city_makes_a_city_ambiguous_and_leaves_an_office_alone() -> None:
    seat = claim("location", "Munich", "Nordlicht is based in Munich.", "E2")
    office = claim("location", "Lyon", "Nordlicht has an office in Lyon.", "E5")
    verdict = judged(seat, LEAD).verdict
    assert (verdict.verdict, verdict.anti_citations) == (ClaimVerdict.AMBIGUOUS, ("E7",))
    assert judged(office, LEAD).supported


def test_an_abbreviation_ends_no_place() -> None:
    made = claim("location", "St. Louis, MO", "The company is based in St. Louis, MO.", "E7")
    assert judged(made, NO_MUNICH).supported


def told(text: str, days: int = 0) -> dict[str, Evidence]:
    old = piece("form", "message", text, SELF)
    return {"E1": old.model_copy(update={"fetched_at": FETCHED - timedelta(days=days)})}


def test_a_relative_date_counts_from_the_day_of_its_text() -> None:
    made = claim("timeline", "next quarter", "They want to go live next quarter.", "E1")
    text = "We want to go live next quarter."
    assert judge([made], told(text), vocabulary(), rules(), now=FETCHED)[0].supported
    old = judge([made], told(text, days=400), vocabulary(), rules(), now=FETCHED)[0].verdict
    assert (old.verdict, old.decided_by) == (ClaimVerdict.CONTRADICTED, "typed_comparison")


def test_a_plan_whose_time_is_over_is_stale() -> None:
    made = claim("timeline", "Q3 2025", "They want to go live in Q3 2025.", "E1")
    stale = judge([made], told("We want to go live in Q3 2025.", days=600), vocabulary(), rules(), now=FETCHED)[
        0
    ].verdict
    assert (stale.verdict, stale.decided_by) == (ClaimVerdict.UNSUPPORTED, "stale_date")


def test_a_date_in_any_statement_must_be_in_the_evidence() -> None:
    lead = {"E1": piece("clearbit", "headcount", 240)}
    verdict = judged(claim("headcount", 240, "It has 240 employees as of last month.", "E1"), lead).verdict
    assert (verdict.verdict, verdict.decided_by) == (ClaimVerdict.UNSUPPORTED, "dates")


@pytest.mark.parametrize(
    ("field", "value", "statement"),
    [
        ("budget", None, "The budget is not specified."),
        ("revenue", "unknown", "Annual revenue is unknown."),
        ("timeline", "", "There is no information on the timeline."),
        ("headcount", None, "The evidence doesn't mention the headcount."),
        ("competitor", [], "No competitors are known: this is not mentioned."),
    ],
)
def test_a_hedge_is_exempt(field: str, value: str | None, statement: str) -> None:
    verdict = judged(claim(field, value, statement), LEAD).verdict
    assert (verdict.verdict, verdict.decided_by) == (ClaimVerdict.NOT_CHECKABLE, "hedge")


def test_a_hedge_about_anything_else_is_exempt_and_hides_nothing() -> None:
    lead = {"E1": piece("hunter", "description", "Nordlicht builds software for utilities.")}
    plain, more = "The software for utilities is not specified.", ", but employees use the software for utilities."
    hedged = judged(claim("other", None, plain, "E1"), lead).verdict
    assert (hedged.verdict, hedged.decided_by) == (ClaimVerdict.NOT_CHECKABLE, "hedge")
    assert judged(claim("other", None, plain[:-1] + more, "E1"), lead).verdict.decided_by != "hedge"


@pytest.mark.parametrize(
    ("value", "statement"),
    [
        (900, "The headcount is not disclosed."),
        (None, "The headcount is not disclosed, but it is at least 900."),
        (None, "The headcount is not disclosed, but is far above that of its peers."),
        (None, "The headcount was not disclosed last year."),
        (None, "The company is large."),
    ],
)
def test_a_hedge_that_hides_a_claim_is_not(value: int | None, statement: str) -> None:
    assert judged(claim("headcount", value, statement), LEAD).verdict.decided_by != "hedge"


@pytest.mark.parametrize(
    ("value", "statement", "supported"),
    [
        ("between 2010 and 2016", "It was founded between 2010 and 2016.", True),
        ("the 2010s", "It was founded in the 2010s.", True),
        ("before 2015", "It was founded before 2015.", False),
        ("after 2010", "It was founded after 2010.", False),
        ("between 2016 and 2019", "It was founded between 2016 and 2019.", False),
    ],
)
def test_a_span_of_years(value: str, statement: str, supported: bool) -> None:
    lead = {"E1": piece("clearbit", "founded_year", 2015)}
    assert judged(claim("founded_year", value, statement, "E1"), lead).supported is supported


def test_a_span_that_says_nothing_is_not_supported() -> None:
    lead = {"E1": piece("clearbit", "headcount", 240)}
    assert not judged(
        claim("headcount", "1-1000000", "It has between 1 and 1,000,000 employees.", "E1"), lead
    ).supported
    assert not judged(claim("headcount", "over 2", "It has over 2 employees.", "E1"), lead).supported


def test_the_value_of_one_piece_and_a_detail_of_another_are_no_claim() -> None:
    lead = {
        "E1": piece("clearbit", "headcount", 240),
        "E2": piece("pipe0", "news", ["Acme opens an office in Lyon with 31 desks."]),
    }
    for statement in ("It has 240 employees in Lyon.", "It has 240 employees and 31 desks."):
        assert not judged(claim("headcount", 240, statement, "E1", "E2"), lead).supported


def test_products_of_two_lists_are_both_carried() -> None:
    lead = {"E1": piece("clearbit", "technologies", ["Slack"]), "E2": piece("hunter", "technologies", ["Jira"])}
    verdict = judged(claim("technology", ["Slack", "Jira"], "It uses Slack and Jira.", "E1", "E2"), lead).verdict
    assert (verdict.verdict, verdict.citations) == (ClaimVerdict.SUPPORTED, ("E1", "E2"))
    assert not judged(claim("technology", ["Slack", "Jira"], "It uses Slack and Jira.", "E1"), lead).supported


def test_a_denial_reaches_as_far_as_its_clause() -> None:
    lead = {"E1": piece("form", "message", "We use Slack, not Jira. We moved away from Asana instead of Trello.", SELF)}
    assert judged(claim("technology", "Slack", "It uses Slack.", "E1"), lead).supported
    assert judged(claim("technology", "Jira", "It uses Jira.", "E1"), lead).verdict.verdict is ClaimVerdict.CONTRADICTED
