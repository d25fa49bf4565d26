"""Country names to ISO 3166-1 alpha-2, from pycountry and from the names that people and vendors write."""

from __future__ import annotations

from functools import cache

import pycountry


@cache
def iso_names() -> dict[str, tuple[str, ...]]:
    """{alpha-2: names}: name, common and official name, and the part before a comma where it is unique."""
    named = {country.alpha_2: _names(country) for country in pycountry.countries}
    counts: dict[str, int] = {}
    for names in named.values():
        for short in {_short(name) for name in names}:
            counts[short] = counts.get(short, 0) + 1
    return {code: _with_short(names, counts) for code, names in named.items()}


@cache
def iso_codes() -> dict[str, str]:
    """{alpha-2 or alpha-3, lower case: alpha-2}."""
    codes = {country.alpha_3.casefold(): str(country.alpha_2) for country in pycountry.countries}
    return codes | {country.alpha_2.casefold(): str(country.alpha_2) for country in pycountry.countries}


def country_name(code: str) -> str | None:
    """The usual English name of an alpha-2 code."""
    found = pycountry.countries.get(alpha_2=code)
    return str(getattr(found, "common_name", found.name)) if found else None


def _names(country: object) -> tuple[str, ...]:
    found = (getattr(country, key, None) for key in ("name", "common_name", "official_name"))
    return tuple(dict.fromkeys(str(name) for name in found if name))


def _short(name: str) -> str:
    return name.partition(",")[0].partition(" (")[0].strip()


def _with_short(names: tuple[str, ...], counts: dict[str, int]) -> tuple[str, ...]:
    shorts = (_short(name) for name in names)
    return tuple(dict.fromkeys((*names, *(short for short in shorts if counts[short] == 1))))
