"""Free statements that count: "three children", "only one label", "several genres", "never on another label"."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from revenueflow.domain.phrases import Hit
from revenueflow.grounding.free.amounts import Amount
from revenueflow.grounding.free.atom import Atom, atom
from revenueflow.grounding.free.items import Items, lists
from revenueflow.grounding.free.leaves import Leaves
from revenueflow.grounding.free.said import Said
from revenueflow.grounding.free.tables import tables

CHECK: Final = "counts"
BETWEEN: Final = 2
LIMIT: Final = 200


def counts(said: Said, leaves: Leaves) -> Iterator[Atom]:
    """Counts of the values of a field."""
    for hit in tables().list_nouns.find(said.words):
        items = _items(hit, leaves)
        if items is None or _narrowed(said, hit):
            continue
        yield from _numbered(said, hit, items)
        yield from _vague(said, hit, items)


def _items(hit: Hit, leaves: Leaves) -> Items | None:
    known = lists(leaves)
    found = [items for name in hit.canonical.split("|") if (items := known.only(name)) is not None]
    return found[0] if len(found) == 1 else None


def _narrowed(said: Said, hit: Hit) -> bool:
    """True if what follows the noun narrows it: "labels in the UK", "children with"."""
    after = said.tokens[hit.start + hit.length : hit.start + hit.length + 1]
    if not after:
        return False
    return after[0].word in tables().counting.narrowing or (
        after[0].word == "in" and said.tokens[-1].written[:1].isupper()
    )


def _numbered(said: Said, hit: Hit, items: Items) -> Iterator[Atom]:
    amount = _before(said, hit)
    if (
        amount is None
        or amount.currency
        or amount.percent
        or said.denies
        or amount.low > LIMIT
        or amount.bound == "under"
    ):
        return
    first = said.place(amount.start)
    part = said.words[hit.start : hit.start + hit.length] in tables().part_nouns
    most = float("inf") if items.most is None else items.most
    holds = amount.holds(items.least, most)
    if part:
        holds = False if amount.low > most else None
    expected = said.text[amount.start : said.tokens[hit.start].end].strip()
    tokens = (*range(first, hit.start + hit.length), *_sole(said, first))
    found = [items.least, items.most]
    yield from atom(CHECK, holds, tokens, items.leaves, expected=expected, found=found, doubt=0.03)


def _before(said: Said, hit: Hit) -> Amount | None:
    """The amount right before a noun, with nothing between but words that don't narrow it."""
    end = said.tokens[hit.start].start
    near = [amount for amount in said.amounts if amount.end <= end]
    if not near:
        return None
    place = said.place(near[-1].end)
    between = said.words[place : hit.start]
    plain = len(between) <= BETWEEN and all(word in tables().counting.adjectives for word in between)
    return near[-1] if plain else None


def _sole(said: Said, place: int) -> range:
    alone = place > 0 and said.words[place - 1] in tables().counting.sole
    return range(place - 1, place) if alone else range(0)


def _vague(said: Said, hit: Hit, items: Items) -> Iterator[Atom]:
    """ "Several", "a single", "no", "the same": only where one word stands right before the noun."""
    lead = said.words[max(0, hit.start - BETWEEN - 1) : hit.start]
    while lead and lead[-1] in tables().counting.adjectives - {"different", "various"}:
        lead = lead[:-1]
    words = range(hit.start - 3 if hit.start > 3 else 0, hit.start + hit.length)
    if not lead:
        return
    expected = " ".join((*lead[-2:], *said.words[hit.start : hit.start + hit.length]))
    found = [items.least, items.most]
    if lead[-1] in ("several", "multiple", "numerous", "various") and not said.denies:
        holds = True if items.least > 2 else (False if items.most == 1 else None)
        yield from atom(CHECK, holds, words, items.leaves, expected=expected, found=found, doubt=0.05)
    elif lead[-1] in ("single", "sole") and not said.denies:
        holds = True if items.most == 1 else (False if items.least > 1 else None)
        yield from atom(CHECK, holds, words, items.leaves, expected=expected, found=found, doubt=0.05)
    elif lead[-1] == "no" or (lead[-1:] == ("any",) and said.denies):
        yield from atom(
            CHECK, False if items.least > 0 else None, words, items.leaves, expected=expected, found=found, doubt=0.05
        )
    elif lead[-1] == "same" and said.has(
        "always", "only", "entire", "whole", "stay", "stayed", "remained", "throughout", "ever"
    ):
        holds = False if items.least > 1 else None
        yield from atom(CHECK, holds, words, items.leaves, expected=expected, found=found, doubt=0.05)
