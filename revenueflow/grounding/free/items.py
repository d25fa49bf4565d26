"""Fields with several values: their items, and how many they are at least and at most."""

from __future__ import annotations

import re
from functools import cached_property
from typing import Final, NamedTuple

from revenueflow.domain.phrases import words
from revenueflow.grounding.free.leaves import Leaf, Leaves
from revenueflow.grounding.free.subject import fields, text_of
from revenueflow.grounding.free.tables import tables

SPLIT: Final = re.compile(r"[|;\n]|,(?![^()]{0,200}\))")
INNER: Final = re.compile(r",|/|&|\band\b")
BRACKETS: Final = re.compile(r"\([^()]{0,200}\)|\[[^\[\]]{0,200}\]")
NUMBER: Final = re.compile(r"\s{0,5}(\d{1,3})(?![\d.]|(?:st|nd|rd|th)\b)(?:\s|$|,|;|\()")
OPEN: Final = re.compile(r"\b(?:including|among others|and more|et al|list of|various|see)\b|\.\.\.|…", re.IGNORECASE)


class Items(NamedTuple):
    """The values of one key, and how many they are at least and at most (`most` None: nobody knows)."""

    texts: tuple[str, ...]
    least: int
    most: int | None
    leaves: tuple[Leaf, ...]


class Lists:
    """The lists of the evidence by their names in the tables."""

    def __init__(self, leaves: Leaves) -> None:
        self._leaves = leaves

    @cached_property
    def by_name(self) -> dict[str, tuple[Items, ...]]:
        """List to its keys' items; a record may have several keys for one list."""
        keys = tables().list_keys
        found: dict[str, list[Items]] = {}
        for key, held in fields(self._leaves).items():
            if key in keys and held:
                found.setdefault(keys[key], []).append(items_of(held))
        return {name: tuple(groups) for name, groups in found.items()}

    def only(self, name: str) -> Items | None:
        """The items of a list that the record has under one key."""
        found = self.by_name.get(name, ())
        return found[0] if len(found) == 1 else None


def items_of(leaves: tuple[Leaf, ...]) -> Items:
    """The items of the leaves under one key. "6, including …" is six."""
    texts = [piece for leaf in leaves for piece in _pieces(text_of(leaf))]
    counted = NUMBER.match(text_of(leaves[0])) if len(leaves) == 1 else None
    if counted or (len(leaves) == 1 and isinstance(leaves[0].value, int)):
        number = int(counted[1]) if counted else int(text_of(leaves[0]))
        return Items(tuple(texts), number, number, tuple(leaves))
    inner = sum(len([part for part in INNER.split(text) if part.strip()]) for text in texts)
    most = None if any(OPEN.search(text_of(leaf)) for leaf in leaves) else max(inner, len(texts))
    distinct = {words(text) for text in texts}
    least = 0 if distinct & tables().no_values else min(len(leaves), len(distinct))
    return Items(tuple(texts), least, most, tuple(leaves))


def _pieces(text: str) -> list[str]:
    bare = BRACKETS.sub(" ", text)
    found = [piece.strip() for piece in SPLIT.split(bare)]
    return [piece for piece in found if words(piece)]


def lists(leaves: Leaves) -> Lists:
    """The reading of the leaves, computed once."""
    return leaves.once(Lists)
