"""Where in a TOML file a key stands: tomllib does not tell, and people look for the line."""

from __future__ import annotations

import re
from collections.abc import Sequence

KEY = r"""(?:[A-Za-z0-9_-]+|"(?:[^"\\\\]|\\\\.)*"|'[^']*')"""
HEADER = re.compile(rf"^\s*(\[\[?)\s*({KEY}(?:\s*\.\s*{KEY})*)\s*\]")
ASSIGNED = re.compile(rf"^\s*({KEY}(?:\s*\.\s*{KEY})*)\s*=")
PART = re.compile(KEY)
Path = tuple[str, ...]


def line_of(text: str, path: Sequence[str | int]) -> int | None:
    """The line, from 1, of the deepest part of a key path that has one; None if there is none.

    Parts that the file does not have, such as the `kind` that an error names, are passed over.
    """
    lines = _lines(text)
    prefixes = {known[:length] for known in lines for length in range(1, len(known) + 1)}
    here: Path = ()
    for part in map(str, path):
        if (*here, part) in prefixes:
            here = (*here, part)
    while here and here not in lines:
        here = here[:-1]
    return lines.get(here)


def _lines(text: str) -> dict[Path, int]:
    found: dict[Path, int] = {}
    counts: dict[Path, int] = {}
    table: Path = ()
    array: Path = ()
    for number, line in enumerate(text.splitlines(), 1):
        if header := HEADER.match(line):
            table, array = _table(_parts(header[2]), counts, is_array=header[1] == "[["), ()
            found.setdefault(table, number)
        elif assigned := ASSIGNED.match(line):
            array = (*table, *_parts(assigned[1]))
            found.setdefault(array, number)
            counts[array] = -1
        elif array and line.lstrip().startswith("{"):
            counts[array] += 1
            found.setdefault((*array, str(counts[array])), number)
    return found


def _table(parts: Path, counts: dict[Path, int], *, is_array: bool) -> Path:
    """The path of a header: names of lists of tables before it stand for their last table."""
    here: Path = ()
    for place, part in enumerate(parts, 1):
        here = (*here, part)
        if is_array and place == len(parts):
            counts[here] = counts.get(here, -1) + 1
        if here in counts:
            here = (*here, str(counts[here]))
    return here


def _parts(dotted: str) -> Path:
    return tuple(part[1:-1] if part[0] in "\"'" else part for part in PART.findall(dotted))
