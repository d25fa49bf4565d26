"""Where a company is: city, region and country, each of which some cited piece must give."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Final

import pycountry
from pydantic import JsonValue
from typing_extensions import override

from revenueflow.domain.evidence import Signal
from revenueflow.domain.phrases import words
from revenueflow.domain.vocabulary import Vocabulary
from revenueflow.grounding.clause import Clause
from revenueflow.grounding.fields.base import Fact, Item, Place, Relation
from revenueflow.grounding.fields.told import Telling, Told
from revenueflow.grounding.rules import GroundingRules

PARTS: Final = re.compile(r"\s*(?:,|;|/|\band\b|\bund\b|\(|\))\s*", re.IGNORECASE)
WITH_REGIONS: Final = ("US", "CA", "DE", "AU")
COUNTRY, REGION, CITY = "country:", "region:", "city:"

MOST_WORDS: Final = 8
LONGEST: Final = 80
NAME: Final = re.compile(r"[\w\s.,'’()/&-]*")


def _is_a_name(text: str) -> bool:
    """False for a sentence, or a code, where the name of a place should stand."""
    return len(words(text)) <= MOST_WORDS and len(text) <= LONGEST and NAME.fullmatch(text) is not None


@dataclass(frozen=True, eq=False)
class Places(Told):
    """Cities, regions, countries. What a vendor gives as city or country denies another one of that kind."""

    signals: frozenset[Signal] = frozenset({Signal.CITY, Signal.COUNTRY})

    @override
    def read(self, value: JsonValue, vocabulary: Vocabulary, signal: Signal | None = None) -> Fact | None:
        """The places of a text ("Munich, Germany") or of a list."""
        items = value if isinstance(value, list) else [value]
        texts = [part for item in items if isinstance(item, str) and _is_a_name(item) for part in PARTS.split(item)]
        found = tuple(place(text, vocabulary, signal) for text in texts if words(text))
        return found or None

    @override
    def mentioned(self, text: str, vocabulary: Vocabulary) -> tuple[Fact, ...]:
        """The places of the table, and countries. Other names are left to the check of names."""
        countries = [f"{COUNTRY}{code}" for code in vocabulary.mentions("country", text)]
        cities = [place(name, vocabulary) for name in vocabulary.sayings.places_in(text)]
        found = (*(Place(name, frozenset({name})) for name in countries), *cities)
        return (found,) if found else ()

    @override
    def relation(self, claimed: Fact, telling: Telling) -> Relation:
        """A value of a vendor is compared; a text is read."""
        assert isinstance(claimed, tuple)
        if telling.signal not in self.signals:
            return super().relation(claimed, telling)
        whole = " ".join(clause.text for clause in telling.clauses)
        found = self.read(whole, telling.vocabulary, telling.signal)
        return _relate(claimed[0], found if isinstance(found, tuple) else ())

    @override
    def relate(self, claimed: Fact, found: Fact, rules: GroundingRules) -> Relation:
        """Two vendors' values: a place of one kind against that of another vendor."""
        assert isinstance(claimed, tuple) and isinstance(found, tuple)
        related = {_relate(item, found) for item in claimed}
        return Relation.DISAGREES if Relation.DISAGREES in related else Relation.SILENT

    @override
    def tells(self, item: Item, clause: Clause, telling: Telling) -> Relation:
        """The place is named there."""
        assert isinstance(item, Place)
        named = frozenset(clause.words) >= frozenset(words(item.said)) and _stands(item.said, clause)
        known = self.mentioned(clause.text, telling.vocabulary)
        others = [other for fact in known if isinstance(fact, tuple) for other in fact if isinstance(other, Place)]
        same = any(item.readings & other.readings for other in others)
        return Relation.AGREES if named or same else Relation.SILENT


def place(text: str, vocabulary: Vocabulary, signal: Signal | None = None) -> Place:
    """What a part of a place can be: of a code, a country as well as a state."""
    name = " ".join(words(text))
    code = vocabulary.country(text)
    country = frozenset({f"{COUNTRY}{code}"}) if code else frozenset[str]()
    if signal is Signal.COUNTRY:
        return Place(text, country or frozenset({f"{COUNTRY}{name}"}))
    usual = vocabulary.sayings.place(text)
    regions = _regions().get(usual, frozenset())
    is_city = not country and (not regions or vocabulary.sayings.places_in(text))
    cities = frozenset({f"{CITY}{usual}"}) if is_city else frozenset[str]()
    return Place(text, country | regions | cities)


def _relate(item: Item, found: Iterable[Item]) -> Relation:
    assert isinstance(item, Place)
    others = [other for other in found if isinstance(other, Place)]
    if any(item.readings & other.readings for other in others):
        return Relation.AGREES
    kinds = {_kind(reading) for reading in item.readings}
    same_kind = [other for other in others if {_kind(reading) for reading in other.readings} & kinds]
    return Relation.DISAGREES if same_kind else Relation.SILENT


def _kind(reading: str) -> str:
    return reading.partition(":")[0]


def _stands(said: str, clause: Clause) -> bool:
    return f" {' '.join(words(said))} " in clause.padded


@cache
def _regions() -> dict[str, frozenset[str]]:
    """{folded name or code of a state: its readings}, for the countries whose states are written alone."""
    found: dict[str, set[str]] = {}
    for country in WITH_REGIONS:
        for state in pycountry.subdivisions.get(country_code=country):  # type: ignore[no-untyped-call]
            for name in (state.name, str(state.code).partition("-")[2]):
                found.setdefault(" ".join(words(name)), set()).add(f"{REGION}{state.code}")
    return {name: frozenset(states) for name, states in found.items()}
