"""The country of a place as people write it: "Berlin, Germany", "Austin, TX 78701". None rather than a guess.

The last part decides. One that can mean several countries ("Paris, CA": California or Canada) is decided by a ZIP code,
or by the city, if the vocabulary lists it for just one of them.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

import pycountry

from revenueflow.domain.countries import iso_codes
from revenueflow.domain.phrases import words
from revenueflow.domain.text import visible
from revenueflow.domain.vocabulary import Vocabulary

LONGEST = 200
"""Characters that are looked at."""
PLAINLY = frozenset({"DE", "IN"})
"""Codes that alone mean the country, though a state of the US has them too: it is far smaller than the country."""
WITH_NAMED_STATES = ("AU", "CA", "DE", "US")
"""Whose states are written without the country."""
ZIPS = {
    "0": "CT MA ME NH NJ RI VT", "1": "NY PA", "19": "DE", "2": "DC MD NC SC VA WV", "3": "AL FL GA MS TN",
    "4": "IN KY MI OH", "5": "IA MN MT ND SD WI", "6": "IL KS MO NE", "7": "AR LA OK TX", "8": "AZ CO ID NM NV UT WY",
    "9": "AK CA HI OR WA",
}  # fmt: skip
"""First digits of a ZIP code -> states that have it (USPS)."""
_BREAK = re.compile(r"[,;/|()\n•·]+|\s[-–—]\s")
_ZIP = re.compile(r"\b([A-Z]{2})[\s,]+(\d{5})(?:-\d{4})?\s*$")
_CANADIAN = re.compile(r"\b[A-Z]{2}[\s,]+[ABCEGHJ-NPRSTVXY]\d[A-Z]\s?\d[A-Z]\d\s*$")


def country(given: str | None, location: str | None, vocabulary: Vocabulary) -> str | None:
    """ISO 3166-1 alpha-2 of a field for the country, else of a location. None where neither is understood."""
    return vocabulary.country(visible(given or "")) or country_in(location, vocabulary)


def country_in(location: str | None, vocabulary: Vocabulary) -> str | None:
    """ISO 3166-1 alpha-2 of the country that a place is in."""
    text = visible(location or "")[:LONGEST].replace(".", "").strip()
    parts = [plain for part in _BREAK.split(text) if (plain := _without_codes(part))]
    if not parts:
        return None
    if _CANADIAN.search(text):
        return "CA"
    if (found := _ZIP.search(text)) and _is_zip(found[1], found[2]):
        return "US"
    return _last(parts, vocabulary) if len(parts) > 1 else _alone(parts[0], vocabulary)


@cache
def states(country_code: str) -> dict[str, str]:
    """Codes and names of the states of a country -> code, the second part of ISO 3166-2."""
    found = {}
    for one in pycountry.subdivisions.get(country_code=country_code) or ():  # type: ignore[no-untyped-call]
        code = one.code.partition("-")[2]
        found[folded(one.name)] = code
        found[code] = code
    return found


def folded(name: str) -> str:
    """Capitals without accents."""
    plain = unicodedata.normalize("NFKD", name.upper())
    return "".join(char for char in plain if not unicodedata.combining(char))


def _alone(part: str, vocabulary: Vocabulary) -> str | None:
    meant, named = _meanings(part, vocabulary), vocabulary.country(part)
    if named in PLAINLY and len(part) == len("DE"):
        return named
    elsewhere = {code for code in vocabulary.cities if vocabulary.is_city(part, code)} - meant
    return None if elsewhere else _only(meant)


def _last(parts: list[str], vocabulary: Vocabulary) -> str | None:
    if whole := vocabulary.country(" ".join(parts[-2:])):
        return whole  # "Korea, Republic of"
    if meant := _meanings(parts[-1], vocabulary):
        return _only(meant) or _only({code for code in meant if vocabulary.is_city(parts[-2], code)})
    # Of the parts before only the name of a country tells anything: "CA" or "Victoria" may be anything there.
    named = (vocabulary.country(part) for part in reversed(parts[:-1]) if len(part) >= 3 and not _is_a_state(part))
    return next(filter(None, named), None)


def _meanings(part: str, vocabulary: Vocabulary) -> set[str]:
    """The countries that a part can mean by itself, or by a state."""
    named = vocabulary.country(part)
    own = {named} if named else set[str]()
    name = folded(part)
    if len(name) == 2 and name.casefold() in iso_codes():
        return own | ({"US"} if _is_zip(name) else set())
    if len(name) <= 3:
        abroad = "CA" if len(name) == 2 else "AU"
        return own or {code for code in ("US", abroad) if name in states(code)}
    return own | {code for code in WITH_NAMED_STATES if name in states(code)}


def _is_a_state(part: str) -> bool:
    return any(folded(part) in states(code) for code in WITH_NAMED_STATES)


def _is_zip(state: str, code: str = "") -> bool:
    """Whether it is a state of the US that can have the ZIP code."""
    return any(state in each.split() and (not code or code.startswith(first)) for first, each in ZIPS.items())


def _only(meant: set[str]) -> str | None:
    return next(iter(meant)) if len(meant) == 1 else None


def _without_codes(part: str) -> str:
    """Without postcodes and house numbers."""
    return " ".join(word for word in part.split() if words(word) and not any(map(str.isdigit, word)))
