"""Second opinions by the fake model: it compares claims with evidence by their words, or lies when it is told to."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import orjson

from revenueflow.domain.phrases import words
from revenueflow.sandbox.dice import Dice
from revenueflow.sandbox.gemini_attack import instructs
from revenueflow.sandbox.gemini_claims import DENIAL
from revenueflow.sandbox.gemini_evidence import Reading

BLOCK: Final = re.compile(r"<claims>(.*?)</claims>", re.DOTALL)
SENTENCE: Final = re.compile(r"[^.!?\n]+[.!?]?")
SAID: Final = 0.6
"""The share of a claim's words that a sentence holds which says it."""
LETTERS: Final = 4
"""So many letters of a word tell what it is about: "expands" and "expansion" are one."""
LONGEST_QUOTE: Final = 2000
DULL: Final = frozenset({"the", "and", "its", "has", "have", "are", "was", "for", "with", "that", "company"})
ALIKE: Final = (
    frozenset({"pilo", "tria"}),
    frozenset({"expa", "open", "grow"}),
    frozenset({"awar", "priz"}),
    frozenset({"acqu", "boug"}),
    frozenset({"buil", "deve", "make"}),
)
"""Words that mean the same to this model, by their first letters."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One claim of the question."""

    id: str
    statement: str
    evidence: tuple[str, ...]


def asked_in(parts: Iterable[str]) -> list[Asked]:
    """The claims that a prompt asks an opinion about; none in one that asks for something else."""
    return [one for part in parts for block in BLOCK.findall(part) for one in _rows(block)]


class Writer:
    """Writes opinions on claims over one prompt's evidence. `lie`: how often it makes one up; `obey`: attackers."""

    def __init__(self, reading: Reading, dice: Dice, *, lie: float, obey: bool) -> None:
        self._pieces = {piece.id: piece for piece in reading.pieces}
        self._dice = dice
        self._lie = lie
        self._attack = next((one for one in reading.pieces if instructs(one.text)), None) if obey else None

    def write(self, asked: Asked) -> tuple[dict[str, Any], bool]:
        """The opinion, and whether it is made up."""
        if self._attack is not None:
            return _entails(asked, self._attack.id, self._attack.text), True
        if self._lie and self._dice.happens(f"lie/{asked.id}", self._lie):
            return _entails(asked, next(iter(asked.evidence), "E1"), asked.statement), True
        return self._honest(asked), False

    def _honest(self, asked: Asked) -> dict[str, Any]:
        wanted, denies = _roots(asked.statement), bool(DENIAL.search(asked.statement))
        for piece in (self._pieces[name] for name in asked.evidence if name in self._pieces):
            for sentence in map(str.strip, SENTENCE.findall(piece.text)):
                if wanted and len(wanted & _roots(sentence)) >= SAID * len(wanted):
                    same = bool(DENIAL.search(sentence)) == denies
                    return _opinion(asked, "entails" if same else "contradicts", piece.id, sentence)
        return {"claim_id": asked.id, "relation": "silent"}


def _opinion(asked: Asked, relation: str, evidence_id: str, quote: str) -> dict[str, Any]:
    return {"claim_id": asked.id, "relation": relation, "evidence_id": evidence_id, "quote": quote}


def _entails(asked: Asked, evidence_id: str, quote: str) -> dict[str, Any]:
    return _opinion(asked, "entails", evidence_id, quote[:LONGEST_QUOTE])


def _roots(text: str) -> frozenset[str]:
    found = (word[:LETTERS] for word in words(text) if len(word) > 2 and word not in DULL)
    return frozenset(next((min(group) for group in ALIKE if root in group), root) for root in found)


def _rows(block: str) -> Iterator[Asked]:
    for line in block.splitlines():
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError:
            continue
        if isinstance(row, dict) and {"id", "statement", "evidence"} <= row.keys():
            yield Asked(str(row["id"]), str(row["statement"]), tuple(map(str, row["evidence"])))
