"""Evidence of any form as leaves: what stands at the ends of its paths, with the keys that lead there."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from functools import cached_property
from typing import Any, Final, NamedTuple, TypeVar, cast

from pydantic import JsonValue

from revenueflow.domain.phrases import words
from revenueflow.grounding.free.table import Statements

Scalar = str | int | float | bool | None
Path = tuple[str | int, ...]
T = TypeVar("T")
CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|_")


class Leaf(NamedTuple):
    """One value. `path` leads to it from the root of the piece of evidence; null is unknown.

    `about` is what the piece as a whole is about ("founded_year"); a piece of one value has no other name for it.
    """

    evidence_id: str
    path: Path
    value: Scalar
    about: str = ""

    @property
    def key(self) -> str:
        """The last name on the path: what the value is a value of. Empty at the root of a text or list."""
        return next((step for step in reversed(self.path) if isinstance(step, str)), "")

    @property
    def names(self) -> tuple[str, ...]:
        """All names on the path, from the root on."""
        return tuple(step for step in self.path if isinstance(step, str))


class Leaves:
    """The leaves of the evidence that a claim may rest on, read once.

    `about` says of each piece what it is about, `subject` are words of the names of whom all of it is about.
    `as_of` is the day on which it was fetched: what is "present" in it ends no later.
    """

    def __init__(
        self,
        evidence: Mapping[str, JsonValue],
        about: Mapping[str, str] | None = None,
        subject: frozenset[str] = frozenset(),
        as_of: date | None = None,
        lists: Statements | None = None,
    ) -> None:
        self.lists = lists or Statements()
        topics = about or {}
        self.subject = subject
        self.as_of = as_of
        self._readings: dict[Callable[[Leaves], Any], Any] = {}
        self.all: tuple[Leaf, ...] = tuple(
            Leaf(name, path, value, topics.get(name, ""))
            for name, data in evidence.items()
            for path, value in flat(data)
        )

    def once(self, read: Callable[[Leaves], T]) -> T:
        """What `read` makes of these leaves, computed once however many statements ask for it."""
        if read not in self._readings:
            self._readings[read] = read(self)
        return cast("T", self._readings[read])

    @cached_property
    def record(self) -> bool:
        """True if some value has a name: evidence with an inner structure, and not one text or list."""
        return any(leaf.key for leaf in self.all)

    @cached_property
    def by_key(self) -> dict[tuple[str, ...], tuple[Leaf, ...]]:
        """The leaves under the folded words of their last key."""
        found: dict[tuple[str, ...], list[Leaf]] = {}
        for leaf in self.all:
            found.setdefault(words(leaf.key), []).append(leaf)
        return {key: tuple(leaves) for key, leaves in found.items()}

    @cached_property
    def texts(self) -> tuple[Leaf, ...]:
        """The leaves that are texts."""
        return tuple(leaf for leaf in self.all if isinstance(leaf.value, str))


def key_words(key: str) -> tuple[str, ...]:
    """The folded words of a key in any style: "RestaurantsTakeOut", "take_out", "take-out"."""
    return words(CAMEL.sub(" ", key))


def flat(value: JsonValue, path: Path = ()) -> Iterator[tuple[Path, Scalar]]:
    """Each end of a JSON value with the path to it. Empty lists and objects have none."""
    if isinstance(value, dict):
        yield from _all((key, inner, path) for key, inner in value.items())
    elif isinstance(value, list):
        yield from _all((place, inner, path) for place, inner in enumerate(value))
    else:
        yield path, value


def _all(items: Iterable[tuple[str | int, JsonValue, Path]]) -> Iterator[tuple[Path, Scalar]]:
    for step, inner, path in items:
        yield from flat(inner, (*path, step))
