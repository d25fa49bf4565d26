"""What a TOML text may hold: the parser's time, memory and stack grow with what a few bytes can ask for."""

from __future__ import annotations

import re
from typing import Final

MOST_PARTS: Final = 10
"""Parts of one dotted key, each of which is a table."""
DEEPEST: Final = 15
"""Arrays and tables within each other; ours have four. With as many parts a key, a validator still reads all levels."""
MOST_DIGITS: Final = 30
_TOKEN: Final = re.compile(
    # Strings and comments, each to its end in one go: a text is never looked at twice, whatever is left open in it.
    r'"""(?:[^"\\]++|\\(?:.|\Z)|"(?!""))*+(?:"{3,5}|\Z)'
    r"|'''(?:[^']++|'(?!''))*+(?:'{3,5}|\Z)"
    r'|"(?:[^"\\\n]++|\\.)*+"?'
    r"|'[^'\n]*+'?"
    r"|#[^\n]*+"
    rf"|(?P<digits>(?<!\w)(?:\d[\d_]{{{MOST_DIGITS}}}|0x[\da-fA-F_]{{{MOST_DIGITS}}}|0o[0-7_]{{{MOST_DIGITS}}}|0b[01_]{{{MOST_DIGITS}}}))"
    r"|(?P<mark>[\[{\]}.=,\n])",
    re.DOTALL,
)


class TooMuch(ValueError):
    """A text asks for more than any file of ours needs. Says what, and on which line."""


def check(text: str) -> None:
    """Raises TooMuch. Takes time in proportion to the length of the text.

    What is no TOML may pass: this reads as the parser does up to where that stops.
    """
    depth = dots = 0
    for found in _TOKEN.finditer(text):
        mark = found["mark"]
        if mark == ".":
            dots += 1
        elif mark:
            dots = 0
            depth += (mark in "[{") - (mark in "]}")
        if dots >= MOST_PARTS or depth > DEEPEST or found["digits"]:
            raise TooMuch(f"{_limit(dots, depth)} (line {text.count(chr(10), 0, found.start()) + 1})")


def _limit(dots: int, depth: int) -> str:
    if dots >= MOST_PARTS:
        return f"a key must have at most {MOST_PARTS} parts"
    if depth > DEEPEST:
        return f"arrays and tables must be at most {DEEPEST} deep"
    return f"a number must have at most {MOST_DIGITS} digits"
