"""The owners of the rows of a file: those that `routing` finds, the same for the same file, in bounded memory."""

from __future__ import annotations

from collections import Counter
from itertools import product
from pathlib import Path

from revenueflow import defaults
from revenueflow.cli import routing_files
from revenueflow.cli.routing_eval import route_all
from revenueflow.domain.lead import DEFAULT_CAMPAIGN, LeadForm, Tier
from revenueflow.domain.vocabulary import Vocabulary
from revenueflow.pipeline.file_owners import FileOwners

DATA = Path(__file__).parents[2] / "data" / "routing"
RULES = routing_files.rules(DATA / "rules.toml", DATA / "reps.csv")
WORDS = defaults.load(Vocabulary, "vocabulary.toml")


def form(number: int, **fields: str | None) -> LeadForm:
    return LeadForm.model_validate({"email": f"p@company-{number}.example", "company": f"Company {number}"} | fields)


def owners(forms: list[LeadForm], tier: Tier = Tier.HOT) -> list[str]:
    routing = FileOwners(RULES, WORDS)
    return [routing.owner(one, DEFAULT_CAMPAIGN, tier) for one in forms]


def test_what_explain_says_of_each_row() -> None:
    wide = product(("US", "Germany", "France", "Narnia", None), ("12", "4000", "huge", None), ("Software", None))
    rows = [
        {"country": country, "headcount": size, "industry": industry, "email": f"a{n}@firm-{n}.example",
         "company": "Rio Verde Alimentos" if n % 7 == 0 else f"Firm {n}", "state": "NY" if n % 2 else None,
         "location": "Austin, TX 78701" if country == "US" else None}
        for n, (country, size, industry) in enumerate(wide)
    ]  # fmt: skip
    expected = route_all(RULES, list(routing_files.read([one | {"tier": "hot"} for one in rows])))
    assert owners([LeadForm.model_validate(one) for one in rows]) == [one.owner_name for one in expected]
    assert len({one.owner_id for one in expected}) > 4


def test_turns_are_the_same_for_the_same_file() -> None:
    forms = [form(n, country="US", state="NY") for n in range(101)]
    first = owners(forms)
    assert first == owners(forms)
    assert Counter(first).most_common() == [(first[0], 51), (first[1], 50)]


def test_a_company_stays_with_the_rep_of_its_first_row() -> None:
    forms = [form(n % 3, country="US", state="NY") for n in range(9)]
    assert owners(forms) == owners(forms[:3]) * 3
    free = [LeadForm(email=f"p{n}@gmail.com", country="US", state="NY") for n in range(4)]
    assert len(set(owners(free))) == 2, "a mail provider is no company"


def test_no_more_companies_are_remembered_than_that() -> None:
    routing = FileOwners(RULES, WORDS, companies=5)
    first = [routing.owner(form(number, country="US", state="NY"), DEFAULT_CAMPAIGN, Tier.HOT) for number in range(6)]
    last, gone = form(5, country="GB"), form(0, country="GB")
    assert routing.owner(last, DEFAULT_CAMPAIGN, Tier.HOT) == first[5]
    (british,) = owners([gone])
    assert british not in first
    assert routing.owner(gone, DEFAULT_CAMPAIGN, Tier.HOT) == british, "its first row was forgotten"
