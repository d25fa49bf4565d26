"""The words in which texts speak of plans, jobs and places, in one form. The tables: [sayings] of vocabulary.toml."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cached_property, lru_cache
from typing import Final

from pydantic import Field

from revenueflow.domain.base import Value
from revenueflow.domain.phrases import PhraseIndex, canonicals, words

Table = dict[str, tuple[str, ...]]
ENDINGS: Final = (
    "ungen", "ung", "izations", "ization", "ations", "ation", "ating", "ements", "ement", "ated", "ates", "ings", "ing",
    "ers", "ies", "ate", "ize", "ise", "ed", "er", "es", "en", "s", "e", "y",
)  # fmt: skip
ENDING: Final = frozenset(ENDINGS)
SIZES: Final = tuple(sorted({len(ending) for ending in ENDINGS}, reverse=True))
SHORTEST_ROOT: Final = 4
HEAD: Final = 3


class Sayings(Value):
    """`cues` are words by which a clause is about a field ("*" ends a word's beginning); `noise` says nothing more.

    `places` are synonyms of cities and regions, `openings` words for departments, `synonyms` words of one meaning.
    """

    cues: Table = Field(default_factory=dict)
    noise: Table = Field(default_factory=dict)
    places: Table = Field(default_factory=dict)
    openings: Table = Field(default_factory=dict)
    synonyms: Table = Field(default_factory=dict)
    own_subjects: tuple[str, ...] = ()
    """Fields in whose values "lead" or "customer" may be part of a name: they have a list of subjects of their own."""

    def speaks_of(self, cue: str, text: str) -> bool:
        """True if the text has a cue of this name."""
        pattern = self._patterns.get(cue)
        return pattern is not None and pattern.search(text) is not None

    def find(self, cue: str, text: str) -> int:
        """Where the first cue of this name stands; -1 if none does."""
        pattern = self._patterns.get(cue)
        found = pattern.search(text) if pattern else None
        return found.start() if found else -1

    def place(self, text: str) -> str:
        """The usual name of a city or region, folded."""
        tokens = words(text)
        return self._places.whole(tokens) or " ".join(tokens)

    def names_of_place(self, text: str) -> frozenset[str]:
        """The words of all names of a place; none for one that the table does not know."""
        usual = self.place(text)
        return frozenset(word for name in (usual, *self.places.get(usual, ())) for word in words(name))

    def places_in(self, text: str) -> tuple[str, ...]:
        """The places of the table that a text names."""
        return canonicals(self._places.find(words(text)))

    def opening(self, word: str) -> str | None:
        """The department that a word such as "engineers" means as a whole."""
        return self._openings.get(root(word))

    def roots(self, tokens: Iterable[str], noise: str) -> frozenset[str]:
        """The roots of the words that say something, synonyms as one."""
        dull = self._noise.get(noise, frozenset())
        known = self._synonyms
        return frozenset([known.get(plain, plain) for plain in map(root, tokens) if plain not in dull])

    def meaning(self, word: str) -> str:
        """The root of a word, or of the one that stands for it."""
        plain = root(word)
        return self._synonyms.get(plain, plain)

    @cached_property
    def _patterns(self) -> dict[str, re.Pattern[str]]:
        return {name: re.compile(rf"(?i)\b(?:{'|'.join(map(_written, cues))})") for name, cues in self.cues.items()}

    @cached_property
    def cue_heads(self) -> dict[str, frozenset[str]]:
        """By name, the heads of the words with which its cues begin: a text without any has no such cue.

        A name with a cue that ends before its head does is left out.
        """
        return {
            name: frozenset(head(words(cue)[0]) for cue in cues)
            for name, cues in self.cues.items()
            if all(words(cue) and (len(words(cue)[0]) >= HEAD or not cue.endswith("*")) for cue in cues)
        }

    @cached_property
    def _places(self) -> PhraseIndex:
        return PhraseIndex.of(self.places)

    @cached_property
    def _openings(self) -> dict[str, str]:
        return {
            root(word): name for name, named in self.openings.items() for text in (name, *named) for word in words(text)
        }

    @cached_property
    def _noise(self) -> dict[str, frozenset[str]]:
        lists = {name: frozenset(map(root, words(" ".join(listed)))) for name, listed in self.noise.items()}
        everywhere = lists.get("any", frozenset())
        subjects = lists.get("subjects", frozenset())
        return {
            name: everywhere | listed | (frozenset() if name in self.own_subjects else subjects)
            for name, listed in lists.items()
        }

    @cached_property
    def _synonyms(self) -> dict[str, str]:
        return {
            root(word): root(name)
            for name, named in self.synonyms.items()
            for text in (name, *named)
            for word in words(text)
        }


def head(word: str) -> str:
    """The first letters of a folded word."""
    return word[:HEAD]


@lru_cache(maxsize=8192)
def root(word: str) -> str:
    """What is left of a word without its endings: "automate", "automation" and "automating" share it."""
    if not word.isalpha():
        return word
    while word.endswith(ENDINGS):
        size = next((size for size in SIZES if word[-size:] in ENDING and len(word) - size >= _least(word, size)), 0)
        if not size:
            break
        word = word[:-size]
    return word


def _least(word: str, size: int) -> int:
    """A plain plural may leave three letters."""
    return SHORTEST_ROOT - (size == 1 and word[-1] == "s")


def _written(cue: str) -> str:
    spaced = r"[\s-]+".join(re.escape(part) for part in cue.rstrip("*").split())
    return spaced if cue.endswith("*") else rf"{spaced}(?!\w)"
