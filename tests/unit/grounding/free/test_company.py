"""Free statements about a company record: no field is named, and still numbers, names and denials are held."""

from __future__ import annotations

import pytest
from pydantic import JsonValue

from tests.unit.grounding.free.listing import verdict

COMPANY: JsonValue = {
    "name": "Tolvane Robotics",
    "employees": 240,
    "founded": 2015,
    "tech": ["Salesforce", "AWS", "Google Analytics"],
    "hq": {"city": "Berlin", "country": "DE"},
    "funding": {"round": "Series B", "amount": 12_000_000, "date": "2021-05-04"},
    "industry": "Industrial Automation",
    "description": "Tolvane builds warehouse robots for retailers. It does not make drones.",
    "is_public": False,
    "hiring": True,
    "revenue": None,
    "offices": [{"city": "Berlin"}, {"city": "Lyon"}],
    "customers": ["Lidl", "Carrefour"],
}
TRUE = [
    "Tolvane uses Salesforce.",
    "Tolvane Robotics has 240 employees.",
    "It employs more than 200 people.",
    "About 250 people work there.",
    "The company raised $12 million.",
    "Tolvane raised 12M in a Series B round in 2021.",
    "It was founded in 2015.",
    "It builds robots for retailers.",
    "The company is headquartered in Berlin, Germany.",
    "It has offices in Berlin and Lyon.",
    "It is hiring.",
    "The company is not public.",
    "Its customers include Lidl and Carrefour.",
    "Revenue is not disclosed.",
    "It does not make drones.",
]
FALSE = [
    ("Tolvane uses HubSpot.", "unsupported"),
    ("Tolvane does not use Salesforce.", "contradicted"),
    ("Tolvane Robotics has 2,400 employees.", "contradicted"),
    ("Tolvane Robotics has 240 customers.", "unsupported"),
    ("It employs more than 300 people.", "contradicted"),
    ("The company raised $120 million.", "unsupported"),
    ("The company raised €12 million.", "unsupported"),
    ("Tolvane raised 12M in a Series A round.", "unsupported"),
    ("It was founded in 2016.", "contradicted"),
    ("The company is headquartered in Munich.", "unsupported"),
    ("It has offices in Berlin and Paris.", "unsupported"),
    ("It is not hiring.", "contradicted"),
    ("The company is public.", "contradicted"),
    ("Its customers include Aldi.", "unsupported"),
    ("Revenue is $5 million.", "unsupported"),
    ("It is not based in Berlin.", "contradicted"),
    ("It has 12 offices.", "unsupported"),
    ("It makes drones.", "contradicted"),
    ("It was acquired by Siemens.", "unsupported"),
]


@pytest.mark.parametrize("statement", TRUE)
def test_what_a_record_says_of_a_company_is_supported(statement: str) -> None:
    found = verdict(statement, COMPANY)
    assert found.verdict == "supported", found


@pytest.mark.parametrize(("statement", "expected"), FALSE)
def test_what_it_does_not_say_is_not(statement: str, expected: str) -> None:
    found = verdict(statement, COMPANY)
    assert found.verdict == expected, found
