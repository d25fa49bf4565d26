"""The figures of a part: ratings, and all other numbers."""

from __future__ import annotations

import re
from typing import Final

from pydantic import JsonValue

from revenueflow.domain.phrases import words
from revenueflow.domain.quantity import CURRENCIES, Quantity, Range, scan
from revenueflow.grounding.free.finding import Finding, Stance
from revenueflow.grounding.free.leaves import Leaf, Leaves, key_words
from revenueflow.grounding.free.opening import EVENT
from revenueflow.grounding.free.parts import Part
from revenueflow.grounding.free.table import singular
from revenueflow.grounding.free.words import alike_words, known_words

SPELLED: Final = {
    word: value
    for value, word in enumerate(
        ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
    )
}
_NUMBER = rf"(?:\d+(?:\.\d+)?|{'|'.join(SPELLED)})"
RATING: Final = re.compile(
    rf"(?i)\b(?P<stars>{_NUMBER})[- ](?:out[- ]of[- ](?:{_NUMBER})[- ])?stars?\b"
    rf"|\b(?P<of>{_NUMBER})(?:\s+out\s+of\s+|\s*/\s*)(?:5|10|five|ten)\b"
    rf"|\brat(?:ing|ed)\s+(?:(?:of|is|at|as|was)\s+)?(?P<rated>\d+(?:\.\d+)?)(?!\s*%)"
)
COUNTED: Final = re.compile(
    rf"(?i)\b(?:over\s+|more\s+than\s+)?(?P<many>{_NUMBER})\s+(?:\w+\s+)?(?P<noun>[a-z]{{4,}}s)\b"
)
RATING_KEYS: Final = frozenset({"star", "rating", "score", "grade"})
ROOT: Final = 4
"""So many letters tell that "employs" speaks of "employees"."""
RATING_WORDS: Final = RATING_KEYS | {"rated", "average"}
IN_NAME: Final = re.compile(r"\b[^\W\d_]+-\d+")
NEARLY: Final = 0.1
SHORT: Final = 80
"""Up to so many characters a text is a value, and its numbers are read with their units."""
DIGITS: Final = re.compile(r"(?<![A-Za-z]-)(?<![A-Za-z\d.])\d+(?:,\d{3})*(?:\.\d+)?")
NO_COUNT: Final = re.compile(
    r"(?i)\bout\s+of\s+\d+(?:\.\d+)?|/\s*\d+(?:\.\d+)?\b|\b\d+-point\b|\b\d{1,2}:\d{2}(?:\s*[ap]\.?m\b)?|\b\d{1,2}\s*[ap]\.?m\b"
)
"""Ends of scales, and times of the day."""


def rating(part: Part, leaves: Leaves) -> Finding | None:
    """A rating in stars or points must be one that the record gives."""
    found = [_value(match["stars"] or match["of"] or match["rated"]) for match in RATING.finditer(part.text)]
    given = leaves.once(ratings)
    if not found or not given:
        return None
    values = {float(leaf.value) for leaf in given if isinstance(leaf.value, int | float)}
    lists = leaves.lists
    wrong = next((value for value in found if value not in values), None)
    if wrong is not None:
        shown = list[JsonValue](sorted(values))
        return Finding(Stance.DISAGREES, "rating", lists.score("rating_denied", 0.1), wrong, shown, given)
    return Finding(Stance.AGREES, "rating", lists.score("rating_agrees", 0.95), found[0], found[0], given)


def ratings(leaves: Leaves) -> tuple[Leaf, ...]:
    """The numbers under keys for ratings."""
    return tuple(
        leaf
        for leaf in leaves.all
        if isinstance(leaf.value, int | float)
        and not isinstance(leaf.value, bool)
        and not RATING_KEYS.isdisjoint(map(singular, key_words(leaf.key)))
    )


def number(part: Part, leaves: Leaves) -> Finding | None:
    """Each number in digits stands in the evidence, as it is written or by what it amounts to ("12 million").

    One that is only the value of a key needs a word for that key: 240 employees are no 240 customers.
    """
    if not leaves.record or not any(char.isdigit() for char in part.text):
        return None
    text = IN_NAME.sub(" ", NO_COUNT.sub(" ", EVENT.sub(" ", part.text)))
    said = frozenset(word[:ROOT] for word in part.words)
    lists = leaves.lists
    for quantity in scan(text):
        written = text[quantity.start : quantity.end].strip()
        kind = _fault(quantity, written, said, leaves)
        if kind is not None and not _counts(written, text, leaves):
            kind = "money_missing" if quantity.currency and kind == "number_missing" else kind
            score = lists.score(kind, 0.2)
            return Finding(Stance.MISSING, "number", score, written)
    return None


def _fault(quantity: Quantity, written: str, said: frozenset[str], leaves: Leaves) -> str | None:
    """What is wrong with a number of a statement, if anything."""
    known = leaves.once(numbers)
    ends = {end for end in (quantity.range.low, quantity.range.high) if end}
    digits = {_plain(one) for one in DIGITS.findall(written)}
    if _other_currency(quantity, leaves):
        return "number_missing"
    if not digits or ends <= known.keys():
        found = ends
    elif digits <= known.keys() and (ends & digits or _as_written(written, leaves)):
        found = digits
    else:
        found = {one for one, names in known.items() if names & said and _within(one, quantity)}
    if not found:
        return "number_missing" if digits else None
    meant = [known.get(one, frozenset()) for one in found]
    return None if any(not names or names & said for names in meant) else "number_elsewhere"


def _other_currency(quantity: Quantity, leaves: Leaves) -> bool:
    """True for a currency that the evidence nowhere names; where it names none it means US dollars."""
    if quantity.currency in (None, "USD"):
        return False
    signs = [sign for sign, code in CURRENCIES.items() if code == quantity.currency]
    named = any(sign in str(leaf.value).lower() for leaf in leaves.texts for sign in signs)
    return not named and leaves.once(known_words).isdisjoint(signs)


def _as_written(written: str, leaves: Leaves) -> bool:
    """True if a text holds the number as the statement writes it."""
    return any(written.lower() in str(leaf.value).lower() for leaf in leaves.texts)


def _within(value: float, quantity: Quantity) -> bool:
    if quantity.range.exact and not quantity.range.approximate:
        return False
    return Range(low=value, high=value).within(quantity.range, NEARLY if quantity.range.approximate else 0.0)


def numbers(leaves: Leaves) -> dict[float, frozenset[str]]:
    """All numbers of the evidence. Those that stand only under keys, with the words for these."""
    found: dict[float, frozenset[str]] = {}
    for leaf in leaves.all:
        if leaf.value is None or isinstance(leaf.value, bool):
            continue
        called = frozenset[str]() if isinstance(leaf.value, str) else _called(leaf, leaves)
        for one in _values(leaf.value):
            before = found.get(one)
            either = before is not None and not (before and called)
            found[one] = frozenset() if either else called | (before or frozenset())
    return found


def _values(value: str | float) -> set[float]:
    """The numbers of a value; in a short text also what they amount to."""
    if not isinstance(value, str):
        return {float(value)}
    found = {_plain(one) for one in DIGITS.findall(value)}
    if found and len(value) < SHORT:
        ends = ((one.range.low, one.range.high) for one in scan(value))
        found.update(end for pair in ends for end in pair if end is not None)
    return found


def _called(leaf: Leaf, leaves: Leaves) -> frozenset[str]:
    """The words of a leaf's keys, and those of all keys that mean the same."""
    said = {singular(word) for name in leaf.names for word in key_words(name)}
    said |= alike_words(leaf, leaves.lists)
    return frozenset(word[:ROOT] for word in (said | RATING_WORDS if said & RATING_KEYS else said))


def lengths(leaves: Leaves) -> dict[str, int]:
    """How many items the lists of the evidence have, by the singular words of their names."""
    found: dict[str, int] = {}
    for leaf in leaves.all:
        for step, following in zip(leaf.path, leaf.path[1:], strict=False):
            if isinstance(step, str) and isinstance(following, int):
                for word in key_words(step):
                    found[singular(word)] = max(found.get(singular(word), 0), following + 1)
    return found


def _counts(one: str, text: str, leaves: Leaves) -> bool:
    """True if it counts the items of a list that is as long: "3 reviews"."""
    known = leaves.once(lengths)
    for match in COUNTED.finditer(text):
        if match["many"] == one and known.get(singular(words(match["noun"])[0])) == _value(one):
            return True
    return False


def _value(text: str) -> float:
    return float(SPELLED.get(text.lower(), -1)) if text.isalpha() else float(text)


def _plain(text: str) -> float:
    return float(text.replace(",", ""))
