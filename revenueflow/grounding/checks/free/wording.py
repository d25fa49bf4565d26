"""The words of a part that neither the evidence nor the language of reports explains."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from math import prod
from typing import Final

from revenueflow.domain.phrases import words
from revenueflow.grounding.checks.free.attributes import told
from revenueflow.grounding.checks.free.names import names_known
from revenueflow.grounding.free.attributes import attributes
from revenueflow.grounding.free.clauses import Clause
from revenueflow.grounding.free.finding import Finding, Stance
from revenueflow.grounding.free.leaves import Leaves, key_words
from revenueflow.grounding.free.parts import Part
from revenueflow.grounding.free.table import Statements, singular
from revenueflow.grounding.free.words import alike_words, is_prose
from revenueflow.grounding.stems import stem

SHORTEST: Final = 3
LONG_ROOT: Final = 5
MANY: Final = 2
FEW: Final = 10
LEAST: Final = 0.05


def wording(part: Part, leaves: Leaves) -> Finding | None:
    """The more words nothing explains, the less likely the part stands in the evidence. Always decides for records."""
    if not leaves.record:
        return None
    lists = leaves.lists
    kind = "strange_bare" if leaves.once(bare) else "strange_told" if told(part, lists) else "strange_word"
    strange = {
        word: "strange_listed" if listed and kind != "strange_bare" else kind
        for clause in part.clauses(lists)
        if not clause.hedged
        for word, listed in _strange(clause, leaves)
    }
    score = lists.score("part", 0.99) * prod(lists.score(kind, 0.95) for kind in strange.values())
    if len(strange) >= MANY and len(part.words) <= FEW and 2 * len(strange) >= _content(part, lists):
        score *= lists.score("strange_most", 0.5)
    score = max(LEAST, score)
    if score >= 0.5:
        return Finding(Stance.AGREES, "wording", score, ", ".join(strange) or None)
    return Finding(Stance.MISSING, "wording", score, ", ".join(strange))


def bare(leaves: Leaves) -> bool:
    """True for a record without running texts: nothing in it puts a fact in other words than its keys and values."""
    return not any(is_prose(str(leaf.value), leaves.lists) for leaf in leaves.texts)


def known_stems(leaves: Leaves) -> set[str]:
    """The stems of all words of the evidence, and the beginnings of its keys: "employees" explains "employs"."""
    lists = leaves.lists
    present = leaves.once(attributes).by_name
    called = (words(phrase) for name, phrases in lists.synonyms.items() if name in present for phrase in phrases)
    alike = (alike_words(leaf, lists) for leaf in leaves.all if leaf.value is not None)
    keys = {word[:LONG_ROOT] for leaf in leaves.all for name in leaf.names for word in key_words(name)}
    roots = {word for word in keys if len(word) == LONG_ROOT}
    return roots.union(map(stem, chain(leaves.once(names_known), *called, *alike)))


def _strange(clause: Clause, leaves: Leaves) -> Iterator[tuple[str, bool]]:
    """The words that nothing explains, and whether each is one of several examples."""
    known, lists = leaves.once(known_stems), leaves.lists
    listed = False
    for place, word in enumerate(clause.words):
        listed = listed or any(clause.words[place - size : place] in lists.listings for size in (1, 2))
        if not _explained(word, known, lists):
            yield word, listed


def _content(part: Part, lists: Statements) -> int:
    """How many of its words may state a fact."""
    return sum(len(word) >= SHORTEST and stem(word) not in lists.explained for word in part.words)


def _explained(word: str, known: set[str], lists: Statements) -> bool:
    if len(word) < SHORTEST or word[0].isdigit():
        return True
    root = stem(word)
    return root in lists.explained or root in known or stem(singular(word)) in known or word[:LONG_ROOT] in known
