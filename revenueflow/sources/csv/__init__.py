"""CSV files, read as they arrive: bytes -> lines -> records -> rows or rejects -> commits of CHUNK.

    lines       physical lines, each decoded on its own, and the digest of the file so far
    records     lines that quotes hold together, cut into cells
    columns     which column of a header is which of our fields
    reader      what becomes of a record: a row with an Arrival, or a Reject with its reason
    importing   stores rows and rejects chunk by chunk; previews store nothing
    rejects     rejects as a CSV that people mend and upload again

**What a row is known by.** The hash of a whole file is known only when the whole file is there, and then it is too late
to have stored its first row. A row's key is the SHA-256 of all lines *up to and including its own*, and the line where
it begins. The same file gives the same keys row by row, so a second upload, whole or after one that broke off, stores
nothing twice; nor does a file that was continued at its end. Two equal rows of a file differ by what stands before
them. Line ends, the byte order mark and UTF-8 or UTF-16 do not count: a file that was only saved again is the same.
After a line that was changed every key is new: those rows are deliveries of their own, of the same leads as far as
these have an email or a LinkedIn profile. So upload what was mended as a file of its own (the rejects), not all of it
once more. Another mapping or campaign for the same file keeps the keys and changes the rows: they are taken as
corrections of the same leads.

**Nothing is lost.** Each record that is not blank is a row or a reject; `rows` is their sum.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from revenueflow.sources.arrival import Arrival
from revenueflow.sources.csv.columns import Choice
from revenueflow.sources.csv.reader import SOURCE, Reader, Row

__all__ = ["SOURCE", "rows"]


def rows(data: bytes, config_dir: Path | None = None) -> Iterator[Arrival]:
    """An arrival for each row of a small file that is there as a whole; rejects are left out."""
    reader = Reader(Choice(), config_dir)
    found = [*reader.feed(data), *reader.close()]
    return (one.arrival for one in found if isinstance(one, Row))
