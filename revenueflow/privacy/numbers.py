"""Phone numbers in texts, told from all other numbers by their form and by the words before them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import phonenumbers

_CANDIDATE: Final = re.compile(
    r"(?<!\w)(?<!\d[.,])(?<!\d-)(?<!#)(?:\+[ ]?|\(\+?)?\d(?:[ \t\u00a0\u2010-\u2014().\-/]{0,3}\d){5,60}"
    r"(?!\w)(?![.,]\d)"
)
_CALLED: Final = re.compile(
    r"(?i)(?:phone|tel|call|dial|mobile|mobil|cell|fax|whats ?app|sms|text me|messages? to|reach|registered|contact"
    r"|handy|telefon|téléphone|teléfono|telefono|móvil|rufnummer|ring|anruf|números?|portable|ext)\w{0,12}(?![^\W\d])"
)
_OTHER: Final = re.compile(
    r"(?i)(?:zip|postal|post ?code|plz|order|invoice|ticket|case|account|acct|licen[cs]e|passport|version|ssn|ref|isbn"
    r"|ean|apt|apartment|suite|unit|floor|room|street|box|address|located at|serial"
    r"|customer|transaction|tracking|naics|sic|duns|vat|batch|part|item|sku|model|pin|build|id)\w{0,8}(?![^\W\d])"
)
_UNIT: Final = re.compile(
    r"(?i)[ ]?(?:%|€|\$|£|usd|eur|gbp|chf|million|billion|mio|people|employees|seats|users|customers|companies|units"
    r"|hours|mitarbeiter|px|kb|mb|gb|ms|km|kg|sq)"
)
_MONEY: Final = re.compile(r"(?i)(?:[€$£¥]|usd|eur|gbp|chf)[ ]?$")
_DATE: Final = re.compile(
    r"(?:19|20)\d\d[-/.](?:0?[1-9]|1[0-2])[-/.](?:0?[1-9]|[12]\d|3[01])(?!\d)(?:[ T]?\d{1,2}(?:[ -:]\d{2}){0,2})?"
    r"|(?:0?[1-9]|[12]\d|3[01])[-/.](?:0?[1-9]|[12]\d|3[01])[-/.](?:19|20)\d\d(?:[ T]\d{1,2})?"
    r"|(?:19|20)\d\d[ ]?[-\u2013/][ ]?(?:19|20)\d\d|(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"
)
_POSTAL: Final = re.compile(r"\d{5}-\d{3,4}|\d{4}-\d{3}")
_BEGINS: Final = re.compile(r"[ \t,/]+(?=[0(]\d)")
_GROUPS: Final = re.compile(r"\d+")
BEFORE: Final = 28
FEWEST, USUAL, MOST = 7, 9, 15


def phones(text: str) -> Iterator[tuple[int, int]]:
    """Where numbers are that somebody can be called at: international, in groups, or after a word that says so."""
    for found in _CANDIDATE.finditer(text):
        before = text[max(0, found.start() - BEFORE) : found.start()]
        for start, end in _numbers(text, *found.span()):
            number = text[start:end]
            count = len(digits(number))
            whole = number.count("(") >= number.count(")")
            if whole and count <= MOST + 2 and _is_phone(number, count, before, text[end : end + 12]):
                yield start, end


def _numbers(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """A run of digits that is too long for one number is several: each begins as numbers do where they are dialled."""
    if len(digits(text[start:end])) > MOST:
        for begin in _BEGINS.finditer(text, start + 1, end):
            if len(digits(text[start : begin.start()])) >= USUAL and len(digits(text[begin.end() : end])) >= USUAL:
                yield start, begin.start()
                start = begin.end()
    yield start, end


def _is_phone(number: str, count: int, before: str, after: str) -> bool:
    if _DATE.fullmatch(number.strip("()")) or _DATE.match(number):
        return False
    if number.startswith(("+", "(+", "00")) and count >= FEWEST + 1 and _is_possible(number):
        return True
    called, other = _last(_CALLED, before), _last(_OTHER, before)
    if called > other:
        return count >= FEWEST - 1
    if other >= 0 or _MONEY.search(before) or _UNIT.match(after) or count > MOST:
        return False
    return _looks_dialled(number, count)


def _last(words: re.Pattern[str], before: str) -> int:
    """Where the last of these words begins; -1 if none is there. One too far away, or in another sentence, is none."""
    near = max(before.rfind(mark) for mark in (". ", "? ", "! ", "; "))
    return max((found.start() for found in words.finditer(before) if found.start() > near), default=-1)


def _looks_dialled(number: str, count: int) -> bool:
    """Without any word about it: enough digits, in groups as people write numbers, and not a quantity or a range."""
    groups = _GROUPS.findall(number)
    if len(groups) == 1:
        return count >= 9 or (count == 8 and number.startswith("0"))
    if count < FEWEST or _is_quantity(number, groups) or max(map(len, groups)) > 9:
        return False
    if count == FEWEST:
        return bool(re.fullmatch(r"\d{3}-\d{4}", number)) and not number.endswith("000")
    if number.startswith(("0", "(")):
        return count >= 9 or number.startswith("(")
    if not number.replace(" ", "").isdigit():
        return not _POSTAL.fullmatch(number)
    # Numbers with nothing but spaces between them stand in addresses too: a flat, a house, a postal code.
    return len(groups) > 2 and count >= 9 and min(map(len, groups)) > 1


def _is_quantity(number: str, groups: list[str]) -> bool:
    thousands = all(len(one) == 3 for one in groups[1:]) and len(groups[0]) <= 3 and not number.startswith("0")
    if thousands and (len(groups[0]) < 3 or groups[-1] == "000"):
        return not number.startswith("(")
    if len(groups) == 2 and "(" not in number:
        # 0.001234, 12.5000; 10000-50000, 3610-114
        low, high = groups
        return ("." in number and len(low) <= 2) or (low.endswith("00") and high.endswith("0")) or len(high) < 3
    # 4.12.2 and other lists of small numbers
    return all(len(one) <= 2 for one in groups) and len(groups) > 5


def _is_possible(number: str) -> bool:
    text = digits(number)
    text = text[2:] if text.startswith("00") else text
    try:
        return phonenumbers.is_possible_number(phonenumbers.parse("+" + text, None)) or "+" in number
    except phonenumbers.NumberParseException:
        return "+" in number


def digits(text: str) -> str:
    """Those of a text, alone."""
    return "".join(char for char in text if char.isascii() and char.isdigit())


def luhn(text: str) -> bool:
    """Whether digits fulfil Luhn's sum."""
    total = 0
    for place, char in enumerate(reversed(text)):
        value = int(char) * (1 + place % 2)
        total += value - 9 * (value > 9)
    return total % 10 == 0
