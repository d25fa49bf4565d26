"""Texts of a record that deny what a part says."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from revenueflow.grounding.checks.free.attributes import told
from revenueflow.grounding.free.clauses import Clause, clauses
from revenueflow.grounding.free.finding import Finding, Stance
from revenueflow.grounding.free.leaves import Leaf, Leaves
from revenueflow.grounding.free.parts import Part
from revenueflow.grounding.free.table import Statements
from revenueflow.grounding.free.words import PROSE
from revenueflow.grounding.stems import stem

STOP: Final = re.compile(r"[.!?\n]+(?=\s|$)")
FEWEST: Final = 2
MOST: Final = 8
SHORTEST: Final = 4


class Denied(NamedTuple):
    """A clause of a text that denies something: the stems of its words, and where it stands."""

    stems: frozenset[str]
    leaf: Leaf


class Said(NamedTuple):
    """The clauses of the running texts by what they are: denied ones, and the stems of the others."""

    denied: tuple[Denied, ...]
    others: tuple[frozenset[str], ...]


def text_denies(part: Part, leaves: Leaves) -> Finding | None:
    """A short statement whose words all stand in a clause that denies them, and in no other, says the opposite."""
    if not leaves.record or told(part, leaves.lists):
        return None
    said = part.clauses(leaves.lists)
    wanted = frozenset(word for clause in said for word in _content(clause, leaves.lists))
    if not FEWEST <= len(wanted) <= MOST or any(clause.denials or clause.hedged for clause in said):
        return None
    known = leaves.once(texts)
    against = next((one for one in known.denied if wanted <= one.stems), None)
    if against is None or any(wanted <= other for other in known.others):
        return None
    return Finding(Stance.DISAGREES, "text_denies", leaves.lists.score("text_denied", 0.1), leaves=(against.leaf,))


def texts(leaves: Leaves) -> Said:
    """The clauses of the running texts."""
    denied: list[Denied] = []
    others: list[frozenset[str]] = []
    for leaf in leaves.texts:
        if str(leaf.value).count(" ") < PROSE - 1:
            continue
        for clause in clauses(STOP.sub(";", str(leaf.value)), leaves.lists):
            stems = frozenset(map(root, clause.words))
            if clause.denials:
                denied.append(Denied(stems, leaf))
            else:
                others.append(stems)
    return Said(tuple(denied), tuple(others))


def root(word: str) -> str:
    """The stem, alike for "makes" and "make"."""
    return stem(word).rstrip("e")


def _content(clause: Clause, lists: Statements) -> frozenset[str]:
    """The stems of its words that may state a fact."""
    return frozenset(root(word) for word in clause.words if len(word) >= SHORTEST and word not in lists.clause_verbs)
