"""Typed claims over any JSON: keys that vendors use, RFC 9535 paths, evidence that is not cited."""

from __future__ import annotations

import time

import pytest
from pydantic import JsonValue

from revenueflow.domain.claim import Citation, ClaimField, Verdict
from revenueflow.domain.evidence import Trust
from revenueflow.grounding.documents import Document, Documents, Wanted
from revenueflow.grounding.validator import judge
from tests.unit.grounding.lead import rules, vocabulary

COMPANY: JsonValue = {
    "name": "Nordlicht",
    "metrics": {"employees": 240, "raised": 12_300_000, "annualRevenue": None},
    "tech": ["Salesforce", "Google Analytics"],
    "foundedYear": 2015,
    "category": {"industry": "Internet Software & Services"},
    "geo": {"country": "DE"},
    "offices": [{"city": "Kiel", "desks": 40}, {"city": "Lyon", "desks": 60}],
}
FORM = "Hello, we are 500 people and want a demo. We do not use Oracle."
DOCUMENTS = (Document("e1", "clearbit", COMPANY), Document("e2", "form", FORM, Trust.SELF_REPORTED))

SUPPORTED = [
    ("headcount", 240, "It has 240 employees.", "$.metrics.employees"),
    ("employees", 240, "It has 240 employees.", None),
    ("number_of_employees", "200-300", "It has 200-300 employees.", None),
    ("raised", "$12.3M", "It raised $12.3M.", "$..raised"),
    ("total_funding", 12_300_000, "It raised $12.3M.", None),
    ("tech", "Salesforce", "It uses Salesforce.", "$.tech[?@ == 'Salesforce']"),
    ("technology", ["Salesforce", "Google Analytics"], "It uses Salesforce and Google Analytics.", "$['tech'][0:2]"),
    ("industry", "software", "It is in the software industry.", "$.category[?length(@) > 3]"),
    ("founded", 2015, "It was founded in 2015.", "$.foundedYear"),
    ("country", "Germany", "It is based in Germany.", "$.geo"),
]
WRONG = [
    ("employees", 2400, "It has 2,400 employees.", None, "contradicted"),
    ("founded", 2016, "It was founded in 2016.", "$.foundedYear", "contradicted"),
    ("founded", 2015, "It was founded in 2015.", "$.metrics.employees", "unsupported"),
    ("founded", 2015, "It was founded in 2015.", "$.offices[?@.desks > 100]", "unsupported"),
    ("founded", 2015, "It was founded in 2015.", "$.[", "unsupported"),
    ("annual_revenue", "$5M", "Annual revenue is $5M.", None, "unsupported"),
    ("tech", "HubSpot", "It uses HubSpot.", "$.tech", "unsupported"),
    (None, None, "It has 240 offices.", None, "unsupported"),
]


def verdict(*claims: Wanted, documents: tuple[Document, ...] = DOCUMENTS) -> Verdict:
    bound = Documents(documents, rules())
    made = [bound.bound(claim) for claim in claims]
    return judge(made, bound.evidence, vocabulary(), rules())[-1].verdict


def wanted(field: str | None, value: JsonValue, statement: str, *citations: Citation) -> Wanted:
    return Wanted("C1", field, value, statement, citations)


@pytest.mark.parametrize(("field", "value", "statement", "path"), SUPPORTED)
def test_a_true_typed_claim_finds_its_value(field: str, value: JsonValue, statement: str, path: str | None) -> None:
    found = verdict(wanted(field, value, statement, Citation(evidence_id="e1", json_path=path)))
    assert found.verdict == "supported", found


@pytest.mark.parametrize(("field", "value", "statement", "path", "expected"), WRONG)
def test_a_wrong_one_does_not(field: str, value: JsonValue, statement: str, path: str | None, expected: str) -> None:
    found = verdict(wanted(field, value, statement, Citation(evidence_id="e1", json_path=path)))
    assert found.verdict == expected, found


def test_a_claim_without_citations_is_held_against_all_the_evidence() -> None:
    assert verdict(wanted("founded_year", 2015, "It was founded in 2015.")).verdict == "supported"
    assert verdict(wanted("technology_absent", "Oracle", "It does not use Oracle.")).verdict == "supported"
    assert verdict(wanted("headcount", 9000, "It has 9000 employees.")).verdict == "contradicted"


def test_an_invented_evidence_id_carries_nothing() -> None:
    found = verdict(wanted("founded_year", 2015, "It was founded in 2015.", Citation(evidence_id="e7")))
    assert (found.verdict, found.decided_by) == ("unsupported", "citation_exists")


def test_a_quote_must_stand_where_it_is_cited() -> None:
    quoted = Citation(evidence_id="e2", quote="want a demo")
    assert verdict(wanted("buying_signal", None, "The sender asks for a demo.", quoted)).verdict == "supported"
    elsewhere = Citation(evidence_id="e1", quote="want a demo")
    assert (
        verdict(wanted("buying_signal", None, "The sender asks for a demo.", elsewhere)).decided_by == "quote_verbatim"
    )


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("nps", 61, "supported"), ("nps", 16, "unsupported"), ("plan", "Enterprise", "supported"),
        ("plan", "Starter", "unsupported"), ("sso", False, "supported"), ("sso", True, "contradicted"),
        ("regions", ["emea", "apac"], "supported"), ("regions", ["emea", "latam"], "unsupported"),
    ],
)  # fmt: skip
def test_a_value_of_a_field_that_is_none_of_ours_is_held_against_its_key(
    field: str, value: JsonValue, expected: str
) -> None:
    data: JsonValue = {"nps": 61, "plan": "Enterprise", "sso": False, "regions": ["EMEA", "APAC"], "seats": 16}
    found = verdict(wanted(field, value, "The customer is a company."), documents=(Document("e1", "x", data),))
    assert found.verdict == expected, found


def test_names_of_fields_are_ours_or_those_of_keys() -> None:
    documents = Documents(DOCUMENTS, rules())
    assert documents.field("headcount") is ClaimField.HEADCOUNT
    assert documents.field("total_funding_amount") is ClaimField.FUNDING_AMOUNT
    assert documents.field("estimatedNumEmployees") is ClaimField.HEADCOUNT
    assert documents.field("shoe_size") is ClaimField.OTHER
    assert documents.field(None) is ClaimField.OTHER


def test_free_claims_about_a_record_are_cheap_and_linear() -> None:
    def taken(keys: int, claims: int) -> float:
        record: JsonValue = {f"key {place}": True if place % 2 else f"value {place}" for place in range(keys)}
        made = [wanted(None, None, f"It has key {place} and builds software.") for place in range(claims)]
        times = []
        for _ in range(10):
            bound = Documents([Document("e1", "x", record)], rules())
            listed = [bound.bound(claim) for claim in made]
            before = time.process_time()
            judge(listed, bound.evidence, vocabulary(), rules())
            times.append(time.process_time() - before)
        return min(times)

    small = taken(60, 12)
    assert small < 0.006, "three times the target, for slow machines"
    assert taken(600, 12) < 14 * small
    assert taken(60, 60) < 8 * small
