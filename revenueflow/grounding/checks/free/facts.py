"""Statements over records: each reader looks for one kind of fact, and together they must explain every word."""

from __future__ import annotations

from typing import Final

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
from revenueflow.grounding.free.subject import fields
from revenueflow.grounding.free.tables import tables

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


def _agreed(found: list[Atom], sentence: Said, leaves: Leaves) -> Finding | None:
    explained = frozenset(place for atom in found for place in atom.tokens)
    if sentence.denies or unexplained(sentence, leaves, explained):
        return None
    weakest = min((atom.finding for atom in found), key=lambda finding: finding.score)
    return weakest._replace(leaves=tuple(dict.fromkeys(leaf for atom in found for leaf in atom.finding.leaves)))
