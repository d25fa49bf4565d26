"""Records of the adversarial set: free statements about a company's entry in a directory, and halves joined falsely.

Each false one is made of words and values that the record has, of which one stands under another key.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from tests.support.adversarial_leads import COMPANIES, Company

TRUE: Final = "record_true"
JOINED: Final = "record_join"
PEOPLE: Final = ("Nora Feldt", "Ivo Marant", "Tessa Quill", "Owen Strand", "Maren Duval", "Piet Locher")
FUNDS: Final = ("Northlight Ventures", "Kestrel Capital", "Basalt Partners", "Ember Growth")
BUYERS: Final = ("Vantor Group", "Ostara Holding", "Primus Industries", "Calder Systems")
CITIES: Final = ("Vienna", "Prague", "Lisbon", "Dublin", "Tallinn", "Porto")
MONTHS: Final = ("March", "June", "September", "November")


@dataclass(frozen=True)
class Facts:
    """What a record says. No two of its years, names or places are the same."""

    name: str
    founded: int
    seat: str
    office: str
    chief: str
    founder: str
    fund: str
    buyer: str
    month: str
    bought: int
    raised: int


def rows(seed: int) -> Iterator[dict[str, Any]]:
    """A line for each company, in the form of the file."""
    for place, company in enumerate(COMPANIES):
        facts = _facts(company, random.Random(f"{seed}/record/{company.name}"))
        said = [(TRUE, one) for one in true(facts)] + [(JOINED, one) for one in false(facts)]
        ids = [f"C{number}" for number in range(1, len(said) + 1)]
        yield {
            "evidence": [{"id": "E1", "provider": "directory", "data": RECORDS[place % len(RECORDS)](facts)}],
            "claims": [{"id": name, "statement": one} for name, (_, one) in zip(ids, said, strict=True)],
            "labels": {
                name: "supported" if kind == TRUE else "unsupported" for name, (kind, _) in zip(ids, said, strict=True)
            },
            "kinds": {name: kind for name, (kind, _) in zip(ids, said, strict=True)},
        }


def _facts(company: Company, chance: random.Random) -> Facts:
    chief, founder = chance.sample(PEOPLE, 2)
    return Facts(
        company.said[0], company.founded, company.city[1], chance.choice(CITIES), chief, founder, chance.choice(FUNDS),
        chance.choice(BUYERS), chance.choice(MONTHS), chance.choice((2021, 2022)), chance.choice((2023, 2024)),
    )  # fmt: skip


def _flat(one: Facts) -> dict[str, Any]:
    return {
        "company_name": one.name,
        "founded_year": one.founded,
        "headquarters": one.seat,
        "offices": [one.office],
        "ceo": one.chief,
        "founders": [one.founder],
        "investors": [one.fund],
        "acquired_by": one.buyer,
        "acquired_on": f"{one.month} {one.bought}",
        "last_funding_date": str(one.raised),
    }


def _titled(one: Facts) -> dict[str, Any]:
    return {
        "Name": one.name,
        "Founded": str(one.founded),
        "Headquarters": one.seat,
        "Offices": one.office,
        "CEO": one.chief,
        "Founder": one.founder,
        "Investors": one.fund,
        "Acquired by": one.buyer,
        "Acquired": f"{one.month} {one.bought}",
        "Last funding date": str(one.raised),
    }


RECORDS: Final = (_flat, _titled)


def true(one: Facts) -> tuple[str, ...]:
    """What the record says, one or two facts at a time."""
    name = one.name
    return (
        f"{name} was founded in {one.founded}.",
        f"{name} was founded by {one.founder} in {one.founded}.",
        f"{name} is headquartered in {one.seat}.",
        f"{name} was founded in {one.founded} and is headquartered in {one.seat}.",
        f"{name}, headquartered in {one.seat}, was founded in {one.founded}.",
        f"{name} was acquired by {one.buyer}.",
        f"{name} was acquired by {one.buyer} in {one.month} {one.bought}.",
        f"{one.buyer} acquired {name} in {one.bought}.",
        f"{name} last raised funding in {one.raised}.",
        f"The CEO is {one.chief}.",
    )


def false(one: Facts) -> tuple[str, ...]:
    """Two of its facts, joined to one that it does not say."""
    name = one.name
    return (
        f"{name} was founded in {one.seat} in {one.founded}.",
        f"{name} was founded in {one.seat}.",
        f"{name} was founded in {one.founded} in {one.office}.",
        f"{name} was established in {one.office} by {one.founder}.",
        f"{name} was founded by {one.chief} in {one.founded}.",
        f"{name} was founded by {one.fund}.",
        f"{name} was acquired in {one.founded}.",
        f"{name} was acquired by {one.fund} in {one.month} {one.bought}.",
        f"{name} acquired {one.buyer} in {one.month} {one.bought}.",
        f"{one.fund} acquired {name}.",
        f"{name} raised funding from {one.buyer}.",
        f"{name} raised funding in {one.bought}.",
        f"{name} opened an office in {one.office} in {one.raised}.",
    )
