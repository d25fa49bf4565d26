"""Values of a record that a part denies."""

from __future__ import annotations

from typing import Final

from revenueflow.domain.phrases import words
from revenueflow.grounding.checks.free.attributes import told
from revenueflow.grounding.free.attributes import attributes
from revenueflow.grounding.free.clauses import Clause
from revenueflow.grounding.free.finding import Finding, Stance
from revenueflow.grounding.free.leaves import Leaf, Leaves
from revenueflow.grounding.free.parts import Part
from revenueflow.grounding.free.table import singular

MOST_WORDS: Final = 4
SHORTEST: Final = 4
REACH: Final = 4
OWN_NAMES: Final = frozenset({"name", "title", "company", "company_name", "legal_name", "domain"})


def denied_value(part: Part, leaves: Leaves) -> Finding | None:
    """ "It does not use Salesforce" against a list that names it. Values that are flags are for the attributes."""
    if not leaves.record or told(part, leaves.lists):
        return None
    known = leaves.once(values)
    for clause in part.clauses(leaves.lists):
        hit = None if clause.hedged or not clause.denials else _hit(clause, known)
        if hit is not None:
            score = leaves.lists.score("value_denied", 0.1)
            return Finding(Stance.DISAGREES, "denied_value", score, {hit: False}, {hit: True}, (known[hit],))
    return None


def _hit(clause: Clause, known: dict[str, Leaf]) -> str | None:
    """The first value shortly after the first denial."""
    said = tuple(map(singular, clause.words))
    start = clause.denials[0] + 1
    spans = (
        (place, size) for place in range(start, min(start + REACH, len(said))) for size in range(MOST_WORDS, 0, -1)
    )
    return next((name for place, size in spans if (name := "".join(said[place : place + size])) in known), None)


def values(leaves: Leaves) -> dict[str, Leaf]:
    """The short texts of the record by their joined words, the items of "a, b" each by itself.

    Left out are flags, the names that all of it is about, and words that say little.
    """
    lists = leaves.lists
    common = leaves.once(attributes).by_name.keys() | set(map(singular, lists.reporting))
    found: dict[str, Leaf] = {}
    for leaf in leaves.texts:
        if leaf.key.lower() in OWN_NAMES:
            continue
        for item in str(leaf.value).split(","):
            said = words(item)
            name = "".join(map(singular, said))
            if 0 < len(said) <= MOST_WORDS and len(name) >= SHORTEST and name.isalpha() and name not in common:
                found.setdefault(name, leaf)
    return found
