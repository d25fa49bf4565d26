"""Checkpoints outside Postgres: JSON Lines, appended and synced.

Without them nobody can tell a database that was rolled back as a whole.
"""

from __future__ import annotations

import os
from pathlib import Path

import orjson

from revenueflow.errors import Unavailable

NAME = "REVENUEFLOW_CHECKPOINT_FILE"


def append(path: Path, note: str, at: str) -> None:
    """Adds a note. Raises Unavailable if it is not on the disk afterwards."""
    line = orjson.dumps({"at": at, "note": note}, option=orjson.OPT_APPEND_NEWLINE)
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o640)
        try:
            # What a full disk left of an earlier line must not spoil this one.
            if _torn(handle):
                line = b"\n" + line
            _write(handle, line)
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        raise Unavailable(f"{NAME}: can't be written: {error.strerror}", retry_after=5) from None


def notes(path: Path) -> list[str]:
    """All notes, oldest first; a line that was cut off is left out. Raises Unavailable if the file can't be read."""
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise Unavailable(f"{NAME}: can't be read: {error.strerror}") from None
    return [note for line in lines if (note := _note(line)) is not None]


def _note(line: bytes) -> str | None:
    try:
        found = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    note = found.get("note") if isinstance(found, dict) else None
    return note if isinstance(note, str) else None


def _torn(handle: int) -> bool:
    size = os.fstat(handle).st_size
    return size > 0 and os.pread(handle, 1, size - 1) != b"\n"


def _write(handle: int, line: bytes) -> None:
    while line:
        line = line[os.write(handle, line) :]
