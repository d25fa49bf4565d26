"""Rough stems of English words."""

from __future__ import annotations

from typing import Final

SUFFIXES: Final = ("ings", "ing", "ies", "ed", "es", "s")


def stem(word: str) -> str:
    """A rough stem: enough that "hires", "hired" and "hiring" are one word."""
    for suffix in SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= 3:
            return word[: -len(suffix)]
    return word
