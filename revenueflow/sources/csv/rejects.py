"""Rows that could not be taken, with the reason, as a CSV that people mend and upload again."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from revenueflow.sources.csv.records import cells

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What makes a spreadsheet take a cell for a formula."""
LONGEST_RAW = 2 * 2**20
"""Characters of a rejected row that are kept."""
DETAILS = {
    "cell_too_long": "A cell is longer than 131,072 characters.",
    "row_too_long": "The row is longer than 4 MiB; only its beginning was kept.",
    "too_many_cells": "The row has more than 20,000 cells.",
    "unended_quote": "A quote is opened and never closed; the lines after it were read as rows of their own.",
    "nothing_known": "No column that we know holds anything.",
    "no_identity": "The email is no address, and no other column that we know holds anything.",
}
"""Stable reason codes, and what they mean."""
COLUMNS = ("line", "reason", "detail")


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that was not taken: the line where it begins, a key of DETAILS, and the row as it was given."""

    line: int
    reason: str
    raw: str

    @property
    def detail(self) -> str:
        """A sentence without the rejected value."""
        return DETAILS[self.reason]


def safe(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula: with an apostrophe before it, which an import takes off again."""
    return "'" + cell if cell.lstrip(" ").startswith(FORMULA) else cell


def written(rows: Iterable[Sequence[object]]) -> str:
    """Rows as CSV (RFC 4180)."""
    text = io.StringIO()
    csv.writer(text).writerows([safe(str(cell)) for cell in row] for row in rows)
    return text.getvalue()


def header(names: Sequence[str]) -> str:
    """The first line of a rejects file: ours, then the columns as they were given."""
    return written([[*COLUMNS, *names]])


def lines(rejects: Iterable[Reject], delimiter: str) -> str:
    """The other lines of a rejects file."""
    return written([one.line, one.reason, one.detail, *cells(one.raw, delimiter)] for one in rejects)
