"""The clauses of a part: what is said and what is denied in it, and what it only says to be unknown. Linear."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from revenueflow.domain.phrases import fold
from revenueflow.grounding.free.table import Statements

CONTRACTED: Final = re.compile(r"n['’]t\b", re.IGNORECASE)
TOKEN: Final = re.compile(r"[^\W_]+|[,;:()]|--|–|—")
STOPS: Final = frozenset((";", "(", ")", "--", "–", "—"))
PUNCTUATION: Final = STOPS | {","}
JOINERS: Final = frozenset({"and", ",", "or", "as"})
BEING: Final = frozenset({"is", "are", "was", "were", "be", "been"})
ABLE: Final = frozenset({"can", "could", "may"})
PLURAL: Final = frozenset({"are", "were"})
NEAR: Final = 4
"""How far behind a single thing "is not" may stand."""
REACH: Final = 5
"""How many words may stand between a denial and the word for information that makes a hedge of it."""


class Clause(NamedTuple):
    """Its words, where denials stand in it, and whether it only says that something is unknown."""

    words: tuple[str, ...]
    denials: tuple[int, ...]
    hedged: bool

    def denied(self, start: int) -> bool:
        """True if what stands at this place is denied: by a word before it, or by "… is not" after it."""
        return any(place < start or self._denies_back(place, start) for place in self.denials)

    def _denies_back(self, place: int, start: int) -> bool:
        before = self.words[place - 1]
        if before in PLURAL:
            return True
        bound = before in BEING or before in ABLE or self.words[place] == "cannot"
        return bound and place - start <= NEAR and "and" not in self.words[start:place]


def tokens(text: str) -> tuple[str, ...]:
    """Folded words and the marks that part clauses."""
    return tuple(TOKEN.findall(fold(CONTRACTED.sub(" not", text))))


def clauses(text: str, lists: Statements) -> tuple[Clause, ...]:
    """A new clause begins at a semicolon, at "but" and its like, and where a list is followed by a new verb."""
    found: list[list[str]] = [[]]
    before = ""
    for word in tokens(text):
        if word in lists.clause_words or word in STOPS or (before in JOINERS and word in lists.clause_verbs):
            found.append([])
        if word not in PUNCTUATION:
            found[-1].append("is" if word == ":" else word)
        before = word
    return tuple(_clause(tuple(part), lists) for part in found if part)


def _clause(said: tuple[str, ...], lists: Statements) -> Clause:
    denials = tuple(place for place, word in enumerate(said) if _denies(said, place, lists))
    return Clause(said, denials, _hedged(said, denials, lists))


def _denies(said: tuple[str, ...], place: int, lists: Statements) -> bool:
    word, following = said[place], said[place + 1 : place + 2]
    if word in lists.denying_adjectives:
        return bool(place) and said[place - 1] in BEING
    return word in lists.negations and following not in (("only",), ("just",), ("to",), ("limited",))


def _hedged(said: tuple[str, ...], denials: tuple[int, ...], lists: Statements) -> bool:
    if not lists.unstated.isdisjoint(said):
        return True
    return any(not lists.information.isdisjoint(said[place + 1 : place + 1 + REACH]) for place in denials)
