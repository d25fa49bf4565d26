"""Yes-or-no attributes of records: {"WiFi": "no", "hasApi": true, "Parking": {"street": false}}."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from revenueflow.domain.phrases import fold
from revenueflow.grounding.free.leaves import Leaf, Leaves, key_words
from revenueflow.grounding.free.table import Statements, singular


class Attribute(NamedTuple):
    """`state` is None where the record does not know; `group` is the joined name of the object that it is in."""

    name: str
    state: bool | None
    leaves: tuple[Leaf, ...]
    group: str = ""


class Attributes(NamedTuple):
    """The attributes by their joined names and the joined synonyms of these."""

    by_name: dict[str, list[Attribute]]
    longest: int


def attributes(leaves: Leaves) -> Attributes:
    """All attributes of these leaves."""
    lists = leaves.lists
    alone: list[Leaf] = []
    groups: dict[tuple[str, ...], list[Leaf]] = {}
    flags = [leaf for leaf in leaves.all if leaf.path and _is_flag(leaf, lists)]
    mixed = {(leaf.evidence_id, *leaf.path[:-1]) for leaf in leaves.all if leaf.path and not _is_flag(leaf, lists)}
    flagged = {(leaf.evidence_id, *leaf.path[:-1]) for leaf in flags if leaf.value is not None}
    for leaf in flags:
        around = (leaf.evidence_id, *leaf.path[:-1])
        parent = leaf.names[-2] if len(leaf.names) > 1 else ""
        if parent and around not in mixed and around in flagged and name_of(parent, lists) not in lists.containers:
            groups.setdefault((leaf.evidence_id, *map(str, leaf.path[:-1])), []).append(leaf)
        elif leaf.value is not None or around in flagged or name_of(leaf.key, lists) in lists.names:
            alone.append(leaf)
    found = [Attribute(name_of(leaf.key, lists), state_of(leaf, lists), (leaf,)) for leaf in alone]
    found = [attribute for attribute in found if attribute.name not in lists.style_groups] + [
        Attribute(style, None, (leaf,), name_of(leaf.key, lists))
        for leaf in alone
        if name_of(leaf.key, lists) in lists.style_groups
        for style in sorted(lists.styles)
    ]
    for path, members in groups.items():
        found += _group(name_of(path[-1], lists), members, lists)
    return _indexed(found, lists)


def name_of(key: str, lists: Statements) -> str:
    """The joined words of a key, without what opens keys: "hasFreeTrial" is "freetrial"."""
    said = key_words(key)
    while len(said) > 1 and said[0] in lists.key_openers:
        said = said[1:]
    return "".join(map(singular, said))


def state_of(leaf: Leaf, lists: Statements) -> bool | None:
    """Yes, no, or unknown."""
    if isinstance(leaf.value, str):
        return fold(leaf.value).strip() in lists.yes
    return leaf.value if isinstance(leaf.value, bool) else None


def _is_flag(leaf: Leaf, lists: Statements) -> bool:
    if isinstance(leaf.value, str):
        value = fold(leaf.value).strip()
        return value in lists.yes or value in lists.no
    return leaf.value is None or isinstance(leaf.value, bool)


def _group(group: str, members: list[Leaf], lists: Statements) -> Iterable[Attribute]:
    states = [state_of(leaf, lists) for leaf in members]
    whole = True if True in states else False if False in states else None
    if group not in lists.style_groups:
        yield Attribute(group, whole, tuple(members))
    for leaf, state in zip(members, states, strict=True):
        yield Attribute(name_of(leaf.key, lists), state, (leaf,), group)


def _indexed(found: list[Attribute], lists: Statements) -> Attributes:
    by_name: dict[str, list[Attribute]] = {}
    for attribute in found:
        for name in dict.fromkeys((attribute.name, *lists.names.get(attribute.name, ()))):
            if name:
                by_name.setdefault(name, []).append(attribute)
    return Attributes(by_name, max(map(len, by_name), default=0))
