"""From the bytes of a file to its rows: what is understood is an Arrival, what can't be taken a Reject."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import orjson

from revenueflow.privacy.identity import normalise_email
from revenueflow.sources.aliases import Understood
from revenueflow.sources.arrival import Arrival
from revenueflow.sources.csv.columns import Choice, Columns, delimiter_of, says_nothing
from revenueflow.sources.csv.lines import Line, Lines
from revenueflow.sources.csv.records import MOST_CELLS, Record, Records, cells
from revenueflow.sources.csv.rejects import LONGEST_RAW, Reject

SOURCE = "csv"
LONGEST_CELL = 131_072
"""Characters."""
HEADER_LINES = 100
LONGEST_HEADER = 131_072
"""Lines and characters after which no end of a header is waited for."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row that we understand, and the line where it begins."""

    line: int
    arrival: Arrival


Item: TypeAlias = Row | Reject


class Reader:
    """Takes a file in pieces. The same rows, rejects and keys for any cuts; holds one record at most.

    `columns` is None until the header is there. Raises InvalidInput if there is none that we know.
    """

    def __init__(self, choice: Choice, config_dir: Path | None = None) -> None:
        self.columns: Columns | None = None
        self.delimiter = ","
        self._choice = choice
        self._config_dir = config_dir
        self._noted = {"": choice.noted()} if choice.noted() else {}
        self._lines = Lines()
        self._head: list[Line] = []
        self._told = ""
        self._records: Records | None = None

    def feed(self, data: bytes) -> Iterator[Item]:
        """What is whole with these bytes."""
        yield from self._items(self._lines.feed(data))

    def close(self) -> Iterator[Item]:
        """What is left at the end of the file."""
        yield from self._items(self._lines.close())
        if self._records is None:
            yield from self._begin()
        for record in self._records.close() if self._records else ():
            yield from self._item(record)
        if self.columns is None:
            self.columns = Columns([], self._choice, self._config_dir)  # which raises

    def _items(self, lines: Iterator[Line]) -> Iterator[Item]:
        for line in lines:
            if self._records is None:
                yield from self._look_for_header(line)
            elif line.text or not self._records.is_between:
                for record in self._records.feed(line):
                    yield from self._item(record)

    def _look_for_header(self, line: Line) -> Iterator[Item]:
        """A header is whole when its quotes are even; then it tells what parts the cells."""
        if not self._head and (not line.text.strip() or self._is_told(line.text)):
            return
        self._head.append(line)
        odd = sum(each.text.count('"') for each in self._head) % 2
        size = sum(len(each.text) for each in self._head)
        if not odd or size > LONGEST_HEADER or len(self._head) == HEADER_LINES:
            yield from self._begin()

    def _is_told(self, text: str) -> bool:
        """Whether it is no header yet but the line `sep=;`, by which spreadsheets tell each other."""
        if text[:4].lower() != "sep=" or len(text) != 5:
            return False
        self._told = text[4]
        return True

    def _begin(self) -> Iterator[Item]:
        head, self._head = self._head, []
        text = "\n".join(line.text for line in head)
        self.delimiter = self._told or delimiter_of(text, self._choice, self._config_dir)
        self._records = Records(self.delimiter)
        for line in head:
            for record in self._records.feed(line):
                yield from self._item(record)

    def _item(self, record: Record) -> Iterator[Item]:
        row = [record.text] if record.cut else cells(record.text, self.delimiter)
        if self.columns is None:
            self.columns = Columns(row, self._choice, self._config_dir)
        elif record.cut or record.unended or any(cell.strip() for cell in row):
            yield self._judged(record, row, self.columns)

    def _judged(self, record: Record, row: Sequence[str], columns: Columns) -> Item:
        reason = _unreadable(record, row, self.delimiter)
        understood = columns.understand(row, self._config_dir) if reason is None else Understood()
        if reason := reason or _useless(understood):
            return Reject(record.line, reason, record.text[:LONGEST_RAW])
        key = f"{record.digest.hex()}:{record.line}"
        raw = orjson.dumps(columns.record(row) | self._noted)
        return Row(record.line, Arrival(SOURCE, key, raw, "application/json", understood, own_id=key))


def _unreadable(record: Record, row: Sequence[str], delimiter: str) -> str | None:
    if record.unended:
        return "unended_quote"
    if record.cut:
        return "row_too_long"
    if record.text.count(delimiter) > MOST_CELLS:
        return "too_many_cells"
    return "cell_too_long" if max(map(len, row)) > LONGEST_CELL else None


def _useless(understood: Understood) -> str | None:
    if says_nothing(understood):
        return "nothing_known"
    known = understood.form.model_dump(exclude_none=True)
    if known.keys() == {"email"} and normalise_email(understood.form.email) is None:
        return "no_identity"
    return None
