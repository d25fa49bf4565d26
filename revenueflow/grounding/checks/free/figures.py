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
MONEY: Final = re.compile(r"[$€£¥]\s?\d[\d.,]*|\b\d[\d.,]*\s?(?:dollars?|euros?|pounds?|usd|eur|gbp)\b", re.IGNORECASE)
DIGITS: Final = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?")
SCALE: Final = re.compile(r"(?i)\bout\s+of\s+\d+|/\s*\d+\b|\b\d+-point\b")


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
    """Each number in digits stands in the evidence; one of money, as money or as a bare number."""
    if not leaves.record:
        return None
    text = SCALE.sub(" ", EVENT.sub(" ", part.text))
    known = leaves.once(digits)
    lists = leaves.lists
    for match in MONEY.finditer(text):
        if not {_plain(one) for one in DIGITS.findall(match[0])} <= known:
            return Finding(Stance.MISSING, "number", lists.score("money_missing", 0.1), match[0].strip())
    missing = [one for one in DIGITS.findall(text) if _plain(one) not in known and not _counts(one, text, leaves)]
    if missing:
        return Finding(Stance.MISSING, "number", lists.score("number_missing", 0.2), missing[0])
    return None


def digits(leaves: Leaves) -> frozenset[float]:
    """All numbers of the evidence, and those of the lengths of its lists."""
    return frozenset(
        _plain(one) for leaf in leaves.all if leaf.value is not None for one in DIGITS.findall(str(leaf.value))
    )


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
