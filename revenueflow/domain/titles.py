"""Job titles before they are looked up: gender forms as one word, and German compounds by their parts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from revenueflow.domain.phrases import fold

GENDERS = re.compile(r"\((?:[mwfdxia]|div|all genders|gn)(?:\s*[/|,*]\s*(?:[mwfdxia*]|div|gn))*\)", re.IGNORECASE)
FORMS = re.compile(r"(?<=[^\W\d_])(?:[:*_/·•]-?(?:in|innen|r|frau)(?![\w&+-])|\(-?(?:in|innen|r)\))", re.IGNORECASE)
INNER_CAPITAL = re.compile(r"(?<=[a-zäöüß])In(?:nen)?\b")
SHORTEST = 2


def plain(title: str) -> str:
    """The title in one gender and without "(m/w/d)": "Leiter:in", "Leiter/-in" and "LeiterIn" are "Leiter"."""
    return FORMS.sub("", INNER_CAPITAL.sub("", GENDERS.sub(" ", title)))


class Affixes:
    """Finds what compounds stand for by how they begin or end; the longest part wins.

    A word that is no more than an ending does not count; one that is no more than a beginning does.
    """

    def __init__(self, table: Mapping[str, Iterable[str]], *, at_end: bool) -> None:
        self._at_end = at_end
        self._spare = SHORTEST if at_end else 0
        self._parts = {fold(part): canonical for canonical, parts in table.items() for part in parts}
        self._longest = max(map(len, self._parts), default=0)

    def find(self, words: Iterable[str]) -> tuple[str, ...]:
        """What each compound stands for, in order; nothing for other words."""
        return tuple(found for word in words if (found := self._of(word)) is not None)

    def _of(self, word: str) -> str | None:
        for length in range(min(self._longest, len(word) - self._spare), SHORTEST, -1):
            found = self._parts.get(word[-length:] if self._at_end else word[:length])
            if found is not None:
                return found
        return None
