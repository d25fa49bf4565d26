"""What one check finds in a part, and which of its words that explains."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from pydantic import JsonValue

from revenueflow.domain.phrases import words
from revenueflow.grounding.free.finding import Finding, Stance
from revenueflow.grounding.free.leaves import Leaf, Leaves
from revenueflow.grounding.free.said import Said
from revenueflow.grounding.free.subject import fields, subject_words, text_of
from revenueflow.grounding.free.tables import tables

DEFINITE = frozenset({"the", "this"})
AGREED = 0.9
DENIED = 0.05
LONGEST_VALUE = 40


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
    found: Iterable[str | float | None] = (),
    doubt: float = 0.0,
) -> Iterator[Atom]:
    """One atom for True or False, none for None. `doubt` takes off from how sure it is."""
    if holds is not None:
        stance = Stance.AGREES if holds else Stance.DISAGREES
        score = AGREED - doubt if holds else DENIED + doubt
        yield Atom(
            Finding(stance, check, score, expected, list[JsonValue](found) or None, tuple(leaves)), frozenset(tokens)
        )


def unexplained(said: Said, leaves: Leaves, explained: Iterable[int]) -> tuple[str, ...]:
    """The words that carry something which neither the subject's name nor an atom nor the record explains.

    A short value or a key of the record explains a word that is no name ("soft drink"). Words that compare or
    exclude ("first", "only") are never explained but by an atom.
    """
    lists = tables().words
    own, held, used = subject_words(leaves), leaves.once(_short_words), frozenset(explained)
    left: list[str] = []
    for place, token in enumerate(said.tokens):
        definite = place > 0 and said.words[place - 1] in DEFINITE and token.word in lists.subject_nouns
        plain = definite or token.word in lists.empty or token.word in own
        named = token.written[:1].isupper() and place > 0
        if not (place in used or plain or (token.word in held and not named and token.word not in lists.strong)):
            left.append(token.word)
    return tuple(left)


def _short_words(leaves: Leaves) -> frozenset[str]:
    """The words of the keys and of short values; what runs on explains nothing."""
    nouns = tables().nouns_by_key
    found = {word for key in fields(leaves) for word in (*key, *nouns.get(key, ()))}
    for leaf in (one for held in fields(leaves).values() for one in held):
        if len(text_of(leaf)) <= LONGEST_VALUE:
            found.update(words(text_of(leaf)))
    return frozenset(word for word in found if word.isalpha())
