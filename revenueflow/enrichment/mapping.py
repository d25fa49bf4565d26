"""From a vendor's answer to facts, by a table: which signal, where it stands, what it must look like.

A null is unknown and gives no fact. A value of the wrong form is refused with a reason, never guessed at.
Personal data has no row in any table, and addresses or numbers inside running text are replaced.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

from pydantic import JsonValue

from revenueflow.domain.evidence import Signal
from revenueflow.enrichment.base import Fact, Refused
from revenueflow.privacy.redaction import LABEL, redact

LONGEST_TEXT = 4_000
LONGEST_LIST = 500
LARGEST_NUMBER = 10**15
FIRST_YEAR, LAST_YEAR = 1200, 2100
NOTHING: tuple[JsonValue, ...] = (None, "", [])
"""What says nothing: an empty list of products doesn't mean that a company uses none."""


class Unfit(Exception):
    """A value can't be used. The message is the reason, a short stable code."""


class At(NamedTuple):
    """A value that was found further inside: `suffix` extends the path."""

    suffix: str
    value: JsonValue


_SEGMENT = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]")
_PLAIN_RANGE = re.compile(r"(\d{1,15})\s*[-–]\s*(\d{1,15})")
_NO_AMOUNT = re.compile(r"\s*[-−]|\s*\+?[\d.]+[eE][-+]?\d")
Converter = Callable[[JsonValue], JsonValue | At]
"""Raises Unfit. A result of None means: nothing there."""


class Field(NamedTuple):
    """One row: the first of `paths` (dotted, below the root) that holds a usable value becomes the fact."""

    signal: Signal
    convert: Converter
    paths: tuple[str, ...]


def field(signal: Signal, convert: Converter, *paths: str) -> Field:
    """A row of a table."""
    return Field(signal, convert, paths)


def read(answer: JsonValue, root: str, fields: Iterable[Field]) -> tuple[list[Fact], list[Refused]]:
    """Facts and refusals of the object at `root` ("$", "$.matches[3].company"), in the order of the table."""
    facts: list[Fact] = []
    refused: list[Refused] = []
    for row in fields:
        for path in (f"{root}.{below}" for below in row.paths):
            try:
                found = _at(answer, path, row.convert)
            except Unfit as unfit:
                refused.append(Refused(signal=row.signal, path=path, reason=str(unfit)))
                continue
            if found is not None:
                facts.append(Fact(signal=row.signal, path=path + found.suffix, value=found.value))
                break
    return facts, refused


def _at(answer: JsonValue, path: str, convert: Converter) -> At | None:
    for name, place in _SEGMENT.findall(path):
        if answer is None:
            return None
        answer = _inside(answer, name, place)
    if answer in NOTHING:
        return None
    found = convert(answer)
    placed = found if isinstance(found, At) else At("", found)
    return None if placed.value in NOTHING else placed


def _inside(answer: JsonValue, name: str, place: str) -> JsonValue:
    if name and isinstance(answer, dict):
        return answer.get(name)
    if place and isinstance(answer, list):
        return answer[int(place)] if int(place) < len(answer) else None
    raise Unfit("wrong_type")


def text(value: JsonValue) -> str:
    """A short text: a name, a label, a range."""
    if not isinstance(value, str):
        raise Unfit("wrong_type")
    if len(value) > LONGEST_TEXT:
        raise Unfit("too_long")
    if "\x00" in value:
        raise Unfit("bad_characters")
    return redact(value.strip(), kinds=LABEL)


def prose(value: JsonValue) -> str:
    """Running text: email addresses and phone numbers inside are replaced by placeholders."""
    return redact(text(value))


def amount(value: JsonValue) -> int | float:
    """A number that is not negative."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Unfit("wrong_type")
    if not 0 <= value <= LARGEST_NUMBER:
        raise Unfit("out_of_range")
    return value


def count(value: JsonValue) -> int:
    """A whole number that is not negative."""
    number = amount(value)
    if number != int(number):
        raise Unfit("wrong_type")
    return int(number)


def count_or_range(value: JsonValue) -> JsonValue:
    """A whole number, or a range as text ("51-200")."""
    return range_text(value) if isinstance(value, str) else count(value)


def amount_or_range(value: JsonValue) -> JsonValue:
    """A number, or a range as text ("$10M-$50M")."""
    return range_text(value) if isinstance(value, str) else amount(value)


def range_text(value: JsonValue) -> str:
    """A range as people write it: with a number, none of them negative, and from less to more."""
    told = text(value)
    if not any(char.isdigit() for char in told):
        raise Unfit("wrong_type")
    plain = _PLAIN_RANGE.fullmatch(told.strip())
    if _NO_AMOUNT.match(told) or (plain and int(plain[1]) > int(plain[2])):
        raise Unfit("out_of_range")
    return told


def year(value: JsonValue) -> int:
    """A year of the common era."""
    found = count(value)
    if not FIRST_YEAR <= found <= LAST_YEAR:
        raise Unfit("out_of_range")
    return found


def passages(value: JsonValue) -> JsonValue:
    """A list of running texts, each as `prose`."""
    return [prose(item) for item in _list(value)]


def texts(value: JsonValue) -> JsonValue:
    """A list of short texts."""
    return [text(item) for item in _list(value)]


def _list(value: JsonValue) -> list[JsonValue]:
    if not isinstance(value, list):
        raise Unfit("wrong_type")
    if len(value) > LONGEST_LIST:
        raise Unfit("too_long")
    return value
