"""Finds rules that no lead can reach, because earlier ones take all of their leads.

Exact, up to MOST_TRIES: conditions only compare with the bounds and names in the table, so trying one lead for each
combination of them tries them all. Of a table with more combinations than that the rest counts as sound.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

from revenueflow.domain.lead import Tier
from revenueflow.routing.conditions import Conditions, Subject, obstacle

MOST_TRIES = 500_000
"""Comparisons of a lead with a rule, for a whole table: a second or so."""
LONGEST_CODE = 10
"""Characters of the longest postcode that a lead can have."""
_NEXT = {**{str(n): str(n + 1) for n in range(9)}, "9": "A", **{chr(n): chr(n + 1) for n in range(65, 90)}}


def find(rules: Sequence[Conditions]) -> str | None:
    """The first conflict in words, with the names of the rules, behind number and key; None if there is none."""
    tries = MOST_TRIES
    for number, rule in enumerate(rules):
        for country in rule.countries or (None,):
            problem, tries = _conflict(rules[:number], rule, country, tries)
            if problem:
                return f"{number}.{'countries' if rule.countries else 'name'}: {problem}"
    return None


def _conflict(
    earlier: Sequence[Conditions], rule: Conditions, country: str | None, tries: int
) -> tuple[str | None, int]:
    """What is wrong with a rule, if anything, and how many tries are left. With none left it counts as sound."""
    rivals = [other for other in earlier if not other.countries or country in other.countries]
    where = country or "any country"
    for rival in rivals:
        if _asks(rival) == _asks(rule):
            return f'{where} is in "{rival.name}" and in "{rule.name}" under equal conditions', tries
    tries -= _codes_in(rivals)
    if tries <= 0 or not rivals:
        return None, tries
    for lead in _leads(rivals, rule, country):
        tries -= len(rivals)
        if tries <= 0 or all(obstacle(rival, lead) for rival in rivals):
            return None, tries
    names = ", ".join(f'"{rival.name}"' for rival in rivals)
    return f'"{rule.name}" can\'t be reached for {where}: {names} before it takes all of its leads', tries


def _codes_in(rules: Sequence[Conditions]) -> int:
    """How many postcodes are to be made before the first can be tried: bounds times lengths."""
    return sum(len(rule.spans) for rule in rules) * len({len(span.low) for rule in rules for span in rule.spans})


def _asks(rule: Conditions) -> tuple[object, ...]:
    lists = (rule.states, rule.spans, rule.industries, rule.tiers)
    return rule.min_headcount, rule.max_headcount, *(frozenset(one) if one else None for one in lists)


def _leads(rivals: Sequence[Conditions], rule: Conditions, country: str | None) -> Iterator[Subject]:
    """Leads of every kind that the rule takes, as far as any of the rules can tell them apart."""
    every = (*rivals, rule)
    headcounts = {None, 0}.union(*((each.min_headcount or 1, (each.max_headcount or 0) + 1) for each in every))
    industries = rule.industries or {None}.union(*(each.industries or () for each in every))
    states = rule.states or {None}.union(*(each.states or () for each in every))
    for values in product(headcounts, industries, rule.tiers or Tier, states, _codes(every, rule)):
        lead = Subject(country, *values)
        if obstacle(rule, lead) is None:
            yield lead


def _codes(every: Sequence[Conditions], rule: Conditions) -> Iterator[str | None]:
    """Postcodes on both sides of each bound, in every length that makes a difference."""
    spans = [span for each in every for span in each.spans]
    borders = {span.low for span in spans} | {_after(span.high) for span in spans}
    lengths = {len(span.low) for span in spans} | {LONGEST_CODE}
    codes = {border[:length].ljust(length, "0") for border in borders for length in lengths}
    if rule.spans:
        yield from (code for code in codes if any(span.holds(code) for span in rule.spans))
    else:
        yield from (None, *codes)


def _after(code: str) -> str:
    """The next code of the same length; the last one has none, and stays."""
    head = code.rstrip("Z")
    return head[:-1] + _NEXT[head[-1]] + "0" * (len(code) - len(head)) if head else code
