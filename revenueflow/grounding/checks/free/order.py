"""Free statements about order: "released in A before B", "premiered in A first", "at the same time in both"."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from revenueflow.domain.phrases import words
from revenueflow.grounding.free.atom import Atom, atom
from revenueflow.grounding.free.leaves import Leaves
from revenueflow.grounding.free.places import index
from revenueflow.grounding.free.said import Said
from revenueflow.grounding.free.subject import text_of
from revenueflow.grounding.free.timeline import Period, timeline

CHECK: Final = "order"
TOGETHER: Final = ("simultaneously", "same time", "same day", "same date")


def releases(said: Said, leaves: Leaves) -> Iterator[Atom]:
    """What came out where before it came out elsewhere, by releases that are given with their places."""
    items = timeline(leaves).events.get("release", ())
    spoken = [one for one in said.mentions if one.event == "release"]
    if len(items) < 2 or not spoken or said.denies:
        return
    ground, tokens = [item.leaf for item in items], _tokens(said)
    found = [text_of(item.leaf) for item in items]
    holds = _holds(said, items)
    yield from atom(CHECK, holds, tokens, ground, found=found, doubt=0.05)


def _holds(said: Said, items: tuple[Period, ...]) -> bool | None:
    if said.has(*TOGETHER):
        return False if len({item.start for item in items}) == len(items) else None
    for word in ("before", "after"):
        if word in said.words:
            place = said.words.index(word)
            first, second = _at(said.words[:place], items), _at(said.words[place + 1 :], items)
            if first is None or second is None or first.start == second.start:
                return None
            return (first.start.first < second.start.first) is (word == "before")
    only = _at(said.words, items) if "first" in said.words else None
    return only.start == min(item.start for item in items) if only else None


def _at(tokens: tuple[str, ...], items: tuple[Period, ...]) -> Period | None:
    """The only release at a place that these words name."""
    wanted = {hit.canonical for hit in index().find(tokens)}
    found = [item for item in items if wanted & {hit.canonical for hit in index().find(words(text_of(item.leaf)))}]
    return found[0] if len(found) == 1 else None


def _tokens(said: Said) -> Iterator[int]:
    places = (place for hit in index().find(said.words) for place in range(hit.start, hit.start + hit.length))
    yield from places
    yield from (
        place for place, word in enumerate(said.words) if word in ("before", "after", "first", "released", "premiered")
    )
