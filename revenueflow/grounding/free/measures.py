"""The numbers of a record, by what they measure, in one unit each; and those of a statement."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from revenueflow.domain.phrases import words
from revenueflow.domain.quantity import scan
from revenueflow.grounding.free.amounts import Amount
from revenueflow.grounding.free.leaves import Leaf, Leaves
from revenueflow.grounding.free.subject import grouped, text_of
from revenueflow.grounding.free.tables import tables

CLOCK: Final = re.compile(r"(?<![\d:])(\d{1,3})\s?:\s?([0-5]\d)(?:\s?:\s?([0-5]\d))?(?![\d:])")
LONGEST_UNIT: Final = 3
ROUNDING: Final = 0.02
AFTER: Final = 24


class Measured(NamedTuple):
    """What a record says of a measure: the least and the most of its values, in base units."""

    low: float
    high: float
    currencies: frozenset[str]
    leaves: tuple[Leaf, ...]


class Measures:
    """The measures of the evidence by their names in the tables."""

    def __init__(self, leaves: Leaves) -> None:
        found = grouped(leaves, tables().measure_keys)
        read = {name: _measured(group, tables().measures[name].kind) for name, group in found.items()}
        self.by_name = {name: measured for name, measured in read.items() if measured is not None}


def measures(leaves: Leaves) -> dict[str, Measured]:
    """The reading of the leaves, computed once."""
    return leaves.once(Measures).by_name


def _measured(leaves: list[Leaf], kind: str) -> Measured | None:
    found = [value for leaf in leaves if (value := _value(leaf, kind)) is not None]
    if not found:
        return None
    codes = frozenset(code for _, _, code in found if code)
    return Measured(min(low for low, _, _ in found), max(high for _, high, _ in found), codes, tuple(leaves))


def _value(leaf: Leaf, kind: str) -> tuple[float, float, str | None] | None:
    """The first number of the kind. A bare number is money or a count."""
    if isinstance(leaf.value, bool) or leaf.value is None:
        return None
    text = text_of(leaf)
    clock = CLOCK.search(text) if kind == "time" else None
    if clock:
        parts = [int(part) for part in clock.groups() if part]
        minutes = parts[0] + parts[1] / 60 if len(parts) == 2 else parts[0] * 60 + parts[1] + parts[2] / 60
        return minutes, minutes, None
    for number in scan(text):
        if kind in ("money", "count"):
            fits = not number.percent and (kind == "money" or not number.currency)
            if fits:
                high = float("inf") if number.range.high is None else number.range.high
                return number.range.low, high, number.currency or _default_currency(leaf, kind)
            continue
        unit = unit_after(text, number.end)
        if unit and unit[0] == kind and number.range.high is not None:
            low, high = number.range.low * unit[1], number.range.high * unit[1]
            return _with_rest(text, number.end, kind, low, high)
    return None


def _default_currency(leaf: Leaf, kind: str) -> str | None:
    """Amounts that are evidence of their own are in US dollars unless they say otherwise."""
    return "USD" if kind == "money" and leaf.about and not leaf.key else None


def _with_rest(text: str, end: int, kind: str, low: float, high: float) -> tuple[float, float, str | None]:
    """ "5 ft 9 in", "2 hours 5 minutes": a smaller unit right behind adds to it."""
    following = scan(text[end : end + AFTER])
    if following and low == high:
        unit = unit_after(text[end : end + AFTER], following[0].end)
        gap = text[end : end + following[0].start]
        if unit and unit[0] == kind and unit[1] * following[0].range.low < low and not set(gap) & set("(,/[x×"):
            more = following[0].range.low * unit[1]
            return low + more, high + more, None
    return low, high, None


def unit_after(text: str, place: int) -> tuple[str, float] | None:
    """The kind and size of the unit that begins at a place."""
    following = words(text[place : place + AFTER].lstrip(" -\u00a0"))
    known = tables().unit_words
    for length in range(min(LONGEST_UNIT, len(following)), 0, -1):
        if following[:length] in known:
            return known[following[:length]]
    return None


def in_base(amount: Amount, text: str, kind: str) -> Amount | None:
    """The amount of a statement in base units, if it is of that kind."""
    if kind == "money":
        return amount if not amount.percent else None
    if kind == "count":
        return amount if not (amount.percent or amount.currency) else None
    unit = unit_after(text, amount.end)
    if unit is None or unit[0] != kind:
        return None
    low, high, _ = _with_rest(text, amount.end, kind, amount.low * unit[1], amount.high * unit[1])
    return amount._replace(low=low, high=high)
