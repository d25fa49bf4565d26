"""Whole-word phrase matching over short texts: the longest phrase wins, case and accents do not matter."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple, Self

WORD = re.compile(r"[^\W_]+(?:[+#]+(?!\w))?")
ACCENTS = re.compile("[\u0300-\u036f]")
SHORT = 60
REMEMBERED = 4096
"""Names, keys and terms come again and again; of texts up to SHORT characters so many are remembered."""

# A company may be called HP or X4; one that is called as these are can't be told from them.
LITTLE_WORDS = frozenset(
    ("ai", "am", "an", "as", "at", "be", "by", "da", "de", "du", "er", "es", "go", "he", "if", "im", "in", "is", "it",
     "ja", "me", "my", "no", "ob", "of", "on", "or", "so", "to", "um", "up", "us", "we", "wo", "zu")
)  # fmt: skip


def fold(text: str) -> str:
    """The form in which texts are compared: no compatibility forms, case or Latin accents; `&` as "and"."""
    if text.isascii():
        return text.casefold().replace("&", " and ")
    flat = unicodedata.normalize("NFKC", text).casefold()
    bare = ACCENTS.sub("", unicodedata.normalize("NFD", flat))
    return unicodedata.normalize("NFC", bare).replace("&", " and ")


def words(text: str) -> tuple[str, ...]:
    """The folded words of a text. "C++" and "C#" are words; "Node.js" is two."""
    return _of_short(text) if len(text) <= SHORT else tuple(WORD.findall(fold(text)))


@lru_cache(maxsize=REMEMBERED)
def _of_short(text: str) -> tuple[str, ...]:
    return tuple(WORD.findall(fold(text)))


class Hit(NamedTuple):
    """A phrase that was found: what it stands for, and which words it covers."""

    canonical: str
    start: int
    length: int


class PhraseIndex:
    """Finds phrases in a text, in time linear in the text. A phrase with two meanings is an error."""

    def __init__(self, entries: Iterable[tuple[str, str]]) -> None:
        self._exact: dict[tuple[str, ...], str] = {}
        self._longest: dict[str, int] = {}
        for phrase, canonical in entries:
            self._add(words(phrase), canonical)

    @classmethod
    def of(cls, table: Mapping[str, Iterable[str]]) -> Self:
        """The index of {canonical: synonyms}, where a canonical name is a phrase of its own."""
        return cls((phrase, key) for key, synonyms in table.items() for phrase in (key, *synonyms))

    def _add(self, phrase: tuple[str, ...], canonical: str) -> None:
        if not phrase:
            raise ValueError(f"an empty phrase for {canonical!r}")
        known = self._exact.setdefault(phrase, canonical)
        if known != canonical:
            raise ValueError(f"{' '.join(phrase)!r} stands for {known!r} and for {canonical!r}")
        self._longest[phrase[0]] = max(self._longest.get(phrase[0], 0), len(phrase))

    def whole(self, tokens: tuple[str, ...]) -> str | None:
        """What the whole text stands for."""
        return self._exact.get(tokens)

    def find(self, tokens: tuple[str, ...]) -> tuple[Hit, ...]:
        """All phrases from left to right; the longest at each place, and none inside another."""
        hits: list[Hit] = []
        place = 0
        while place < len(tokens):
            if tokens[place] not in self._longest:
                place += 1
                continue
            hit = self._at(tokens, place)
            if hit:
                hits.append(hit)
            place += hit.length if hit else 1
        return tuple(hits)

    def _at(self, tokens: tuple[str, ...], place: int) -> Hit | None:
        for length in range(min(self._longest.get(tokens[place], 0), len(tokens) - place), 0, -1):
            canonical = self._exact.get(tokens[place : place + length])
            if canonical is not None:
                return Hit(canonical, place, length)
        return None


def canonicals(hits: Iterable[Hit]) -> tuple[str, ...]:
    """What was found, each once, in order of appearance."""
    return tuple(dict.fromkeys(hit.canonical for hit in hits))
