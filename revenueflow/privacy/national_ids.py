"""Numbers that states give to people: by form and check digits, or after a word that names the document."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

from revenueflow.privacy.numbers import digits, luhn

_SSN: Final = re.compile(r"(?<![\w-])(?!000|666)\d{3}([- ])(?!00)\d{2}\1(?!0000)\d{4}(?![\w-])")
_NINO: Final = re.compile(
    r"(?i)(?<!\w)(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z][ ]?\d{2}[ ]?\d{2}[ ]?\d{2}[ ]?[A-D](?!\w)"
)
_DNI: Final = re.compile(r"(?i)(?<!\w)(?:[XYZ][ -]?\d{7}|\d{8})[ -]?[A-HJ-NP-TV-Z](?!\w)")
_INSEE: Final = re.compile(
    r"(?<!\w)[12](?:[ ]?\d{2})[ ]?(?:0[1-9]|1[0-2])(?:[ ]?[0-9AB]{2})[ ]?\d{3}[ ]?\d{3}[ ]?\d{2}(?!\w)"
)
_CODICE: Final = re.compile(r"(?i)(?<!\w)[A-Z]{6}\d{2}[ABCDEHLMPRST]\d{2}[A-Z]\d{3}[A-Z](?!\w)")
_CPF: Final = re.compile(r"(?<![\w.-])\d{3}\.\d{3}\.\d{3}-\d{2}(?!\w)")
_PERSONNUMMER: Final = re.compile(r"(?<![\w-])(?:19|20)?\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])[-+]\d{4}(?!\w)")
_RESIDENT: Final = re.compile(r"(?<!\w)\d{6}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx](?!\w)")
_PAN: Final = re.compile(r"(?<!\w)[A-Z]{3}[ABCFGHLJPT][A-Z]\d{4}[A-Z](?!\w)")
_AADHAAR: Final = re.compile(r"(?<![\w-])(?<!\d )[2-9]\d{3}[ ]\d{4}[ ]\d{4}(?![\w-])(?! \d)")
_NAMED: Final = re.compile(
    r"(?i)(?<!\w)(?:passport|driv(?:er|ing)['’]?s?[ ](?:licen[cs]e|permit)|national[ ](?:id|identity|insurance)"
    r"|identity[ ](?:card|number)|id[ ]card|social[ ](?:security|insurance)|ssn|sin|itin|nino"
    r"|tax[ ](?:id|identification|payer)|tin|bsn|pesel|aadhaar|cpf|dni|nie|curp|nhs|medicare"
    r"|personalausweis\w{0,8}|reisepass\w{0,8}"
    r"|steuer-?id\w{0,20}|führerschein\w{0,8})"
    r"(?!\w)[^\d\n]{0,30}?(?<![A-Za-z0-9])(?P<value>(?-i:[A-Z]{0,4}\d[A-Z0-9]{0,3}(?:[ .-]?[A-Z0-9]{1,6}){0,6}))(?!\w)"
)
_LETTERS: Final = "TRWAGMYFPDXBNJZSQVHLCKE"
_ODD: Final = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23)
FEWEST_DIGITS: Final = 5


def found(text: str) -> Iterator[tuple[int, int]]:
    """Where such numbers are."""
    for pattern, is_one in _FORMS:
        yield from (match.span() for match in pattern.finditer(text) if is_one(match.group()))
    for match in _NAMED.finditer(text):
        if len(digits(match["value"])) >= FEWEST_DIGITS:
            yield match.span("value")


def _any(_: str) -> bool:
    return True


def _spanish(text: str) -> bool:
    plain = text.replace(" ", "").replace("-", "").upper()
    number = plain[:-1].translate(str.maketrans("XYZ", "012"))
    return _LETTERS[int(number) % 23] == plain[-1]


def _french(text: str) -> bool:
    plain = text.replace(" ", "").replace("2A", "19").replace("2B", "18")
    return plain.isdigit() and 97 - int(plain[:13]) % 97 == int(plain[13:])


def _italian(text: str) -> bool:
    total = 0
    for place, char in enumerate(text.upper()[:15]):
        value = int(char) if char.isdigit() else ord(char) - 65
        total += value if place % 2 else _ODD[value]
    return chr(65 + total % 26) == text[-1].upper()


def _brazilian(text: str) -> bool:
    plain = [int(char) for char in digits(text)]
    for length in (9, 10):
        total = sum(value * (length + 1 - place) for place, value in enumerate(plain[:length]))
        if (total * 10 % 11) % 10 != plain[length]:
            return False
    return len(set(plain)) > 1


def _swedish(text: str) -> bool:
    return luhn(digits(text)[-10:])


def _chinese(text: str) -> bool:
    total = sum(int(char) * pow(2, 17 - place, 11) for place, char in enumerate(text[:17]))
    return "10X98765432"[total % 11] == text[17].upper()


_D: Final = (
    (0, 1, 2, 3, 4, 5, 6, 7, 8, 9), (1, 2, 3, 4, 0, 6, 7, 8, 9, 5), (2, 3, 4, 0, 1, 7, 8, 9, 5, 6),
    (3, 4, 0, 1, 2, 8, 9, 5, 6, 7), (4, 0, 1, 2, 3, 9, 5, 6, 7, 8), (5, 9, 8, 7, 6, 0, 4, 3, 2, 1),
    (6, 5, 9, 8, 7, 1, 0, 4, 3, 2), (7, 6, 5, 9, 8, 2, 1, 0, 4, 3), (8, 7, 6, 5, 9, 3, 2, 1, 0, 4),
    (9, 8, 7, 6, 5, 4, 3, 2, 1, 0),
)  # fmt: skip
_P: Final = (
    (0, 1, 2, 3, 4, 5, 6, 7, 8, 9), (1, 5, 7, 6, 2, 8, 3, 0, 9, 4), (5, 8, 0, 3, 7, 9, 6, 1, 4, 2),
    (8, 9, 1, 6, 0, 4, 3, 5, 2, 7), (9, 4, 5, 3, 1, 2, 6, 8, 7, 0), (4, 2, 8, 6, 5, 7, 3, 9, 0, 1),
    (2, 7, 9, 3, 8, 0, 6, 4, 1, 5), (7, 0, 4, 6, 9, 1, 3, 2, 5, 8),
)  # fmt: skip


def _indian(text: str) -> bool:
    """Verhoeff's check digit."""
    check = 0
    for place, char in enumerate(reversed(digits(text))):
        check = _D[check][_P[place % 8][int(char)]]
    return check == 0


_FORMS: Final[tuple[tuple[re.Pattern[str], Callable[[str], bool]], ...]] = (
    (_SSN, _any), (_NINO, _any), (_DNI, _spanish), (_INSEE, _french), (_CODICE, _italian), (_CPF, _brazilian),
    (_PERSONNUMMER, _swedish), (_RESIDENT, _chinese), (_PAN, _any), (_AADHAAR, _indian),
)  # fmt: skip
