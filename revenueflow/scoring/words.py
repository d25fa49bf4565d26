"""Keys of a profile's tables that no lead can have: a slip of the pen there costs each lead its points, silently."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from difflib import get_close_matches

from revenueflow.domain.countries import iso_names
from revenueflow.domain.vocabulary import SENIORITIES, Vocabulary
from revenueflow.scoring.kinds import EVENTS, EngagementFactor, TableFactor
from revenueflow.scoring.profile import Profile

FEW = 40
"""Keys that an error still lists."""
NEAR = 0.6
KeyPath = tuple[str | int, ...]


def strange_keys(profile: Profile, vocabulary: Vocabulary) -> Iterator[tuple[KeyPath, str]]:
    """The path of each key of a table that its fact never has, and what is allowed there.

    Facts that are compared as they were written (title, source, …) have any key.
    """
    for number, rule in enumerate(profile.factors):
        known = _known(rule, vocabulary)
        if known is not None and isinstance(rule, TableFactor | EngagementFactor):
            folded = {key.casefold(): key for key in known}
            for key in rule.points:
                if key.casefold() not in folded:
                    yield ("factors", number, "points", key), _said(key, folded)


def _known(rule: object, vocabulary: Vocabulary) -> Collection[str] | None:
    if isinstance(rule, EngagementFactor):
        return EVENTS
    if not isinstance(rule, TableFactor):
        return None
    tables: dict[str, Collection[str]] = {
        "seniority": SENIORITIES,
        "department": vocabulary.departments,
        "industry": vocabulary.industries,
        "country": iso_names(),
    }
    return tables.get(rule.fact)


def _said(key: str, folded: dict[str, str]) -> str:
    meant = get_close_matches(key.casefold(), folded, 1, NEAR)
    told = "no lead has this key"
    told += f"; did you mean `{folded[meant[0]]}`?" if meant else ""
    listed = ", ".join(sorted(folded.values())) if len(folded) <= FEW else "codes of ISO 3166-1 alpha-2"
    return f"{told}{'' if meant else ';'} allowed: {listed}"
