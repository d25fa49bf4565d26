"""Free statements that name who did what: "directed by X", "the mayor is X", "written and made by the same person"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Final, NamedTuple

from revenueflow.domain.phrases import Hit, words
from revenueflow.grounding.free.atom import Atom, atom
from revenueflow.grounding.free.leaves import Leaf, Leaves
from revenueflow.grounding.free.names import Name, matches, names_from
from revenueflow.grounding.free.said import Said
from revenueflow.grounding.free.subject import grouped, subject_words, text_of
from revenueflow.grounding.free.tables import tables

CHECK: Final = "names_of"
PIECE: Final = re.compile(r"[|;,/\n&]|\band\b")
BRACKETS: Final = re.compile(r"\([^()]{0,200}\)")
BETWEEN: Final = 2


class Held(NamedTuple):
    """The names under the keys of a role."""

    names: tuple[tuple[str, ...], ...]
    leaves: tuple[Leaf, ...]


class Mentioned(NamedTuple):
    """A role that a statement names, and where."""

    role: str
    kind: str
    start: int
    end: int


class Roles:
    """The names of the evidence by the roles of the tables."""

    def __init__(self, leaves: Leaves) -> None:
        found = grouped(leaves, tables().role_keys)
        self.held = {name: Held(tuple(_names(group)), tuple(group)) for name, group in found.items()}


def _names(leaves: list[Leaf]) -> Iterator[tuple[str, ...]]:
    for leaf in leaves:
        for piece in PIECE.split(BRACKETS.sub(",", text_of(leaf))):
            found = words(piece)
            if found:
                yield found


def held(leaves: Leaves) -> dict[str, Held]:
    """The reading of the leaves, computed once."""
    return leaves.once(Roles).held


def named(said: Said, leaves: Leaves) -> Iterator[Atom]:
    """Names after "directed by", "starring", "signed to": each must stand in its field."""
    if said.denies:
        return
    known, mentions = held(leaves), _mentions(said)
    for group in _groups(said, mentions):
        place = _name_place(said, group[-1])
        if place is None:
            continue
        found = names_from(said, place)
        for mention in group:
            if mention.role in known:
                yield from _compared(mention, found, known[mention.role], leaves)


def _compared(mention: Mentioned, found: tuple[Name, ...], values: Held, leaves: Leaves) -> Iterator[Atom]:
    own = subject_words(leaves)
    for name in found:
        if frozenset(name.words) <= own:
            continue
        tokens = (*range(mention.start, mention.end), *range(name.start - 1, name.end))
        held_names = [" ".join(value) for value in values.names]
        holds, wanted = matches(name.words, values.names), " ".join(name.words)
        yield from atom(CHECK, holds, tokens, values.leaves, expected=wanted, found=held_names, doubt=0.05)


def _mentions(said: Said) -> tuple[Mentioned, ...]:
    hits = tables().role_phrases.find(said.words)
    return tuple(map(_mentioned, hits))


def _mentioned(hit: Hit) -> Mentioned:
    role, _, kind = hit.canonical.partition(".")
    return Mentioned(role, kind, hit.start, hit.start + hit.length)


def _groups(said: Said, mentions: tuple[Mentioned, ...]) -> Iterator[list[Mentioned]]:
    """Verbs that share one "by": "written, produced and directed by"."""
    group: list[Mentioned] = []
    for mention, following in pairwise((*mentions, None)):
        if mention is None:
            continue
        group.append(mention)
        if following is None or not _joined(said, mention, following):
            yield group
            group = []


def _joined(said: Said, one: Mentioned, other: Mentioned) -> bool:
    between = said.words[one.end : other.start]
    return (
        one.kind == other.kind == "verbs"
        and all(word in ("and", "as", "well", "also", "both") for word in between)
        and len(between) <= BETWEEN
    )


def _name_place(said: Said, mention: Mentioned) -> int | None:
    if mention.kind == "says":
        return mention.end
    following = said.words[mention.end : mention.end + 1]
    if mention.kind == "verbs" and following == ("by",):
        return mention.end + 1
    return mention.end + 1 if mention.kind == "nouns" and following in (("is",), ("was",)) else None


def same(said: Said, leaves: Leaves) -> Iterator[Atom]:
    """Two roles "by the same person", or by different ones."""
    alike = said.has(*tables().states.same)
    unlike = said.has(*tables().states.different)
    mentions = list({mention.role: mention for mention in _mentions(said) if mention.kind != "says"}.values())
    if alike == unlike or said.denies or len(mentions) < 2:
        return
    known = held(leaves)
    if any(mention.role not in known for mention in mentions):
        return
    groups = [frozenset(known[mention.role].names) for mention in mentions]
    shared = frozenset.intersection(*groups)
    near = any(matches(name, other) is not False for one, other in pairwise(groups) for name in one)
    equal = len(set(groups)) == 1
    holds = True if equal else (False if not near and not shared else None)
    if holds is None:
        return
    tokens = {place for mention in mentions for place in range(mention.start, mention.end)}
    tokens |= {
        place
        for place, word in enumerate(said.words)
        if word in ("same", "different", "person", "people", "company", "man", "woman")
    }
    ground = [leaf for mention in mentions for leaf in known[mention.role].leaves]
    found = [" ".join(name) for group in groups for name in sorted(group)]
    yield from atom("same", holds is alike, tokens, ground, found=found, doubt=0.05)
