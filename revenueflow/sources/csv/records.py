"""Records: lines that quotes hold together, cut into cells. RFC 4180, read as spreadsheets write and people type it."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from enum import Enum
from typing import NamedTuple

from revenueflow.sources.csv.lines import LONGEST, Line

MOST_LINES = 10_000
"""Lines that one record may have."""

MOST_CELLS = 20_000
"""Cells that one record may have."""
_UP_TO_CLOSING = re.compile(r'[^"]*+(?:""[^"]*+)*+"')  # possessive: in one pass, whatever the cell


class State(Enum):
    """How a line ends: outside of quotes, inside, or inside quotes of an earlier line that it can't have closed."""

    CLOSED = 0
    OPEN = 1
    BROKEN = 2


class Record(NamedTuple):
    """One record. `line` is where it begins, `digest` that of the file up to its end, `text` as it was given.

    `unended`: its quote is never closed; the lines after it are records of their own. `cut`: a line was too long.
    """

    line: int
    text: str
    digest: bytes
    unended: bool = False
    cut: bool = False


class Records:
    """Takes lines and gives records.

    A quote that is not closed would swallow the rows after it. It counts as never closed if the file ends, if the
    record has over MOST_LINES lines or LONGEST characters, or if the quote that would close it is followed by text:
    then it was the opening quote of another cell. Its line is a record of its own, and so are those that it swallowed.
    """

    def __init__(self, delimiter: str) -> None:
        self._delimiter = delimiter
        self._again: deque[Line] = deque()
        self._held: list[Line] = []
        self._size = 0

    @property
    def is_between(self) -> bool:
        """Whether the next line begins a record."""
        return not self._held

    def feed(self, line: Line) -> Iterator[Record]:
        """The records that are whole with this line."""
        self._again.append(line)
        while self._again:
            yield from self._take(self._again.popleft())

    def close(self) -> Iterator[Record]:
        """What is left at the end of the file."""
        while self._held:
            yield self._give_up()
            while self._again:
                yield from self._take(self._again.popleft())

    def _take(self, line: Line) -> Iterator[Record]:
        state = ended(line.text, self._delimiter, inside=bool(self._held))
        self._held.append(line)
        self._size += len(line.text)
        too_long = line.cut or self._size > LONGEST or len(self._held) > MOST_LINES
        if state is State.CLOSED or (line.cut and len(self._held) == 1):
            yield self._whole()
        elif state is State.BROKEN or too_long:
            yield self._give_up()

    def _whole(self) -> Record:
        held, self._held, self._size = self._held, [], 0
        text = held[0].text if len(held) == 1 else "\n".join(line.text for line in held)
        return Record(held[0].number, text, held[-1].digest, cut=any(line.cut for line in held))

    def _give_up(self) -> Record:
        first, *rest = self._held
        self._again.extendleft(reversed(rest))
        self._held, self._size = [], 0
        return Record(first.number, first.text, first.digest, unended=True)


def ended(text: str, delimiter: str, *, inside: bool) -> State:
    """How a line ends that begins `inside` quotes or not."""
    if not inside and '"' not in text:
        return State.CLOSED
    earlier = inside
    inside = inside or text.startswith('"')
    at = int(inside and not earlier)
    while True:
        if inside:
            at = _closing(text, at)
            if at < 0:
                return State.OPEN
            at += 1
            if earlier and at < len(text) and not text.startswith(delimiter, at):
                return State.BROKEN
            earlier = False
        at = text.find(delimiter, at)
        if at < 0:
            return State.CLOSED
        at += 1
        inside = text.startswith('"', at)
        at += inside


def cells(text: str, delimiter: str) -> list[str]:
    """The cells of a record; all of it as one cell if there are more than MOST_CELLS delimiters.

    Text after a closing quote belongs to the cell; a quote inside a cell is a quote.
    """
    if text.count(delimiter) > MOST_CELLS:
        return [text]
    if '"' not in text:
        return text.split(delimiter)
    found, at = [], 0
    while True:
        cell, at = _quoted(text, at + 1, delimiter) if text.startswith('"', at) else _bare(text, at, delimiter)
        found.append(cell)
        if at >= len(text):
            return found
        at += 1


def _bare(text: str, at: int, delimiter: str) -> tuple[str, int]:
    stop = text.find(delimiter, at)
    stop = len(text) if stop < 0 else stop
    return text[at:stop], stop


def _quoted(text: str, at: int, delimiter: str) -> tuple[str, int]:
    stop = _closing(text, at)
    if stop < 0:
        return text[at:].replace('""', '"'), len(text)
    after, end = _bare(text, stop + 1, delimiter)
    return text[at:stop].replace('""', '"') + after, end


def _closing(text: str, at: int) -> int:
    """Where the quote is that closes; -1 if there is none. Two quotes are one that belongs to the cell."""
    found = _UP_TO_CLOSING.match(text, at)
    return found.end() - 1 if found else -1
