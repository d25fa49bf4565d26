"""The figures of a part: ratings, and all other numbers."""

from __future__ import annotations

import re
from typing import Final

from pydantic import JsonValue

from revenueflow.domain.phrases import words
from revenueflow.grounding.free.finding import Finding, Stance
from revenueflow.grounding.free.leaves import Leaf, Leaves, key_words
from revenueflow.grounding.free.opening import EVENT
from revenueflow.grounding.free.parts import Part
from revenueflow.grounding.free.table import singular

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
MONEY: Final = re.compile(r"[$€£¥]\s?\d[\d.,]*|\b\d[\d.,]*\s?(?:dollars?|euros?|pounds?|usd|eur|gbp)\b", re.IGNORECASE)
DIGITS: Final = re.compile(r"(?<![A-Za-z]-)(?<![A-Za-z\d.])\d+(?:,\d{3})*(?:\.\d+)?")
NO_COUNT: Final = re.compile(
    r"(?i)\bout\s+of\s+\d+|/\s*\d+\b|\b\d+-point\b|\b\d{1,2}:\d{2}(?:\s*[ap]\.?m\b)?|\b\d{1,2}\s*[ap]\.?m\b"
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
    """Each number in digits stands in the evidence; one of money, as money or as a bare number.

    One that is only the value of a key needs a word for that key: 240 employees are no 240 customers.
    """
    if not leaves.record:
        return None
    text = NO_COUNT.sub(" ", EVENT.sub(" ", part.text))
    known = leaves.once(digits)
    lists = leaves.lists
    for match in MONEY.finditer(text):
        if not {_plain(one) for one in DIGITS.findall(match[0])} <= known.keys():
            return Finding(Stance.MISSING, "number", lists.score("money_missing", 0.1), match[0].strip())
    for one in DIGITS.findall(text):
        names = known.get(_plain(one))
        if _counts(one, text, leaves):
            continue
        if names is None:
            return Finding(Stance.MISSING, "number", lists.score("number_missing", 0.2), one)
        if names and names.isdisjoint(word[:ROOT] for word in part.words):
            return Finding(Stance.MISSING, "number", lists.score("number_elsewhere", 0.4), one)
    return None


def digits(leaves: Leaves) -> dict[float, frozenset[str]]:
    """All numbers of the evidence. Those that stand only under keys, with the words for these."""
    found: dict[float, frozenset[str]] = {}
    for leaf in leaves.all:
        if leaf.value is None:
            continue
        bare = isinstance(leaf.value, int | float)
        called = _called(leaf, leaves) if bare else frozenset[str]()
        for one in DIGITS.findall(str(leaf.value)):
            before = found.get(_plain(one))
            either = before is not None and not (before and called)
            found[_plain(one)] = frozenset() if either else called | (before or frozenset())
    return found


def _called(leaf: Leaf, leaves: Leaves) -> frozenset[str]:
    """The words of a leaf's keys, and those of all keys that mean the same."""
    said = {singular(word) for name in leaf.names for word in key_words(name)}
    said |= leaves.lists.words_of_keys.get("".join(map(singular, key_words(leaf.key))), frozenset())
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
