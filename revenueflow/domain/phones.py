"""Phone numbers in E.164, and the time zone where a number or a country is. The raw text is the caller's to keep."""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

import phonenumbers

from revenueflow import defaults
from revenueflow.domain.base import Value

LONGEST = 60
UNKNOWN = "Etc/Unknown"
LEAST_DIGITS = 6
_NO_DIGITS = re.compile(r"\D+")
_VANITY = re.compile(r"\+?\d[\d\s().-]{3,}[A-Za-z-]{4,}")
"""1-800-FLOWERS."""


class Phone(NamedTuple):
    """A valid number: E.164 ("+493012345678"), the digits of its extension, and its country (ISO 3166-1 alpha-2).

    `region` is None for numbers that belong to no country (+800).
    """

    e164: str
    extension: str | None
    region: str | None


class TimeZones(Value):
    """IANA names of the time zones of countries that have one; others are absent."""

    version: int
    countries: dict[str, str]


def understood(raw: str | None, country: str | None = None) -> Phone | None:
    """The number that a text gives, None if it is not one valid number.

    `country` (ISO 3166-1 alpha-2) is where it is dialled from if it has no international prefix; "00" is one
    everywhere.
    """
    text = (raw or "").strip()
    if not text or len(text) > LONGEST:
        return None
    readings = (_valid(text, country), _valid("+" + text[2:], None) if text.startswith("00") else None)
    return next(filter(None, readings), None)


def looks_like_one(text: str) -> bool:
    """Whether a text may be a phone number, known to be valid or not: six digits or more, not all of them the same."""
    if len(text) > LONGEST:
        return False
    digits = _NO_DIGITS.sub("", text)
    several = len(digits) >= LEAST_DIGITS and digits.strip(digits[0]) != ""
    return several or _VANITY.fullmatch(text) is not None


def e164(raw: str | None, country: str | None = None) -> str | None:
    """`understood`, the number alone."""
    found = understood(raw, country)
    return found.e164 if found else None


def national(e164_number: str) -> str | None:
    """The digits of a number in E.164 as it is dialled from its own country, without a leading zero."""
    try:
        return str(phonenumbers.parse(e164_number, None).national_number)
    except phonenumbers.NumberParseException:
        return None


def time_zone(phone: str | None, country: str | None = None) -> str | None:
    """The IANA time zone of a number (in E.164, or as understood from `country`), else of a country with one zone.

    None where several are possible, and never a guess between them.
    """
    number = understood(phone, country)
    zones = _zones(number.e164) if number else ()
    if len(zones) == 1:
        return zones[0]
    table = time_zones().countries
    place = number.region if number and number.region else country
    return table.get((place or "").upper())


@cache
def time_zones() -> TimeZones:
    """The table of defaults/time_zones.toml. Raises ConfigurationError."""
    return defaults.load(TimeZones, "time_zones.toml")


def _valid(text: str, country: str | None) -> Phone | None:
    try:
        number = phonenumbers.parse(text, country.upper() if country else None)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    region = phonenumbers.region_code_for_number(number)
    written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return Phone(written, number.extension or None, region if region and region.isalpha() else None)


def _zones(number: str) -> tuple[str, ...]:
    # Its table is large; a process that never asks for a zone does not load it.
    from phonenumbers.timezone import time_zones_for_number

    found = time_zones_for_number(phonenumbers.parse(number, None))
    return tuple(zone for zone in found if zone != UNKNOWN)
