"""Two true halves joined falsely: "founded in Hamburg", where Hamburg is only known as the seat."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Final, NamedTuple

from revenueflow.domain.phrases import PhraseIndex, words
from revenueflow.grounding.free.bindings import Binding
from revenueflow.grounding.free.finding import Finding, Stance
from revenueflow.grounding.free.leaves import Leaf, Leaves, key_words
from revenueflow.grounding.free.names import names_from
from revenueflow.grounding.free.parts import Part
from revenueflow.grounding.free.said import Said, said
from revenueflow.grounding.free.subject import subject_words, text_of
from revenueflow.grounding.free.tables import Key, tables
from revenueflow.grounding.free.words import is_prose

LEADS: Final = frozenset({"in", "at", "near", "by", "from", "on", "since"})
ENDS: Final = frozenset({"and", "but", "while", "which", "who", "where", "with", "as", "to", "for", "after", "before"})
REACH: Final = 8
"""So many words after those that bind a value may stand before it ends."""
SCORE: Final = 0.15


class Bound(NamedTuple):
    """A value, folded, and whether it stands right after the words that bind it."""

    words: Key
    direct: bool


def joined(part: Part, leaves: Leaves) -> Finding | None:
    """A place, a day or a name after words that bind it stands under a key of these words, if it stands anywhere.

    What no leaf holds is left to others, and so is what a running text says: it may put it in other words.
    """
    if not leaves.record:
        return None
    sentence = said(part)
    if sentence.denies or sentence.doubts:
        return None
    for hit in _phrases().find(sentence.words):
        binding = tables().bindings[hit.canonical]
        for bound in (*_before(sentence, hit.start, binding), *_bound(sentence, hit.start + hit.length, binding)):
            elsewhere = _elsewhere(bound, binding, leaves)
            if elsewhere:
                value = " ".join(bound.words)
                found = [leaf.key for leaf in elsewhere]
                return Finding(Stance.MISSING, "joined", SCORE, value, [*found], elsewhere)
    return None


@cache
def _phrases() -> PhraseIndex:
    """The words that bind, to the names of their bindings."""
    return PhraseIndex((phrase, name) for name, binding in tables().bindings.items() for phrase in binding.says)


def _bound(sentence: Said, start: int, binding: Binding) -> Iterator[Bound]:
    """The values after the words that bind them, up to the next mark or turn."""
    if binding.objects:
        yield from (Bound(name.words, direct=True) for name in names_from(sentence, start, 1))
    for place in range(start, min(start + REACH, len(sentence.tokens))):
        if sentence.words[place] in ENDS or (place > start and _marked(sentence, place)):
            return
        if sentence.words[place] in LEADS and not _marked(sentence, place + 1):
            yield from _after(sentence, place + 1)


def _before(sentence: Said, end: int, binding: Binding) -> Iterator[Bound]:
    """The name right before the words: who did it to somebody else."""
    start = end
    while start > 0 and sentence.tokens[start - 1].written[:1].isupper() and not _marked(sentence, start):
        start -= 1
    if binding.objects and start < end:
        yield Bound(sentence.words[start:end], direct=False)


def _after(sentence: Said, place: int) -> Iterator[Bound]:
    if place >= len(sentence.tokens):
        return
    first = sentence.tokens[place]
    dated = next((one for one in sentence.dates if one.start <= first.start < one.end), None)
    if dated is not None:
        year = str(dated.sure.first.year)
        if not dated.yearly and year == str(dated.sure.last.year):
            yield Bound((year,), direct=False)
        return
    yield from (Bound(name.words, direct=False) for name in names_from(sentence, place, 1))


def _marked(sentence: Said, place: int) -> bool:
    """True if a comma, a bracket or the like stands before a token."""
    if not 0 < place < len(sentence.tokens):
        return False
    return bool(sentence.text[sentence.tokens[place - 1].end : sentence.tokens[place].start].strip(" $€£\"'"))


def _elsewhere(bound: Bound, binding: Binding, leaves: Leaves) -> tuple[Leaf, ...]:
    """The leaves that hold the value, if none of them is one where it may stand."""
    wanted = frozenset(word for word in bound.words if word not in ("the", "s"))
    if not wanted or wanted <= subject_words(leaves):
        return ()
    holding = [leaf for leaf in leaves.all if leaf.value is not None and wanted <= frozenset(words(text_of(leaf)))]
    if any(_may_say(leaf, bound, binding, leaves) for leaf in holding):
        return ()
    return tuple(holding)


def _may_say(leaf: Leaf, bound: Bound, binding: Binding, leaves: Leaves) -> bool:
    if is_prose(str(leaf.value), leaves.lists):
        return True
    called = [word for name in leaf.names for word in key_words(name)] or [*words(leaf.about)]
    if bound.direct and any(word.startswith(binding.reverse) for word in called):
        return False
    return any(word.startswith(binding.keys) for word in (*called, *words(text_of(leaf))))
