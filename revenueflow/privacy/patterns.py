"""What looks like personal data or a secret, wherever it stands in a text: kinds that have a form of their own.

Every expression takes time in proportion to the text: each begins where a run of its characters begins, and every
repetition is possessive or bounded.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Final, NamedTuple

from revenueflow.privacy import national_ids, numbers
from revenueflow.privacy.secrets import credentials, secrets


class Kind(StrEnum):
    """What a placeholder stands for."""

    SECRET = "SECRET"  # noqa: S105 a name
    CREDENTIALS = "CREDENTIALS"
    EMAIL = "EMAIL"
    IBAN = "IBAN"
    CARD = "CARD"
    NATIONAL_ID = "NATIONAL_ID"
    IP = "IP"
    PHONE = "PHONE"
    NAME = "NAME"


class Found(NamedTuple):
    """A place in a text, and what is there."""

    start: int
    end: int
    kind: Kind


Spans = Iterator[tuple[int, int]]

_EMAIL = re.compile(r"(?<![\w.+'%&!~-])[\w.+'%&!~-]++@[\w-]++(?:\.[\w-]++)+")
_DOT = r"(?:\.|[ ]?(?:\(dot\)|\[dot\]|\{dot\})[ ]?)"
_SPELLED = re.compile(
    rf"(?i)(?<![\w.+-])[\w.+-]{{1,64}}[ ]?(?:\(at\)|\[at\]|\{{at\}})[ ]?[\w-]{{1,63}}(?:{_DOT}[\w-]{{1,63}}){{1,5}}"
)
_IBAN = re.compile(r"(?i)(?<![A-Z0-9])[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]){11,30}(?![A-Z0-9])")
_CARD = re.compile(r"(?<![\w.,-])(?<!\d )\d(?:[ -]?\d){11,18}(?![\w-])(?![.,]\d)")
_IPV4 = re.compile(r"(?<![\w.])(?<![vV]ersion )(?:\d{1,3}\.){3}\d{1,3}(?![\w])(?!\.\d)")
_IPV6 = re.compile(r"(?<![\w:.])(?=[0-9A-Fa-f]{0,4}:[0-9A-Fa-f]{0,4}:)[0-9A-Fa-f:]{3,39}(?:\.\d{1,3}){0,3}(?![\w:])")
SHORTEST_IBAN: Final = 15


def emails(text: str) -> Spans:
    """Addresses, also spelled with (at) and (dot)."""
    if "@" in text:
        yield from (found.span() for found in _EMAIL.finditer(text))
    if any(mark in text.lower() for mark in ("(at)", "[at]", "{at}")):
        yield from (found.span() for found in _SPELLED.finditer(text))


def ibans(text: str) -> Spans:
    """Account numbers whose check digits are right."""
    for found in _IBAN.finditer(text):
        end = _iban_end(found.group())
        if end:
            yield found.start(), found.start() + end


def _iban_end(text: str) -> int:
    """Where the longest beginning ends that is an IBAN: a word after it looks like a part of it."""
    places = [place for place, char in enumerate(text) if char.isalnum()]
    for count in range(min(len(places), 34), SHORTEST_IBAN - 1, -1):
        end = places[count - 1] + 1
        whole_word = end == len(text) or not text[end].isalnum()
        if whole_word and _checks("".join(filter(str.isalnum, text[:end])).upper()):
            return end
    return 0


def _checks(iban: str) -> bool:
    return int("".join(str(int(char, 36)) for char in iban[4:] + iban[:4])) % 97 == 1


def cards(text: str) -> Spans:
    """Card numbers of 12 to 19 digits that Luhn's sum confirms."""
    for found in _CARD.finditer(text):
        digits = numbers.digits(found.group())
        if numbers.luhn(digits) and digits[0] in "234569" and len(set(digits)) > 1:
            yield found.span()


def addresses(text: str) -> Spans:
    """IPv4 and IPv6 addresses; those of the machine itself are nobody's."""
    for pattern, mark, least in ((_IPV4, ".", 3), (_IPV6, ":", 2)):
        if text.count(mark) >= least:
            yield from (found.span() for found in pattern.finditer(text) if _is_somebodys(found.group()))


def _is_somebodys(text: str) -> bool:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return not (address.is_loopback or address.is_unspecified)


FINDERS: Final[tuple[tuple[Kind, Callable[[str], Spans]], ...]] = (
    (Kind.SECRET, secrets),
    (Kind.CREDENTIALS, credentials),
    (Kind.EMAIL, emails),
    (Kind.IBAN, ibans),
    (Kind.NATIONAL_ID, national_ids.found),
    (Kind.CARD, cards),
    (Kind.IP, addresses),
    (Kind.PHONE, numbers.phones),
)
"""In this order: what an earlier one has found the later ones leave."""
