"""What evidence is about: the names of its subject, and what each value is a value of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from revenueflow.domain.phrases import words
from revenueflow.grounding.free.leaves import Leaf, Leaves
from revenueflow.grounding.free.tables import Key, tables

LONGEST: Final = 1000
MOST: Final = 60
"""Leaves under one key that are read."""


def key_of(leaf: Leaf) -> Key:
    """The folded words of a leaf's key, without the "s" of "Spouse(s)"."""
    found = words(leaf.key or leaf.about)
    return found[:-1] if len(found) > 1 and found[-1] == "s" else found


def fields(leaves: Leaves) -> dict[Key, tuple[Leaf, ...]]:
    """The first leaves under each key, nulls left out: what a check may read. Computed once."""
    return leaves.once(_fields)


def _fields(leaves: Leaves) -> dict[Key, tuple[Leaf, ...]]:
    found: dict[Key, list[Leaf]] = {}
    for leaf in leaves.all:
        held = found.setdefault(key_of(leaf), [])
        if leaf.value is not None and len(held) < MOST:
            held.append(leaf)
    return {key: tuple(held) for key, held in found.items()}


def grouped(leaves: Leaves, names: Mapping[Key, str]) -> dict[str, list[Leaf]]:
    """The leaves under the keys of a table, by the names that it gives them."""
    found: dict[str, list[Leaf]] = {}
    for key, held in fields(leaves).items():
        if key in names and held:
            found.setdefault(names[key], []).extend(held)
    return found


def text_of(leaf: Leaf) -> str:
    """The value as text, as far as a field of a record goes: what is longer is a running text."""
    return str(leaf.value)[:LONGEST]


def subject_words(leaves: Leaves) -> frozenset[str]:
    """The words of the names of what the evidence is about."""
    return leaves.once(_subject_words)


def _subject_words(leaves: Leaves) -> frozenset[str]:
    named = (leaf for key, held in fields(leaves).items() if key in tables().subjects for leaf in held)
    return leaves.subject.union(word for leaf in named for word in words(text_of(leaf)))
