"""Names in a part that the evidence does not hold."""

from __future__ import annotations

import re
from calendar import day_name, month_name
from functools import cache
from typing import Final

import pycountry

from revenueflow.domain.phrases import words
from revenueflow.grounding.free.attributes import attributes
from revenueflow.grounding.free.finding import Finding, Stance
from revenueflow.grounding.free.leaves import Leaves
from revenueflow.grounding.free.parts import Part
from revenueflow.grounding.free.table import singular
from revenueflow.grounding.free.words import known_words

NAME: Final = re.compile(r"(?<![\w.!?:\n\"“])(?<![.!?:\"“] )(?<!^)\b[A-ZÄÖÜÉ][\w'’&-]*\w\b")
STATES: Final = frozenset({"state", "region", "province", "county", "statecode", "regioncode"})
CALENDAR: Final = frozenset(word.lower() for word in (*day_name, *month_name) if word)


def foreign_name(part: Part, leaves: Leaves) -> Finding | None:
    """A word written like a name, inside a sentence, stands somewhere in the evidence."""
    if not leaves.record:
        return None
    known = leaves.once(names_known)
    lists = leaves.lists
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
    return leaves.once(known_words) | spelled | CALENDAR | frozenset(leaves.once(attributes).by_name)


@cache
def _states() -> dict[str, str]:
    """The states of the USA and the provinces of Canada by their codes."""
    return {one.code[3:]: one.name for one in pycountry.subdivisions if one.code[:3] in ("US-", "CA-")}


def _explained(word: str, known: frozenset[str], reporting: frozenset[str]) -> bool:
    return len(word) < 2 or word.isdigit() or word in known or word in reporting


def _joined(name: str, known: frozenset[str]) -> bool:
    return "".join(map(singular, words(name))) in known
