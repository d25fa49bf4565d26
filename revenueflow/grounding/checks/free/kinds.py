"""Free statements that name a value of a known kind: "a rock band", "an oil painting", "does not play the drums"."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from revenueflow.domain.phrases import Hit, words
from revenueflow.grounding.free.atom import Atom, atom
from revenueflow.grounding.free.finding import Stance
from revenueflow.grounding.free.leaves import Leaf, Leaves
from revenueflow.grounding.free.said import Said
from revenueflow.grounding.free.subject import fields, subject_words, text_of
from revenueflow.grounding.free.tables import Key, ValueKind, tables


class Known(NamedTuple):
    """The values of a field of a kind: each as words, and the groups that they belong to."""

    values: tuple[Key, ...]
    groups: frozenset[str]
    leaves: tuple[Leaf, ...]


class Kinds:
    """The fields of the evidence by the kinds of the tables."""

    def __init__(self, leaves: Leaves) -> None:
        self.by_name: dict[str, Known] = {}
        for name, kind in tables().kinds.items():
            held = tuple(leaf for key in kind.keys for leaf in fields(leaves).get(words(key), ()))
            values = tuple(words(text_of(leaf)) for leaf in held)
            groups = frozenset(hit.canonical for value in values for hit in tables().kind_values[name].find(value))
            if held:
                self.by_name[name] = Known(values, groups, held)


def values_of(said: Said, leaves: Leaves) -> Iterator[Atom]:
    """Values of a kind against the field that holds such values."""
    own = subject_words(leaves)
    for name, known in leaves.once(Kinds).by_name.items():
        kind = tables().kinds[name]
        found: list[Atom] = []
        for hit in tables().kind_values[name].find(said.words):
            place = range(hit.start, hit.start + hit.length)
            if not own.issuperset(said.words[hit.start : hit.start + hit.length]) and _near(said, hit, kind):
                holds = _holds(said, hit, known, kind)
                expected = " ".join(said.words[place.start : place.stop])
                found += atom(name, holds, place, known.leaves, expected=expected, doubt=0.08)
        # One that agrees may be spelled out by the others ("metal rock"): then none denies.
        agreed = [one for one in found if one.finding.stance is Stance.AGREES]
        yield from agreed or found


def _near(said: Said, hit: Hit, kind: ValueKind) -> bool:
    end = hit.start + hit.length
    around = (*said.words[max(0, hit.start - 1) : hit.start], *said.words[end : end + 2])
    return not kind.near or not kind.near.isdisjoint(around)


def _holds(said: Said, hit: Hit, known: Known, kind: ValueKind) -> bool | None:
    phrase = frozenset(said.words[hit.start : hit.start + hit.length])
    alike = kind.synonyms and hit.canonical in known.groups
    held = alike or any(phrase <= frozenset(value) for value in known.values)
    if said.denies:
        return False if held and _denied(said, hit) else None
    if held:
        return True
    strange = hit.canonical not in known.groups and bool(known.groups)
    shared = any(phrase & frozenset(value) for value in known.values)
    return False if kind.closed and strange and not shared else None


def _denied(said: Said, hit: Hit) -> bool:
    """True if the only denial of the statement stands a few words before the value."""
    denials = [place for place, word in enumerate(said.words) if word in tables().words.denials]
    between = said.words[denials[0] : hit.start] if len(denials) == 1 else ()
    return len(denials) == 1 and 0 < len(between) <= 8 and "only" not in said.words
