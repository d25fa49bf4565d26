"""What one check finds in a part, and which of its words that explains."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from pydantic import JsonValue

from revenueflow.domain.phrases import words
from revenueflow.grounding.free.finding import Finding, Stance
from revenueflow.grounding.free.leaves import Leaf, Leaves
from revenueflow.grounding.free.said import Said
from revenueflow.grounding.free.tables import tables
from revenueflow.grounding.free.timeline import key_of

AGREED = 0.9
DENIED = 0.05


class Atom(NamedTuple):
    """A finding, and the places of the tokens that it rests on."""

    finding: Finding
    tokens: frozenset[int]


Reader = Callable[[Said, Leaves], Iterator[Atom]]


def atom(
    check: str,
    holds: bool | None,
    tokens: Iterable[int],
    leaves: Iterable[Leaf],
    *,
    expected: JsonValue = None,
    found: JsonValue = None,
    doubt: float = 0.0,
) -> Iterator[Atom]:
    """One atom for True or False, none for None. `doubt` takes off from how sure it is."""
    if holds is not None:
        stance = Stance.AGREES if holds else Stance.DISAGREES
        score = AGREED - doubt if holds else DENIED + doubt
        yield Atom(Finding(stance, check, score, expected, found, tuple(leaves)), frozenset(tokens))


def subject_words(leaves: Leaves) -> frozenset[str]:
    """The words of the names of what the evidence is about."""
    return leaves.reading(_subject_words)


def _subject_words(leaves: Leaves) -> frozenset[str]:
    wanted = tables().subjects
    named = (leaf for leaf in leaves.all if key_of(leaf) in wanted and isinstance(leaf.value, str))
    return frozenset(word for leaf in named for word in words(str(leaf.value)))


def unexplained(said: Said, leaves: Leaves, explained: Iterable[int]) -> tuple[str, ...]:
    """The words that carry something which neither the subject's name nor an atom explains."""
    known = tables().words.empty | subject_words(leaves)
    used = frozenset(explained)
    return tuple(word for place, word in enumerate(said.words) if place not in used and word not in known)
