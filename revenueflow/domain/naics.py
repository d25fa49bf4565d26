"""Our short list of industries and the codes of NAICS 2022, both ways. The table: defaults/naics.toml."""

from __future__ import annotations

import re
from functools import cache, cached_property
from typing import Self

from pydantic import Field, JsonValue, model_validator

from revenueflow import defaults
from revenueflow.domain.base import Value

CODE = re.compile(r"\s*(\d{2,6})(?:\s*[-–]\s*\d{2})?(?:\.0)?\s*")
SHORTEST = 2


class Entry(Value):
    """An industry: the code that we give for it, and the beginnings of those that mean it."""

    code: str = Field(pattern=r"^\d{2,6}$")
    title: str
    prefixes: tuple[str, ...]


class Naics(Value):
    """The table. A prefix of two industries is an error."""

    version: int
    industries: dict[str, Entry]

    @model_validator(mode="after")
    def _unambiguous(self) -> Self:
        for name, entry in self.industries.items():
            for prefix in entry.prefixes:
                if self._by_prefix[prefix] != name:
                    raise ValueError(f"{prefix!r} is a prefix of {name!r} and of {self._by_prefix[prefix]!r}")
        return self

    def code(self, industry: str | None) -> str | None:
        """The code of an industry of our short list: 2 to 6 digits, as text."""
        entry = self.industries.get(industry or "")
        return entry.code if entry else None

    def industry(self, code: JsonValue) -> str | None:
        """The industry that a code (text or number, "31-33" too) belongs to, None for what is no known code."""
        found = CODE.fullmatch(code) if isinstance(code, str) else CODE.fullmatch(str(code)) if _whole(code) else None
        digits = found[1] if found else ""
        prefixes = (digits[:length] for length in range(len(digits), SHORTEST - 1, -1))
        return next((self._by_prefix[prefix] for prefix in prefixes if prefix in self._by_prefix), None)

    @cached_property
    def _by_prefix(self) -> dict[str, str]:
        return {prefix: name for name, entry in self.industries.items() for prefix in entry.prefixes}


@cache
def naics() -> Naics:
    """The table of defaults/naics.toml. Raises ConfigurationError."""
    return defaults.load(Naics, "naics.toml")


def _whole(code: JsonValue) -> bool:
    return isinstance(code, int) and not isinstance(code, bool)
