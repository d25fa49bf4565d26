"""On which line of a TOML file a key stands: what an error names besides the key path."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

_HEADER = re.compile(r"\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"\s*((?:[\w-]+|\"[^\"]*\"|'[^']*')(?:\s*\.\s*(?:[\w-]+|\"[^\"]*\"|'[^']*'))*)\s*=(.*)")
_STRINGS = re.compile(r"\"\"\".*?\"\"\"|'''.*?'''|\"(?:\\.|[^\"\\])*\"|'[^']*'|#.*", re.DOTALL)
_MULTILINE = ('"""', "'''")
Path = tuple[str, ...]


def line_of(text: str, path: Sequence[str]) -> int | None:
    """The line, from 1, of the key with this path (numbers for the entries of an array), or of the nearest key that
    holds it; None if no part of it is there. `text` must be valid TOML.
    """
    lines: dict[Path, int] = {}
    for number, place in _places(text):
        lines.setdefault(place, number)
    wanted = tuple(path)
    ends = range(len(wanted), 0, -1)
    return next((lines[wanted[:end]] for end in ends if wanted[:end] in lines), None)


def _places(text: str) -> Iterator[tuple[int, Path]]:
    """Each key with its line; the value of one key may go over several lines, which hold no keys of their own."""
    table: Path = ()
    counts: dict[Path, int] = {}
    rows = text.splitlines()
    number = 0
    while number < len(rows):
        row, number = rows[number], number + 1
        if header := _HEADER.match(row):
            table = _table(_parts(header[2]), counts, new=header[1] == "[[")
            yield number, table
        elif key := _KEY.match(row):
            yield number, table + _parts(key[1])
            value = key[2]
            while number < len(rows) and _open(value):
                value, number = f"{value}\n{rows[number]}", number + 1


def _table(parts: Path, counts: dict[Path, int], *, new: bool) -> Path:
    """The path of a table, with the number of the entry after each array of tables."""
    path: Path = ()
    for position, part in enumerate(parts):
        path += (part,)
        if new and position == len(parts) - 1:
            counts[path] = counts.get(path, -1) + 1
        if path in counts:
            path += (str(counts[path]),)
    return path


def _parts(key: str) -> Path:
    return tuple(part.strip().strip("\"'") for part in re.findall(r"\"[^\"]*\"|'[^']*'|[^.]+", key))


def _open(value: str) -> bool:
    """Whether a value goes on in the next line."""
    if any(value.count(mark) % 2 for mark in _MULTILINE):
        return True
    bare = _STRINGS.sub("", value)
    return bare.count("[") + bare.count("{") > bare.count("]") + bare.count("}")
