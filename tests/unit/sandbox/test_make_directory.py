"""The directory of fictional companies: what the sample, the vendors and the fake model rely on."""

from __future__ import annotations

from collections import Counter
from functools import cache
from typing import Any

import orjson
import pytest

from revenueflow import defaults
from revenueflow.domain.vocabulary import Vocabulary
from revenueflow.sandbox import make_directory
from revenueflow.sandbox.make_directory import DATA, INJECTIONS

VENDORS = ("clearbit", "hunter")


@cache
def committed() -> list[dict[str, Any]]:
    return orjson.loads((DATA / "companies.json").read_bytes())


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    return defaults.load(Vocabulary, "vocabulary.toml")


def views() -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """(entry, what one vendor says of it)."""
    return [(entry, entry[vendor]) for entry in committed() for vendor in VENDORS if entry[vendor]]


def test_the_committed_files_are_what_the_generator_writes() -> None:
    companies = make_directory.all_companies()
    assert (DATA / "companies.json").read_bytes() == make_directory.as_json(companies)
    assert (DATA / "hubspot_contacts.json").read_bytes() == make_directory.as_json(make_directory.contacts(companies))


def test_there_are_enough_companies_of_every_kind(vocabulary: Vocabulary) -> None:
    truths = [entry["truth"] for entry in committed()]
    headcounts = [truth["headcount"] for truth in truths]
    assert len(truths) >= 150
    assert {truth["industry"] for truth in truths} == set(vocabulary.industries)
    assert len({truth["country"] for truth in truths}) >= 20
    assert (min(headcounts), max(headcounts)) == (3, 80_000)


def test_domains_and_addresses_are_reserved_and_unique() -> None:
    domains = [entry["domain"] for entry in committed()]
    emails = [person["email"] for entry in committed() for person in entry["people"]]
    assert len(set(domains)) == len(domains)
    assert len(set(emails)) == len(emails)
    assert all(name.isascii() and name.endswith(".example") for name in domains + emails)
    assert all(person["email"].endswith("@" + entry["domain"]) for entry in committed() for person in entry["people"])


def test_some_companies_are_known_to_one_vendor_or_to_none() -> None:
    known = Counter(tuple(vendor for vendor in VENDORS if entry[vendor]) for entry in committed())
    assert known[VENDORS] > 100
    assert known[("clearbit",)] >= 10
    assert known[("hunter",)] >= 10
    assert 8 <= known[()] <= 12


def test_vendors_words_mean_the_true_industry_unless_marked(vocabulary: Vocabulary) -> None:
    wrong = [
        (entry["domain"], view["industry"])
        for entry, view in views()
        if (vocabulary.industry(view["industry"]) != entry["truth"]["industry"]) != view.get("misfiled", False)
    ]
    assert wrong == []


def test_vendors_contradict_each_other_only_where_it_is_listed() -> None:
    for entry in committed():
        one, other = entry["clearbit"], entry["hunter"]
        if not one or not other:
            assert entry["contradicts"] == []
            continue
        for name in ("country", "founded_year"):
            differ = bool(one[name] and other[name] and one[name] != other[name])
            assert differ == (name in entry["contradicts"]), (entry["domain"], name)
        assert other["misfiled"] == ("industry" in entry["contradicts"]), entry["domain"]


def test_each_kind_of_contradiction_occurs_and_stays_rare() -> None:
    found = Counter(name for entry in committed() for name in entry["contradicts"])
    assert set(found) == {"headcount", "country", "founded_year", "industry"}
    assert all(1 <= count <= len(committed()) // 5 for count in found.values())


def test_vendors_funding_stage_is_the_true_one(vocabulary: Vocabulary) -> None:
    stages = [
        (entry["truth"]["funding_stage"], view["funding_stage"]) for entry, view in views() if view.get("funding_stage")
    ]
    assert len(stages) > 20
    assert all(vocabulary.funding_stage(said) == true for true, said in stages)


def test_vendors_name_no_product_that_the_company_does_not_use(vocabulary: Vocabulary) -> None:
    for entry, view in views():
        true = {vocabulary.technology(name) for name in entry["truth"]["technologies"]}
        assert {vocabulary.technology(name) for name in view["technologies"]} <= true, entry["domain"]


def test_injections_are_in_what_both_vendors_say_and_not_in_the_truth() -> None:
    attacked = {entry["name"]: entry for entry in committed() if entry["name"] in INJECTIONS}
    assert len(attacked) == len(INJECTIONS) >= 2
    for name, entry in attacked.items():
        assert all(INJECTIONS[name] in entry[vendor]["description"] for vendor in VENDORS)
        assert INJECTIONS[name] not in entry["truth"]["description"]


def test_hubspot_contacts_are_people_of_the_directory() -> None:
    contacts = orjson.loads((DATA / "hubspot_contacts.json").read_bytes())
    emails = {person["email"] for entry in committed() for person in entry["people"]}
    assert len({contact["id"] for contact in contacts}) == len(contacts) == 30
    assert {contact["properties"]["email"] for contact in contacts} <= emails
    assert any(contact["properties"]["message"] for contact in contacts)
