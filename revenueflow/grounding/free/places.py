"""Places in texts: countries by name or people, states, regions. What can't be told is left open."""

from __future__ import annotations

from functools import cache
from typing import Final, NamedTuple

import pycountry

from revenueflow.domain.countries import iso_names
from revenueflow.domain.phrases import PhraseIndex, words
from revenueflow.grounding.free.tables import Key, tables

STATES_OF: Final = ("US", "CA", "AU")
NATIONS: Final = {"england": "GB-ENG", "scotland": "GB-SCT", "wales": "GB-WLS", "northern ireland": "GB-NIR"}
STATE: Final = ("state",)
PEOPLES: Final = {"english": "GB-ENG", "scottish": "GB-SCT", "welsh": "GB-WLS"}
NO_COUNTRY: Final = frozenset({("jersey",), ("us",)})
"""Words that are too often something else."""


class Where(NamedTuple):
    """The countries and states that a text names, as ISO codes."""

    countries: frozenset[str]
    states: frozenset[str]
    known: bool

    @property
    def all(self) -> frozenset[str]:
        """Countries, and those of the states."""
        return self.countries | {state[:2] for state in self.states}


@cache
def index() -> PhraseIndex:
    """Names to "country:US", "state:US-TX" and "region:europe". A state wins over a country of its name."""
    found: dict[Key, str] = {}
    for code, names in iso_names().items():
        for name in names:
            found.setdefault(words(name), f"country:{code}")
    for table in (tables().countries, tables().demonyms):
        found.update({words(name): f"country:{code}" for code, names in table.items() for name in names})
    found.update(
        {words(state.name): f"state:{state.code}" for state in pycountry.subdivisions if state.code[:2] in STATES_OF}
    )
    found.update({words(name): f"state:{code}" for name, code in (NATIONS | PEOPLES).items()})
    found.update({words(name): f"region:{name}" for name in tables().regions if words(name) not in found})
    return PhraseIndex((" ".join(name), place) for name, place in found.items() if name and name not in NO_COUNTRY)


@cache
def state_codes() -> frozenset[str]:
    """The ISO 3166-2 codes."""
    return frozenset(state.code for state in pycountry.subdivisions)


def read(tokens: Key) -> Where:
    """What the words of a text name."""
    countries, states = set[str](), set[str]()
    for hit in index().find(tokens):
        kind, _, code = hit.canonical.partition(":")
        if kind == "country":
            countries.add(code)
        elif kind == "state":
            states.add(code)
    return Where(frozenset(countries), frozenset(states), bool(countries or states))


def code_of(key: Key, text: str) -> Where | None:
    """The country of a value that is an ISO 3166-1 alpha-2 code; under "state", the state of the United States."""
    code = text.strip()
    if len(code) != 2 or not code.isupper():
        return None
    if key == STATE:
        known = f"US-{code}" in state_codes()
        return Where(frozenset(), frozenset({f"US-{code}"} if known else ()), known)
    known = pycountry.countries.get(alpha_2=code) is not None
    return Where(frozenset({code}), frozenset(), True) if known else None


def inside(name: Key, held: Key, where: Where) -> bool | None:
    """True if a place of that name is where the text says, False if it is elsewhere, None if nobody can tell."""
    if set(name) <= set(held):
        return True
    place = None if name in tables().peoples else index().whole(name)
    if place is None or not where.known:
        return None
    kind, _, code = place.partition(":")
    if kind == "country":
        return code in where.all
    if kind == "region":
        share = [country in tables().regions[code] for country in where.all]
        return True if all(share) else (None if any(share) else False)
    if where.states:
        return code in where.states
    return None if code[:2] in where.all else False
