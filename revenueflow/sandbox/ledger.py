"""A fake CRM's records with every write, in a file of its own that survives a kill of the sandbox."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any, BinaryIO, Final

import orjson

from revenueflow.sandbox.journal import now

Fields = dict[str, Any]
FILE: Final = "crm.jsonl"


@dataclass(frozen=True, slots=True)
class Write:
    """One PUT. Reads see it from `visible_at` on (monotonic seconds)."""

    time: str
    fields: Fields
    status: int
    visible_at: float


@dataclass(slots=True)
class Record:
    """One record: what its writes add up to."""

    type: str
    record_key: str
    writes: list[Write] = field(default_factory=list)

    @property
    def id(self) -> str:
        """The same for the same key, also after a restart."""
        return blake2b(f"{self.type}/{self.record_key}".encode(), digest_size=9).hexdigest()

    def fields(self, at: float | None = None) -> Fields | None:
        """All writes merged, or those that a read at this moment sees; None if it sees none."""
        seen = [write for write in self.writes if at is None or write.visible_at <= at]
        if not seen:
            return None
        merged: Fields = {}
        for write in seen:
            merged.update(write.fields)
        return merged

    def shown(self) -> dict[str, Any]:
        """As control answers it."""
        writes = [{"time": write.time, "fields": write.fields, "status": write.status} for write in self.writes]
        return {
            "type": self.type,
            "record_key": self.record_key,
            "id": self.id,
            "fields": self.fields(),
            "writes": writes,
        }


class Ledger:
    """Records by type and key. With a folder, a write is in the file before it is answered."""

    def __init__(self, data_dir: Path | None = None, file: str = FILE) -> None:
        self._records: dict[tuple[str, str], Record] = {}
        self._file: BinaryIO | None = None
        if data_dir:
            data_dir.mkdir(parents=True, exist_ok=True)
            self._file = _opened(data_dir / file)
            for line in _whole_lines(self._file):
                self._put(line["type"], line["record_key"], line["fields"], line["time"], visible_at=0.0)

    def put(self, type: str, record_key: str, fields: Fields, lag: float) -> tuple[Record, int]:  # noqa: A002
        """Merges; the record, and 201 if it is new, else 200. `lag` is in seconds."""
        at = now()
        if self._file:
            line = {"type": type, "record_key": record_key, "fields": fields, "time": at}
            self._file.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
            self._file.flush()
        return self._put(type, record_key, fields, at, visible_at=time.monotonic() + lag)

    def get(self, type: str, record_key: str) -> tuple[Record, Fields] | None:  # noqa: A002
        """What a read sees now."""
        record = self._records.get((type, record_key))
        fields = record.fields(time.monotonic()) if record else None
        return None if record is None or fields is None else (record, fields)

    def find(self, type: str, record_key: str) -> Record | None:  # noqa: A002
        """A record, whether reads see it yet or not."""
        return self._records.get((type, record_key))

    def of(self, type: str) -> list[Record]:  # noqa: A002
        """All records of a type, whether reads see them yet or not."""
        return [record for (kind, _), record in self._records.items() if kind == type]

    def shown(self) -> list[dict[str, Any]]:
        """Every record, in the order of their first writes."""
        return [record.shown() for record in self._records.values()]

    def clear(self) -> None:
        """Forgets all, in the file too."""
        self._records.clear()
        if self._file:
            self._file.truncate(0)
            self._file.seek(0)

    def close(self) -> None:
        """Closes the file."""
        if self._file:
            self._file.close()

    def _put(self, kind: str, record_key: str, fields: Fields, at: str, *, visible_at: float) -> tuple[Record, int]:
        record = self._records.setdefault((kind, record_key), Record(kind, record_key))
        status = 200 if record.writes else 201
        record.writes.append(Write(at, fields, status, visible_at))
        return record, status


def _opened(path: Path) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b")


def _whole_lines(file: BinaryIO) -> Iterator[dict[str, Any]]:
    """The lines that were written whole; a torn one at the end was never answered, and is cut off."""
    content = file.read()
    end = content.rfind(b"\n") + 1
    file.truncate(end)
    file.seek(end)
    for line in content[:end].splitlines():
        yield orjson.loads(line)
