"""The evidence as the fake model reads it: from the text of the prompt, and from nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import orjson

from revenueflow.domain.quantity import Range, count_range, money
from revenueflow.domain.vocabulary import Kind, Vocabulary

BLOCK: Final = re.compile(r"<evidence>(.*?)</evidence>", re.DOTALL)
NUMBER: Final = re.compile(r"\d[\d,.']*")
FORM: Final = "self_reported"


@dataclass(frozen=True, slots=True)
class Piece:
    """One line between the markers."""

    id: str
    provider: str
    signal: str
    trust: str
    value: Any

    @property
    def text(self) -> str:
        """The value as text; a list's items on lines of their own."""
        if isinstance(self.value, str):
            return self.value
        if isinstance(self.value, list):
            return "\n".join(map(str, self.value))
        return orjson.dumps(self.value).decode()


class Reading:
    """All pieces of a prompt, in order."""

    def __init__(self, pieces: Iterable[Piece], vocabulary: Vocabulary) -> None:
        self.pieces = tuple(piece for piece in pieces if piece.value not in (None, "", []))
        self.vocabulary = vocabulary

    def of(self, signal: str) -> tuple[Piece, ...]:
        """Pieces with a signal: those of vendors, or, where there are none, the form's."""
        found = tuple(piece for piece in self.pieces if piece.signal == signal)
        return tuple(piece for piece in found if piece.trust != FORM) or found

    @property
    def ids(self) -> frozenset[str]:
        """What can be cited."""
        return frozenset(piece.id for piece in self.pieces)

    @cached_property
    def company(self) -> str:
        """The company's name, "the company" without one."""
        names = self.of("company_name")
        return str(names[0].value) if names else "the company"

    @cached_property
    def text(self) -> str:
        """Everything that any piece says."""
        return "\n".join(piece.text for piece in self.pieces)

    @cached_property
    def numbers(self) -> frozenset[str]:
        """The digits of every number that stands anywhere."""
        return frozenset(re.sub(r"\D", "", match) for match in NUMBER.findall(self.text))

    def named(self, kind: Kind) -> frozenset[str]:
        """Every canonical name of a kind that stands anywhere in the evidence."""
        return frozenset(self.vocabulary.mentions(kind, self.text))


def read(parts: Iterable[str], vocabulary: Vocabulary) -> Reading:
    """The evidence in the texts of a prompt; lines that are not of its form are passed over."""
    lines = (line for part in parts for block in BLOCK.findall(part) for line in block.splitlines())
    return Reading(_pieces(lines), vocabulary)


def _pieces(lines: Iterable[str]) -> Iterator[Piece]:
    for line in lines:
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError:
            continue
        if isinstance(row, dict) and {"id", "signal", "value"} <= row.keys():
            yield Piece(
                str(row["id"]),
                str(row.get("provider")),
                str(row["signal"]),
                str(row.get("trust")),
                row["value"],
            )


def count_of(piece: Piece) -> Range | None:
    """A headcount as a range."""
    return count_range(piece.value)


def amount_of(piece: Piece) -> Range | None:
    """An amount of money as a range, in whatever currency."""
    found = money(piece.value)
    return found.amount if found else None
