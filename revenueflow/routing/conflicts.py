"""Finds territories that no lead can reach, because earlier ones take all of their leads.

Exact: conditions only compare with the bounds and names in the table, so trying one lead for each combination
of them tries them all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

from revenueflow.domain.lead import Tier
from revenueflow.routing.conditions import Conditions, Subject, obstacle


def find(territories: Sequence[Conditions]) -> str | None:
    """The first conflict in words, with the names of the territories; None if there is none."""
    for number, territory in enumerate(territories):
        for country in territory.countries:
            problem = _conflict(territories[:number], territory, country)
            if problem:
                return f"{number}.countries: {problem}"
    return None


def _conflict(earlier: Sequence[Conditions], territory: Conditions, country: str) -> str | None:
    rivals = [other for other in earlier if country in other.countries]
    for rival in rivals:
        if _asks(rival) == _asks(territory):
            return f'{country} is in "{rival.name}" and in "{territory.name}" under equal conditions'
    for lead in _leads([*rivals, territory], country):
        if obstacle(territory, lead) is None and all(obstacle(rival, lead) for rival in rivals):
            return None
    names = ", ".join(f'"{rival.name}"' for rival in rivals)
    return f'"{territory.name}" can\'t be reached for {country}: {names} before it takes all of its leads'


def _asks(territory: Conditions) -> tuple[object, ...]:
    industries, tiers = territory.industries, territory.tiers
    return (
        territory.min_headcount,
        territory.max_headcount,
        industries and frozenset(industries),
        tiers and frozenset(tiers),
    )


def _leads(territories: Sequence[Conditions], country: str) -> Iterator[Subject]:
    headcounts: set[int | None] = {None, 0}
    industries: set[str | None] = {None}
    for territory in territories:
        headcounts |= {territory.min_headcount or 1, (territory.max_headcount or 0) + 1}
        industries |= set(territory.industries or ())
    for headcount, industry, tier in product(headcounts, industries, Tier):
        yield Subject(country, headcount, industry, tier)
