"""Names in a part that the evidence does not hold."""

from __future__ import annotations

import re
from calendar import day_name, month_name
from functools import cache
from itertools import pairwise
from typing import Final

import pycountry

from revenueflow.domain.countries import iso_names
from revenueflow.domain.phrases import words
from revenueflow.grounding.free.attributes import attributes
from revenueflow.grounding.free.finding import Finding, Stance
from revenueflow.grounding.free.leaves import Leaves
from revenueflow.grounding.free.parts import Part
from revenueflow.grounding.free.table import singular
from revenueflow.grounding.free.words import known_words

NAME: Final = re.compile(r"(?<![\w.!?:\n\"“])(?<![.!?:\"“] )(?<!^)\b[A-ZÄÖÜÉ][\w'’&-]*\w\b")
LETTERED: Final = re.compile(r"\b([A-Z][a-z]+)\s+([A-Z]|\d)\b(?!['’.]\w)")
"""Names whose last word is a letter or a digit: "Series B"."""
STATES: Final = frozenset({"state", "region", "province", "county", "statecode", "regioncode"})
CALENDAR: Final = frozenset(word.lower() for word in (*day_name, *month_name) if word)


def foreign_name(part: Part, leaves: Leaves) -> Finding | None:
    """A word written like a name, inside a sentence, stands somewhere in the evidence."""
    if not leaves.record:
        return None
    known = leaves.once(names_known)
    lists = leaves.lists
    for match in LETTERED.finditer(part.text):
        word, letter = match[1].lower(), match[2].lower()
        if singular(word) in known and letter != "i" and word + letter not in leaves.once(pairs):
            return Finding(Stance.MISSING, "name", lists.score("name_missing", 0.3), match[0])
    for match in NAME.finditer(part.text):
        strange = [word for word in map(singular, words(match[0])) if not _explained(word, known, lists.reporting)]
        if strange and not _joined(match[0], known):
            kind = "platform_missing" if not lists.platforms.isdisjoint(strange) else "name_missing"
            return Finding(Stance.MISSING, "name", lists.score(kind, 0.3), match[0])
    return None


def names_known(leaves: Leaves) -> frozenset[str]:
    """All words of the evidence, the calendar's, and the names of the states that it gives by their codes."""
    codes = [leaf.value for leaf in leaves.texts if "".join(words(leaf.key)) in STATES and isinstance(leaf.value, str)]
    spelled = {singular(word) for code in codes for word in words(_states().get(code.upper(), ""))}
    iso = iso_names()
    codes += [leaf.value for leaf in leaves.texts if "country" in words(leaf.key) and isinstance(leaf.value, str)]
    spelled |= {word for code in codes for name in iso.get(code.upper(), ()) for word in words(name)}
    return leaves.once(known_words) | spelled | CALENDAR | frozenset(leaves.once(attributes).by_name)


def pairs(leaves: Leaves) -> frozenset[str]:
    """Each two words in a row of the texts, joined."""
    return frozenset("".join(two) for leaf in leaves.texts for two in pairwise(words(str(leaf.value))))


@cache
def _states() -> dict[str, str]:
    """The states of the USA and the provinces of Canada by their codes."""
    return {one.code[3:]: one.name for one in pycountry.subdivisions if one.code[:3] in ("US-", "CA-")}


def _explained(word: str, known: frozenset[str], reporting: frozenset[str]) -> bool:
    return len(word) < 2 or word.isdigit() or word in known or word in reporting


def _joined(name: str, known: frozenset[str]) -> bool:
    return "".join(map(singular, words(name))) in known
