"""One person and one company, in the words that Clearbit and Hunter share."""

from __future__ import annotations

from typing import Any

from revenueflow.domain.evidence import Signal
from tests.support.enrichment_dialects import DOMAIN, EMAIL, Facts

PERSON: dict[str, Any] = {
    "id": "p1",
    "name": {"fullName": "Ada Canary", "givenName": "Ada", "familyName": "Canary"},
    "email": EMAIL,
    "phone": "+49 30 5550 1234",
    "avatar": "https://photo.example/ada.png",
    "linkedin": {"handle": "linkedin.com/in/adacanary"},
    "employment": {
        "name": "Northwind",
        "title": "VP Engineering",
        "role": "engineering",
        "seniority": "executive",
    },
}
COMPANY: dict[str, Any] = {
    "id": "c1",
    "name": "Northwind Traders",
    "domain": DOMAIN,
    "site": {"phoneNumbers": ["+1 415 555 0100"], "emailAddresses": ["canary@northwind.example"]},
    "category": {"sector": "Information Technology", "industry": "Internet Software & Services"},
    "description": "Trades worldwide. Write to canary@northwind.example or call +1 415 555 0100.",
    "foundedYear": 2011,
    "geo": {"city": "Berlin", "country": "Germany", "countryCode": "DE"},
    "tech": ["salesforce", "postgresql"],
    "phone": "+1 415 555 0100",
    "metrics": {"employees": 240, "employeesRange": "51-250", "raised": 12_000_000, "annualRevenue": None},
}
COMPANY_FACTS: Facts = {
    Signal.COMPANY_NAME: ("name", "Northwind Traders"),
    Signal.COMPANY_DOMAIN: ("domain", DOMAIN),
    Signal.DESCRIPTION: ("description", "Trades worldwide. Write to [EMAIL] or call [PHONE]."),
    Signal.INDUSTRY: ("category.industry", "Internet Software & Services"),
    Signal.HEADCOUNT: ("metrics.employees", 240),
    Signal.CITY: ("geo.city", "Berlin"),
    Signal.TECHNOLOGIES: ("tech", ["salesforce", "postgresql"]),
    Signal.FUNDING_TOTAL: ("metrics.raised", 12_000_000),
    Signal.FOUNDED_YEAR: ("foundedYear", 2011),
}
PERSON_FACTS: Facts = {
    Signal.TITLE: ("employment.title", "VP Engineering"),
    Signal.SENIORITY: ("employment.seniority", "executive"),
    Signal.DEPARTMENT: ("employment.role", "engineering"),
}
BROKEN_COMPANY: dict[str, Any] = COMPANY | {
    "name": 7,
    "tech": "salesforce",
    "foundedYear": 99999,
    "geo": [],
    "metrics": {"employees": {"total": 240}, "raised": True},
}
REFUSED_COMPANY = {
    Signal.COMPANY_NAME: "wrong_type",
    Signal.TECHNOLOGIES: "wrong_type",
    Signal.FOUNDED_YEAR: "out_of_range",
    Signal.COUNTRY: "wrong_type",
    Signal.CITY: "wrong_type",
    Signal.HEADCOUNT: "wrong_type",
    Signal.FUNDING_TOTAL: "wrong_type",
}
BROKEN_PERSON: dict[str, Any] = PERSON | {
    "employment": {"title": ["VP"], "role": "engineering", "seniority": "x" * 5000}
}
REFUSED_PERSON = {Signal.TITLE: "wrong_type", Signal.SENIORITY: "too_long"}
