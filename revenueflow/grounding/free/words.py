"""The words of the evidence, read once."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

from revenueflow.domain.phrases import words
from revenueflow.grounding.free.leaves import Leaf, Leaves, key_words
from revenueflow.grounding.free.table import Statements, singular

LITTLE: Final = 3
PROSE: Final = 6
"""From so many words on a text is prose, and not a value."""


def is_prose(text: str, lists: Statements) -> bool:
    """True for sentences: long enough, and in good part of words that state no fact."""
    if text.count(" ") < PROSE - 1:
        return False
    said = words(text)
    return LITTLE * sum(word in lists.reporting for word in said) >= len(said)


def said_in_texts(name: str, leaves: Leaves) -> bool:
    """True if some running text of the evidence holds the joined words."""
    return name in leaves.once(prose_names)


def prose_names(leaves: Leaves) -> frozenset[str]:
    """Each one, two and three words in a row of the running texts, joined."""
    found: set[str] = set()
    for leaf in leaves.texts:
        said = tuple(map(singular, words(str(leaf.value))))
        if len(said) >= PROSE:
            found.update(said, map("".join, pairwise(said)))
    return frozenset(found)


def alike_words(leaf: Leaf, lists: Statements) -> frozenset[str]:
    """The words of all keys that mean the same as a leaf's: those of "headcount" for "employees"."""
    found = frozenset[str]()
    for names in (leaf.names[-1:], leaf.names[-2:]):
        key = "".join(singular(word) for name in names for word in key_words(name))
        found |= lists.words_of_keys.get(key, frozenset())
    return found


def known_words(leaves: Leaves) -> frozenset[str]:
    """All folded words of the keys and values, in the singular."""
    found: set[str] = set()
    for leaf in leaves.all:
        for name in leaf.names:
            found.update(map(singular, key_words(name)), map(singular, words(name)))
        if leaf.value is not None:
            found.update(map(singular, words(str(leaf.value))))
    return frozenset(found)
