"""Names in statements, and whether they are those of a field."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from rapidfuzz import fuzz

from revenueflow.grounding.free.said import Said

LINKS: Final = frozenset({"of", "the", "de", "la", "von", "van", "der", "for", "s", "da", "del", "di", "du", "le"})
ALIKE: Final = 80
JOINED: Final = frozenset({"and", "or"})


class Name(NamedTuple):
    """A run of capitalised words, folded, from one token to another."""

    words: tuple[str, ...]
    start: int
    end: int


def names_from(said: Said, place: int, most: int = 6) -> tuple[Name, ...]:
    """The names that begin at a token: "by A, B and the C", each by itself."""
    found: list[Name] = []
    while place < len(said.tokens) and len(found) < most:
        name = _name_at(said, place)
        if name is None:
            break
        found.append(name)
        place = _next(said, name.end)
    return tuple(found)


def _next(said: Said, end: int) -> int:
    """Where the next name of a list may begin; past the end if the list is over."""
    if end >= len(said.tokens):
        return end
    gap = said.text[said.tokens[end - 1].end : said.tokens[end].start]
    if said.words[end] in JOINED and not set(gap) - {" ", ","}:
        return end + 1
    return end if gap.strip() in (",", "&", "/") else len(said.tokens)


def _name_at(said: Said, place: int) -> Name | None:
    start = place
    while start < len(said.tokens) and said.words[start] in ("the", "a", "an", "both"):
        start += 1
    end = start
    while end < len(said.tokens) and _belongs(said, start, end):
        end += 1
    while end > start and said.words[end - 1] in LINKS and said.tokens[end - 1].written.islower():
        end -= 1
    return Name(said.words[start:end], start, end) if end > start else None


def _belongs(said: Said, start: int, place: int) -> bool:
    token = said.tokens[place]
    if place > start:
        gap = said.text[said.tokens[place - 1].end : token.start]
        if "," in gap or ";" in gap or ". " in gap or "(" in gap or "&" in gap:
            return False
    if token.written[:1].isupper() or (token.written[:1].isdigit() and place > start):
        return True
    following = said.tokens[place + 1 : place + 2]
    return place > start and token.word in LINKS and bool(following) and following[0].written[:1].isupper()


def matches(name: Iterable[str], values: Iterable[tuple[str, ...]]) -> bool | None:
    """True if the name is one of the values or a part of one; False if it is like none; None if it is nearly one."""
    wanted = frozenset(name) - LINKS
    best: bool | None = False
    for value in values:
        held = frozenset(value) - LINKS
        if wanted and wanted <= held:
            return True
        if (
            wanted & held
            or fuzz.ratio(" ".join(name), " ".join(value)) >= ALIKE
            or any(fuzz.ratio(one, other) >= ALIKE for one in wanted for other in held if len(one) > 3)
        ):
            best = None
    return best
