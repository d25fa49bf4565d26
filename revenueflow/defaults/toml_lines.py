"""On which line of a TOML file a key stands: what an error names besides the key path."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

_HEADER = re.compile(r"\s*(\[\[?)([^\[\]]+)\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"\s*((?:[\w-]++|\"[^\"]*\"|'[^']*')(?:\s*\.\s*(?:[\w-]++|\"[^\"]*\"|'[^']*'))*)\s*=(.*)")
_TOKEN = re.compile(r"\"\"\"|'''|\"(?:\\.|[^\"\\])*+\"|'[^']*'|#.*|[\[{]|[\]}]")
_ENDS = {
    '"""': re.compile(r'(?:[^"\\]++|\\.|"(?!""))*+"{3,5}'),
    "'''": re.compile(r"(?:[^']++|'(?!''))*+'{3,5}"),
}
_BEGUN = re.compile(r"\s*[^\s\]#]")
Path = tuple[str, ...]


class _Node:
    """A key: the line where it stands itself, if it does, and the first of what is below it."""

    __slots__ = ("below", "first", "own")

    def __init__(self, first: int) -> None:
        self.own: int | None = None
        self.first = first
        self.below: dict[str, _Node] = {}


class Lines:
    """The keys of a TOML text, which must be valid. Read once, in time in proportion to its length."""

    def __init__(self, text: str) -> None:
        self._root = _Node(0)
        for number, place in _places(text):
            node = self._root
            for part in place:
                node = node.below.setdefault(part, _Node(number))
            node.own = node.own or number

    def of(self, path: Sequence[str | int]) -> int | None:
        """The line, from 1, of the key with this path (numbers for the entries of an array), or of the nearest key
        that holds it, of an array of tables the first; None if no part of it is there.

        Parts that the file does not have, such as the `kind` that an error names, are passed over.
        """
        node = self._root
        for part in map(str, path):
            node = node.below.get(part, node)
        return node.own or node.first or None


def line_of(text: str, path: Sequence[str | int]) -> int | None:
    """The line of one key: see `Lines.of`."""
    return Lines(text).of(path)


def _places(text: str) -> Iterator[tuple[int, Path]]:
    """Each key with its line. A value that goes over several lines holds no keys, but may hold an entry in each."""
    table: Path = ()
    counts: dict[Path, int] = {}
    rows = iter(enumerate(text.split("\n"), 1))
    for number, row in rows:
        if header := _HEADER.match(row):
            table = _table(_parts(header[2]), counts, new=header[1] == "[[")
            yield number, table
        elif key := _KEY.match(row):
            place, value = table + _parts(key[1]), _Value(key[2])
            yield number, place
            for entry, line in enumerate(_entries(value, rows)):
                yield line, (*place, str(entry))


def _entries(value: _Value, rows: Iterator[tuple[int, str]]) -> Iterator[int]:
    """Goes to the end of a value; the lines that begin an entry of it, where it is an array."""
    for number, row in rows if value.open else ():
        if value.is_array and value.depth == 1 and not value.quote and _BEGUN.match(row):
            yield number
        value.add(row)
        if not value.open:
            return


class _Value:
    """What was seen of a value: how many brackets are open, and the quotes of a string that goes on."""

    def __init__(self, row: str) -> None:
        self.depth = 0
        self.quote = ""
        self.is_array = row.lstrip().startswith("[")
        self.add(row)

    @property
    def open(self) -> bool:
        """Whether it goes on in the next line."""
        return bool(self.quote) or self.depth > 0

    def add(self, row: str) -> None:
        """Reads on."""
        place = 0
        while found := (_ENDS[self.quote].match if self.quote else _TOKEN.search)(row, place):
            place, mark = found.end(), found[0]
            if self.quote:
                self.quote = ""
            elif mark in _ENDS:
                self.quote = mark
            else:
                self.depth += (mark in "[{") - (mark in "]}")


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
    return tuple(part.strip().strip("\"'") for part in re.findall(r"\"[^\"]*\"|'[^']*'|[^.]+", key.strip()))
