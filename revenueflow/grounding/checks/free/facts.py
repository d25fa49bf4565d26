"""Statements over records: each reader looks for one kind of fact, and together they must explain every word."""

from __future__ import annotations

from typing import Final

from pydantic import JsonValue

from revenueflow.domain.phrases import words
from revenueflow.grounding.checks.free.comparisons import amounts_of, profits
from revenueflow.grounding.checks.free.counts import counts
from revenueflow.grounding.checks.free.dates import when
from revenueflow.grounding.checks.free.kinds import values_of
from revenueflow.grounding.checks.free.order import releases
from revenueflow.grounding.checks.free.places import people, together, where
from revenueflow.grounding.checks.free.roles import named, same
from revenueflow.grounding.checks.free.spans import ages, durations, going_on
from revenueflow.grounding.free.atom import Atom, Reader, unexplained
from revenueflow.grounding.free.finding import Finding, Stance
from revenueflow.grounding.free.leaves import Leaves
from revenueflow.grounding.free.parts import Part
from revenueflow.grounding.free.said import Said, said
from revenueflow.grounding.free.subject import fields, subject_words, text_of
from revenueflow.grounding.free.tables import tables
from revenueflow.grounding.wording import stem

ABSENT: Final = 0.45
MOST_SHOWN: Final = 8
RUNNING: Final = 300
"""A value of more characters is a running text."""

LONGEST: Final = 600
"""A sentence of more characters is no statement that these readers could bind."""

READERS: Final[tuple[Reader, ...]] = (
    when, ages, durations, going_on, releases, counts, named, same, amounts_of, profits, values_of, where, people,
    together,
)  # fmt: skip
"""Each yields what it finds; none decides for the others."""


def facts(part: Part, leaves: Leaves) -> Finding | None:
    """One fact denied denies the part; the part is agreed to only if the facts found explain all of its words."""
    readable = len(part.text) <= LONGEST and not tables().keys.isdisjoint(fields(leaves))
    sentence = said(part) if readable else None
    if sentence is None or sentence.doubts:
        return None
    found = [atom for reader in READERS for atom in reader(sentence, leaves)]
    denied = [atom.finding for atom in found if atom.finding.stance is not Stance.AGREES]
    if denied:
        return min(denied, key=lambda finding: finding.score)
    return _agreed(found, sentence, leaves) if found else None


def absent(part: Part, leaves: Leaves) -> Finding | None:
    """What no fact explains is missing from a table, if too many of its words are. Running texts say more than keys."""
    if not is_table(leaves):
        return None
    held, own = leaves.once(table_stems), subject_words(leaves)
    told = [word for word in part.words if word not in tables().words.empty and word not in own]
    strange = [word for word in told if stem(word) not in held and word not in tables().words.subject_nouns]
    share = len(strange) / max(1, len(told) + len(own.intersection(part.words)))
    if share < tables().absent:
        return None
    return Finding(Stance.MISSING, "absent", ABSENT - share / 5, expected=list[JsonValue](strange[:MOST_SHOWN]))


def is_table(leaves: Leaves) -> bool:
    """True for keys with lists of short values: a form in which there is a key for whatever is known."""
    return leaves.once(_is_table)


def _is_table(leaves: Leaves) -> bool:
    listed = all(len(leaf.path) == 2 and isinstance(leaf.path[1], int) for leaf in leaves.all)
    held = (leaf for group in fields(leaves).values() for leaf in group)
    return listed and bool(leaves.all) and all(len(text_of(leaf)) <= RUNNING for leaf in held)


def table_stems(leaves: Leaves) -> frozenset[str]:
    """The stems of the words of keys and values."""
    found = {stem(word) for key in fields(leaves) for word in key}
    return frozenset(found.union(*(map(stem, words(text_of(one))) for held in fields(leaves).values() for one in held)))


def _agreed(found: list[Atom], sentence: Said, leaves: Leaves) -> Finding | None:
    explained = frozenset(place for atom in found for place in atom.tokens)
    if sentence.denies or unexplained(sentence, leaves, explained):
        return None
    weakest = min((atom.finding for atom in found), key=lambda finding: finding.score)
    return weakest._replace(leaves=tuple(dict.fromkeys(leaf for atom in found for leaf in atom.finding.leaves)))
