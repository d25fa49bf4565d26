"""What evidence is about: the names of its subject, and what each value is a value of."""

from __future__ import annotations

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


def text_of(leaf: Leaf) -> str:
    """The value as text, as far as a field of a record goes: what is longer is a running text."""
    return str(leaf.value)[:LONGEST]


def subject_words(leaves: Leaves) -> frozenset[str]:
    """The words of the names of what the evidence is about."""
    return leaves.once(_subject_words)


def _subject_words(leaves: Leaves) -> frozenset[str]:
    wanted = tables().subjects
    named = (leaf for leaf in leaves.all if key_of(leaf) in wanted and isinstance(leaf.value, str))
    return leaves.subject.union(word for leaf in named for word in words(str(leaf.value)))
