"""CSV files: a header with the usual names, one lead a row. The file's hash and the line identify a row."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from revenueflow.errors import Fault, InvalidInput
from revenueflow.sources.aliases import understand
from revenueflow.sources.arrival import Arrival
from revenueflow.sources.ingress import Ingress
from revenueflow.sources.storing import Receipt

if TYPE_CHECKING:
    from _csv import Reader

SOURCE = "csv"
CHUNK = 500


@dataclass(slots=True)
class Imported:
    """What became of a file's rows."""

    rows: int = 0
    accepted: int = 0
    duplicates: int = 0
    quarantined: int = 0

    def count(self, receipts: list[Receipt]) -> None:
        """Adds the answers to a chunk."""
        self.rows += len(receipts)
        self.accepted += sum(one.status in ("accepted", "conflict", "spooled") for one in receipts)
        self.duplicates += sum(one.status == "duplicate" for one in receipts)
        self.quarantined += sum(one.status == "quarantined" for one in receipts)


async def store(data: bytes, ingress: Ingress, trace_id: str, config_dir: Path | None = None) -> Imported:
    """Stores every row, in commits of CHUNK; the same file again stores nothing twice.

    Raises InvalidInput if the file has no header that we know, or a record that is no CSV; what stands before that
    record is kept.
    """
    imported, chunk = Imported(), []
    for arrival in rows(data, config_dir):
        chunk.append(arrival)
        if len(chunk) == CHUNK:
            imported.count(await ingress.accept(chunk, trace_id))
            chunk = []
    if chunk:
        imported.count(await ingress.accept(chunk, trace_id))
    return imported


def rows(data: bytes, config_dir: Path | None = None) -> Iterator[Arrival]:
    """An arrival for each row that is not blank; `raw` is the row as a JSON object."""
    text = _text(data)
    reader = csv.reader(io.StringIO(text, newline=""), dialect=_dialect(text))
    header = [name.strip() for name in _next(reader) or []]
    if not any(understand({name: "x"}, config_dir) != understand({}, config_dir) for name in header):
        fault = Fault("/0", "must name at least one known column, such as email, name or company")
        raise InvalidInput("the first line is no header that we know", faults=(fault,))
    digest = sha256(data).hexdigest()
    while (cells := _next(reader)) is not None:
        if any(cell.strip() for cell in cells):
            yield _arrival(_record(header, cells), f"{digest}:{reader.line_num}", config_dir)


def _record(header: list[str], cells: list[str]) -> dict[str, str]:
    record: dict[str, str] = {}
    for name, cell in zip(header, cells, strict=False):
        record[name] = record.get(name) or cell  # of two columns with one name, the first that says something
    return record


def _arrival(row: dict[str, str], key: str, config_dir: Path | None) -> Arrival:
    return Arrival(SOURCE, key, orjson.dumps(row), "application/json", understand(row, config_dir), own_id=key)


def _next(reader: Reader) -> list[str] | None:
    try:
        return next(reader, None)
    except csv.Error:
        where = f"must be a CSV record with cells of at most {csv.field_size_limit()} characters"
        fault = Fault(f"/{reader.line_num}", where)
        raise InvalidInput("the file is no CSV that we can read", faults=(fault,)) from None


def _text(data: bytes) -> str:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):  # "Unicode text", as Excel calls it
        return data.decode("utf-16", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def _dialect(text: str) -> type[csv.Dialect]:
    first = next(iter(text[:65536].splitlines()), "")
    return _Semicolon if first.count(";") > first.count(",") else csv.excel


class _Semicolon(csv.excel):
    delimiter = ";"
