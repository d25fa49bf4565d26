"""What people are said to think, against the texts and ratings of the record."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from revenueflow.domain.phrases import words
from revenueflow.grounding.checks.free.figures import RATING_KEYS
from revenueflow.grounding.free.clauses import Clause, clauses
from revenueflow.grounding.free.finding import Finding, Stance
from revenueflow.grounding.free.leaves import Leaf, Leaves, key_words
from revenueflow.grounding.free.parts import Part
from revenueflow.grounding.free.table import Statements, singular
from revenueflow.grounding.free.words import PROSE

MIXED: Final = re.compile(
    r"(?i)\bmixed\s+(?:\w+\s+)?(?:reviews?|feedback|experiences?|opinions?|ratings?|reactions?)\b"
)
HAPPY, UNHAPPY = 4.0, 2.5


class Opinion(NamedTuple):
    """A text that judges: what it praises and blames, and the rating next to it, if any."""

    leaf: Leaf
    rating: float | None
    named: frozenset[str]
    good: frozenset[str]
    bad: frozenset[str]


def opinion(part: Part, leaves: Leaves) -> Finding | None:
    """An aspect that is praised or blamed must be so in some text; one that no text names is missing."""
    known = leaves.once(opinions) if leaves.record else ()
    if not known:
        return None
    found = [
        finding
        for clause in part.clauses(leaves.lists)
        if not clause.hedged
        for finding in _of_clause(clause, known, leaves)
    ]
    return min(found, key=lambda finding: finding.score, default=None)


def mixed(part: Part, leaves: Leaves) -> Finding | None:
    """ "Mixed reviews" need both a good and a bad one."""
    ratings = [one.rating for one in leaves.once(opinions) if one.rating is not None]
    if len(ratings) < 2 or not MIXED.search(part.text):
        return None
    lists = leaves.lists
    if min(ratings) < HAPPY and max(ratings) >= 3:
        return Finding(Stance.AGREES, "mixed", lists.score("mixed_agrees", 0.95))
    return Finding(Stance.DISAGREES, "mixed", lists.score("mixed_denied", 0.25), "mixed", list(ratings))


def _of_clause(clause: Clause, known: tuple[Opinion, ...], leaves: Leaves) -> Iterator[Finding]:
    lists = leaves.lists
    named, good, bad = judged(clause, lists)
    for aspect in sorted(named & (good | bad)):
        where = tuple(one.leaf for one in known if aspect in one.named)
        shown = f"{aspect}: {'good' if aspect in good else 'bad'}"
        if not where:
            yield Finding(Stance.MISSING, "opinion", lists.score("aspect_missing", 0.3), shown)
        elif not any(_backs(one, aspect, aspect in good) for one in known):
            yield Finding(Stance.MISSING, "opinion", lists.score("opinion_missing", 0.5), shown, None, where)
        else:
            yield Finding(Stance.AGREES, "opinion", lists.score("opinion_agrees", 0.95), shown, None, where)


def _backs(one: Opinion, aspect: str, praised: bool) -> bool:
    if aspect not in one.named:
        return False
    if aspect in (one.good if praised else one.bad):
        return True
    if one.rating is None:
        return False
    return one.rating >= HAPPY if praised else one.rating <= UNHAPPY + 0.5


def judged(
    clause: Clause, lists: Statements, *, hints: bool = False
) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    """The aspects that a clause names, praises and blames. With `hints` it may speak of them in other words."""
    named: set[str] = set()
    good: set[str] = set()
    bad: set[str] = set()
    praise, blame = _moods(clause, lists)
    said = frozenset(map(singular, clause.words))
    for name, aspect in lists.aspects.items():
        here_good, here_bad = not aspect.good.isdisjoint(said), not aspect.bad.isdisjoint(said)
        here = not aspect.named.isdisjoint(said) or (hints and not aspect.hinted.isdisjoint(said))
        if here_good or here_bad or here:
            named.add(name)
        if here_good or (praise and here):
            (bad if clause.denials and here_good else good).add(name)
        if here_bad or (blame and here):
            bad.add(name)
    return frozenset(named), frozenset(good), frozenset(bad)


def _moods(clause: Clause, lists: Statements) -> tuple[bool, bool]:
    praise = blame = False
    for place, word in enumerate(clause.words):
        if word in lists.good:
            praise, blame = praise or not clause.denied(place), blame or clause.denied(place)
        elif word in lists.bad:
            praise, blame = praise or clause.denied(place), blame or not clause.denied(place)
    return praise, blame


def opinions(leaves: Leaves) -> tuple[Opinion, ...]:
    """The running texts of a record, clause by clause, each with a rating that stands beside it."""
    ratings = {
        (leaf.evidence_id, *leaf.path[:-1]): float(leaf.value)
        for leaf in leaves.all
        if isinstance(leaf.value, int | float)
        and not isinstance(leaf.value, bool)
        and not RATING_KEYS.isdisjoint(map(singular, key_words(leaf.key)))
    }
    prose = [leaf for leaf in leaves.texts if leaf.path and len(words(str(leaf.value))) >= PROSE]
    return tuple(_opinion(leaf, ratings.get((leaf.evidence_id, *leaf.path[:-1])), leaves.lists) for leaf in prose)


def _opinion(leaf: Leaf, rating: float | None, lists: Statements) -> Opinion:
    found = [judged(clause, lists, hints=True) for clause in clauses(re.sub(r"[.!?\n]", ";", str(leaf.value)), lists)]
    named, good, bad = (frozenset[str]().union(*(one[place] for one in found)) for place in range(3))
    return Opinion(leaf, rating, named, good, bad)
