"""CSV files: a header with the usual names, one lead a row. The file's hash and the line identify a row."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import orjson

from revenueflow.errors import Fault, InvalidInput
from revenueflow.sources.aliases import understand
from revenueflow.sources.arrival import Arrival
from revenueflow.sources.ingress import Ingress, Receipt

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
        self.accepted += sum(one.status in ("accepted", "conflict") for one in receipts)
        self.duplicates += sum(one.status == "duplicate" for one in receipts)
        self.quarantined += sum(one.status == "quarantined" for one in receipts)


async def store(data: bytes, ingress: Ingress, trace_id: str, config_dir: Path | None = None) -> Imported:
    """Stores every row, in commits of CHUNK; the same file again stores nothing twice.

    Raises InvalidInput if the file has no header that we know.
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
    reader = csv.reader(io.StringIO(text), dialect=_dialect(text))
    header = [name.strip() for name in next(reader, [])]
    if not any(understand({name: "x"}, config_dir) != understand({}, config_dir) for name in header):
        fault = Fault("/0", "must name at least one known column, such as email, name or company")
        raise InvalidInput("the first line is no header that we know", faults=(fault,))
    digest = sha256(data).hexdigest()
    for cells in reader:
        if any(cell.strip() for cell in cells):
            yield _arrival(dict(zip(header, cells, strict=False)), f"{digest}:{reader.line_num}", config_dir)


def _arrival(row: dict[str, str], key: str, config_dir: Path | None) -> Arrival:
    return Arrival(SOURCE, key, orjson.dumps(row), "application/json", understand(row, config_dir), own_id=key)


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def _dialect(text: str) -> type[csv.Dialect]:
    first = text.partition("\n")[0]
    return _Semicolon if first.count(";") > first.count(",") else csv.excel


class _Semicolon(csv.excel):
    delimiter = ";"
