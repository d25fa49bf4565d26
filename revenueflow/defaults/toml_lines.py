"""On which line of a TOML file a key stands: what an error names besides the key path."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

_HEADER = re.compile(r"\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"\s*((?:[\w-]+|\"[^\"]*\"|'[^']*')(?:\s*\.\s*(?:[\w-]+|\"[^\"]*\"|'[^']*'))*)\s*=(.*)")
_STRINGS = re.compile(r"\"\"\".*?\"\"\"|'''.*?'''|\"(?:\\.|[^\"\\])*\"|'[^']*'|#[^\n]*", re.DOTALL)
_BEGUN = re.compile(r"\s*[^\s\]#]")
_MULTILINE = ('"""', "'''")
Path = tuple[str, ...]


def line_of(text: str, path: Sequence[str | int]) -> int | None:
    """The line, from 1, of the key with this path (numbers for the entries of an array), or of the nearest key that
    holds it, of an array of tables the first; None if no part of it is there. `text` must be valid TOML.

    Parts that the file does not have, such as the `kind` that an error names, are passed over.
    """
    lines: dict[Path, int] = {}
    for number, place in _places(text):
        lines.setdefault(place, number)
    prefixes = {known[:length] for known in lines for length in range(1, len(known) + 1)}
    here: Path = ()
    for part in map(str, path):
        if (*here, part) in prefixes:
            here = (*here, part)
    if not here:
        return None
    return lines.get(here) or min(number for place, number in lines.items() if place[: len(here)] == here)


def _places(text: str) -> Iterator[tuple[int, Path]]:
    """Each key with its line. A value that goes over several lines holds no keys, but may hold an entry in each."""
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
            place, value, entry = table + _parts(key[1]), key[2], 0
            yield number, place
            while number < len(rows) and (depth := _open(value)):
                following, number = rows[number], number + 1
                if depth == 1 and value.lstrip().startswith("[") and _BEGUN.match(following):
                    yield number, (*place, str(entry))
                    entry += 1
                value = f"{value}\n{following}"


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


def _open(value: str) -> int:
    """How many brackets are open where a value goes on in the next line; 0 if it ends here."""
    if any(value.count(mark) % 2 for mark in _MULTILINE):
        return 99
    bare = _STRINGS.sub("", value)
    return bare.count("[") + bare.count("{") - bare.count("]") - bare.count("}")
