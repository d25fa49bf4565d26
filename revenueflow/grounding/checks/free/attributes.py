"""Yes-or-no attributes that a part affirms or denies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from pydantic import JsonValue

from revenueflow.grounding.free.attributes import Attribute, Attributes, attributes
from revenueflow.grounding.free.clauses import Clause
from revenueflow.grounding.free.finding import Finding, Stance
from revenueflow.grounding.free.leaves import Leaves
from revenueflow.grounding.free.parts import Part
from revenueflow.grounding.free.table import Statements, singular
from revenueflow.grounding.free.words import said_in_texts

MOST_WORDS: Final = 4


class Mention(NamedTuple):
    """Attributes of one name in a part, and whether the part denies them."""

    name: str
    found: tuple[Attribute, ...]
    denied: bool


def attribute(part: Part, leaves: Leaves) -> Finding | None:
    """An attribute must be in the state that the part says; an unknown one can't be in either."""
    known = leaves.once(attributes)
    if not known.by_name:
        return None
    clauses = part.clauses(leaves.lists)
    groups = {name for clause in clauses for name, _ in _places(clause, known)}
    if told(part, leaves.lists):
        return None
    mentions = [one for clause in clauses if not clause.hedged for one in _mentions(clause, known, groups, leaves)]
    findings = [_finding(mention, leaves) for mention in mentions]
    return min(findings, key=lambda finding: finding.score, default=None)


def told(part: Part, lists: Statements) -> bool:
    """True if the part retells what somebody experienced."""
    said = frozenset(map(singular, part.words))
    return not lists.people.isdisjoint(said) and not lists.telling.isdisjoint(part.words)


def _mentions(clause: Clause, known: Attributes, groups: set[str], leaves: Leaves) -> Iterator[Mention]:
    members: set[str] = set()
    for name, start in _places(clause, known):
        denied = clause.denied(start)
        if not leaves.lists.information.isdisjoint(clause.words[:start]):
            continue
        found = tuple(one for one in known.by_name[name] if _meant(one, groups, leaves, clause.words[start + 1 :][:1]))
        whole = any(len(one.leaves) > 1 for one in found)
        members |= {one.group for one in found}
        if found and not (whole and (not denied or _of_member(found, members, clause.words[start + 1 : start + 3]))):
            yield Mention(name, found, denied)


def _of_member(found: tuple[Attribute, ...], members: set[str], following: tuple[str, ...]) -> bool:
    """True if not the group is denied but members of it: "no street or valet parking", "no parking garage"."""
    inside = {leaf.key for one in found for leaf in one.leaves} | {"in", "include"}
    return not members.isdisjoint(one.name for one in found) or not inside.isdisjoint(map(singular, following))


def _meant(one: Attribute, groups: set[str], leaves: Leaves, following: tuple[str, ...]) -> bool:
    """A member of a group is meant only where the group is named ("street" of "parking").

    A style is meant without, but not that of an event ("casual gatherings").
    """
    if not one.group:
        return True
    if one.group in leaves.lists.style_groups:
        return leaves.lists.events.isdisjoint(map(singular, following))
    return one.group in groups or not groups.isdisjoint(leaves.lists.names.get(one.group, ()))


def _places(clause: Clause, known: Attributes) -> Iterator[tuple[str, int]]:
    """Names of attributes from left to right, the longest at each place."""
    said = tuple(map(singular, clause.words))
    place = 0
    while place < len(said):
        hit = next((size for size in range(MOST_WORDS, 0, -1) if _is_name(said[place : place + size], size, known)), 0)
        if hit:
            yield "".join(said[place : place + hit]), place
        place += hit or 1


def _is_name(said: tuple[str, ...], size: int, known: Attributes) -> bool:
    return len(said) == size and "".join(said) in known.by_name


def _finding(mention: Mention, leaves: Leaves) -> Finding:
    states = {one.state for one in mention.found}
    where = tuple(leaf for one in mention.found for leaf in one.leaves)
    claimed = not mention.denied
    expected: JsonValue = {mention.name: claimed}
    shown: JsonValue = {mention.name: next(iter(states))}
    lists = leaves.lists
    if claimed in states:
        return Finding(Stance.AGREES, "attribute", lists.score("attribute_agrees", 0.97), expected, shown, where)
    backed = claimed and any(said_in_texts(name, leaves) for one in mention.found for name in (mention.name, one.name))
    if states == {None}:
        score = lists.score("attribute_in_text" if backed else "attribute_unknown", 0.2)
        stance = Stance.AGREES if score >= 0.5 else Stance.MISSING
        return Finding(stance, "attribute", score, expected, shown, where)
    score = lists.score("attribute_denied_in_text" if backed else "attribute_denied", 0.05)
    return Finding(Stance.DISAGREES, "attribute", score, expected, shown, where)
