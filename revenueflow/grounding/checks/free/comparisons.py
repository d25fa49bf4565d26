"""Free statements with numbers: "over 500 employees", "less than two hours", "made more than its budget"."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from revenueflow.domain.phrases import Hit
from revenueflow.grounding.free.amounts import Amount
from revenueflow.grounding.free.atom import Atom, atom
from revenueflow.grounding.free.finding import Stance
from revenueflow.grounding.free.leaves import Leaves
from revenueflow.grounding.free.measures import ROUNDING, Measured, in_base, measures
from revenueflow.grounding.free.said import Said
from revenueflow.grounding.free.tables import Difference, tables

NEAR: Final = 6
LOOSE: Final = 0.1
TIMES: Final = ("times", "x")


def amounts_of(said: Said, leaves: Leaves) -> Iterator[Atom]:
    """Amounts against the measures that the statement speaks of."""
    known = measures(leaves)
    if said.denies or not known or _difference(said):
        return
    hits = tables().measure_phrases.find(said.words)
    found = [
        (name, one)
        for amount in said.amounts
        for name in _spoken_of(said, amount, hits, known)
        for one in _compared(said, amount, name, known[name], hits)
    ]
    agreed = {name for name, one in found if one.finding.stance is Stance.AGREES}
    yield from (one for name, one in found if name not in agreed or one.finding.stance is Stance.AGREES)


def _spoken_of(said: Said, amount: Amount, hits: tuple[Hit, ...], known: dict[str, Measured]) -> list[str]:
    """The measure that the phrase nearest to the amount names, if the record has just one such."""
    place = said.place(amount.start)
    near = sorted(hits, key=lambda hit: abs(hit.start - place))
    for hit in near:
        if abs(hit.start - place) > NEAR:
            break
        fit = [name for name in hit.canonical.split("|") if name in known and _fits(said, amount, name)]
        if fit:
            return fit if len(fit) == 1 else []
    return []


def _fits(said: Said, amount: Amount, name: str) -> bool:
    measure = tables().measures[name]
    if measure.kind == "count":
        return amount.unit in measure.nouns and not amount.currency and not amount.percent
    if measure.kind == "money":
        return amount.currency is not None and not amount.percent
    return in_base(amount, said.text, measure.kind) is not None


def _compared(said: Said, amount: Amount, name: str, value: Measured, hits: tuple[Hit, ...]) -> Iterator[Atom]:
    based = in_base(amount, said.text, tables().measures[name].kind)
    if based is None or said.words[said.place(amount.end) : said.place(amount.end) + 1] in (("per",), ("times",)):
        return
    holds = _holds(based, tables().measures[name].kind, value)
    first, last = said.place(amount.start), said.place(amount.end)
    phrases = [
        place for hit in hits if name in hit.canonical.split("|") for place in range(hit.start, hit.start + hit.length)
    ]
    unit = range(last, last + 1) if amount.unit else range(0)
    yield from atom(
        "amounts", holds, (*range(first, last), *phrases, *unit), value.leaves,
        expected=said.text[amount.start : amount.end].strip(), found=[value.low, value.high], doubt=0.03,
    )  # fmt: skip


def _holds(amount: Amount, kind: str, value: Measured) -> bool | None:
    """A count like 241 is meant exactly, 250 may be rounded. The same number in another currency is another amount."""
    holds = amount.holds(value.low, value.high, 0.0 if kind == "count" else ROUNDING)
    if amount.currency and amount.currency not in value.currencies:
        return False if holds and value.currencies else None
    rounded = amount.plain and _roughly(amount, value) and not (kind == "count" and amount.low % 10)
    return None if holds is False and rounded else holds


def _roughly(amount: Amount, value: Measured) -> bool:
    return value.low * (1 - LOOSE) <= amount.low <= value.high * (1 + LOOSE)


def _difference(said: Said) -> Difference | None:
    """The difference that a phrase of the statement speaks of."""
    return next((one for one in tables().differences.values() if said.has(*one.above) or said.has(*one.below)), None)


def profits(said: Said, leaves: Leaves) -> Iterator[Atom]:
    """Which of two measures is the larger, by how much, or how many times."""
    spoken, known = _difference(said), measures(leaves)
    if spoken is None or spoken.first not in known or spoken.second not in known:
        return
    first, second = known[spoken.first], known[spoken.second]
    if not _same_currency(first, second):
        return
    up = said.has(*spoken.above) and not said.has(*spoken.below)
    if said.denies:
        up = not up
    tokens = [
        place
        for place, word in enumerate(said.words)
        if any(word in phrase.split() for phrase in (*spoken.above, *spoken.below))
    ]
    gap = (first.low - second.high, first.high - second.low)
    holds = True if (gap[0] > 0) is up and (gap[0] > 0) == (gap[1] > 0) else None
    if (up and gap[1] < 0) or (not up and gap[0] > 0):
        holds = False
    found = [first.low, second.low]
    ground = (*first.leaves, *second.leaves)
    by = None if said.denies else next((one for one in said.amounts if one.currency), None)
    if holds is not False and up and by is not None:
        close = by.holds(max(0.0, gap[0]), gap[1], LOOSE)
        plain = by.holds(first.low, first.high, LOOSE) is True
        yield from atom(
            "profit",
            None if plain else close,
            tokens,
            ground,
            expected=said.text[by.start : by.end].strip(),
            found=found,
            doubt=0.05,
        )
        return
    # A profit is no measure of success: only what is surely below or above is denied.
    yield from atom("profit", holds, tokens, ground, found=found, doubt=0.1)


def _same_currency(one: Measured, other: Measured) -> bool:
    return not (one.currencies and other.currencies) or one.currencies == other.currencies
