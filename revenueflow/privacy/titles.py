"""Names in job titles: people are called Head, Chief, Lead and Major, and such a word says what they do as well."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Set
from typing import Final

from revenueflow.domain.phrases import fold
from revenueflow.privacy.redaction import Known, redact

TITLE_WORDS: Final = frozenset(
    (
        "account", "administrator", "advisor", "agent", "amtmann", "analyst", "architect", "assistant",
        "associate", "attorney", "auditor", "banker", "broker", "buyer", "captain", "chair", "chairman", "chef",
        "chief", "clerk", "coach", "commander", "constable", "consultant", "controller", "cook", "counsel",
        "dean", "deputy", "designer", "developer", "directeur", "director", "direktor", "doctor", "driver",
        "editor", "engineer", "executive", "fellow", "foreman", "founder", "general", "gerente", "governor",
        "guard", "hauptmann", "head", "hoofd", "intern", "jefe", "junior", "kaufmann", "lawyer", "lead",
        "leader", "leiter", "leiterin", "major", "manager", "marketing", "marshal", "master", "meister",
        "merchant", "minister", "nurse", "officer", "operator", "owner", "partner", "planner", "president",
        "principal", "producer", "product", "professor", "ranger", "richter", "sales", "schreiber", "scientist",
        "senior", "sergeant", "sheriff", "specialist", "steward", "supervisor", "teacher", "trader", "trainer",
        "treasurer", "verwalter", "vice", "vogt", "vorstand", "warden", "writer",
    )
)  # fmt: skip
"""Words of titles, folded, that are names too."""


_INITIALS: Final = r"(?:\w\.?\s+|\w\.){0,9}"


class Titles:
    """Takes a person's data out of titles. Of the name a word of titles stays: it is said of everybody in that job.

    Not where it stands with the rest of the name or its initial, in either order.
    """

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        given = list(pairs)
        both = [value for kind, value in given if kind == "name" and fold(value) in TITLE_WORDS]
        self._known = Known(pair for pair in given if pair[0] != "name" or pair[1] not in both)
        parts = {part for kind, value in given if kind == "name" for part in value.split()}
        self._beside = re.compile("|".join(_beside(both, parts)), re.IGNORECASE) if both else None

    def redact(self, text: str) -> str:
        """The title with placeholders."""
        text = redact(text, self._known)
        before = None
        while self._beside and text != before:  # what was taken out may stand beside more of it
            before, text = text, self._beside.sub("[NAME]", text)
        return text


def _beside(both: Iterable[str], parts: Set[str]) -> Iterator[str]:
    """Where words that are a title's and a name's stand as a name; `parts` are all the words of the name."""
    word = rf"(?:{'|'.join(sorted(map(re.escape, both), key=len, reverse=True))})"
    words = rf"{word}(?:[\s-]+{word})*"
    initial = rf"(?<!\w)[{''.join(sorted({re.escape(part[0]) for part in parts}))}]\."
    yield rf"\[NAME\]\s+{_INITIALS}{words}(?!\w)"
    yield rf"(?<!\w){word}(?:[,\s-]+{word})*[,\s]+{_INITIALS}\[NAME\]"
    yield rf"{initial}\s*{_INITIALS}{words}(?!\w)"
    yield rf"(?<!\w){words}[,\s]+{initial}(?!\w)"
    if len(parts) > 1 and all(fold(part) in TITLE_WORDS for part in parts):
        yield rf"(?<!\w){word}[,\s]+{_INITIALS}{word}(?!\w)"
