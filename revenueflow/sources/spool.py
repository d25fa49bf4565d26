"""The spool: deliveries on this process's own disk while Postgres is away, synced before anybody is told.

Each process writes segments of its own and holds a lock on the one that it writes to. A segment without a lock is
finished, or its writer is dead: either way it is for the drainer. What is in the spool has its final ids already.
"""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import uuid_utils

from revenueflow.clock import utcnow
from revenueflow.db.deliveries import NewDelivery
from revenueflow.errors import ConfigurationError, Unavailable
from revenueflow.resilience.crash import crash_point
from revenueflow.resilience.sharing import Shared
from revenueflow.sources import segment
from revenueflow.telemetry import logs

SUFFIX, BAD, UNNAMED = ".spool", ".bad", ".new"
SEGMENT_BYTES = 4 * 2**20
SEGMENT_SECONDS = 1.0
RETRY_AFTER = 5

log = logs.get("spool")
Sync = Callable[[int], None]
sync_data: Sync = getattr(os, "fdatasync", os.fsync)


@dataclass(frozen=True, slots=True)
class SpoolState:
    """What waits: bytes, age of the oldest record in seconds, segments, those set aside as damaged, and whether more
    can be taken."""

    bytes: int
    oldest_seconds: float
    segments: int
    bad: int
    healthy: bool


@dataclass(slots=True)
class _Open:
    """The segment that is written to. `size` is the offset up to which everything is synced."""

    path: Path
    descriptor: int
    opened_at: float
    size: int


class Spool:
    """The writer of one process. `limit` is the most bytes that all segments in the directory may take."""

    def __init__(
        self,
        directory: Path,
        *,
        limit: int,
        segment_bytes: int = SEGMENT_BYTES,
        segment_seconds: float = SEGMENT_SECONDS,
        sync: Sync = sync_data,
    ) -> None:
        self.directory = directory
        self._limit = limit
        self._segment_bytes = segment_bytes
        self._segment_seconds = segment_seconds
        self._sync = sync
        self._open: _Open | None = None
        self._failed = False
        self._used = 0
        self._appending: Shared[Sequence[NewDelivery], None] = Shared(self._append)
        _make(directory)
        _sweep(directory)
        self.measure()

    async def append(self, rows: Sequence[NewDelivery]) -> None:
        """Returns when the rows are on disk; all that append at the same moment share one sync.

        Raises Unavailable if there is no room or the disk refuses: then the rows will not be replayed either.
        """
        await self._appending(rows)

    def rotate(self) -> None:
        """Closes the segment that is written to, if it is old enough for the drainer."""
        if self._open and time.monotonic() - self._open.opened_at >= self._segment_seconds:
            self._close_segment()

    def state(self) -> SpoolState:
        """What waits in the directory, of all processes."""
        files = finished_and_open(self.directory)
        oldest = min((at for _, _, at in files), default=None)
        return SpoolState(
            bytes=sum(size for _, size, _ in files),
            oldest_seconds=max(0.0, time.time() - oldest) if oldest is not None else 0.0,
            segments=len(files),
            bad=len(list(self.directory.glob(f"*{BAD}"))),
            healthy=self.healthy,
        )

    @property
    def healthy(self) -> bool:
        """The last write worked, and there is room for another one."""
        return not self._failed and self._used < self._limit and os.access(self.directory, os.W_OK)

    def measure(self) -> None:
        """Counts the bytes of all segments anew, and looks whether a disk that was full has room again."""
        if self._failed and shutil.disk_usage(self.directory).free > self._segment_bytes:
            self._failed = False
        self._used = sum(size for _, size, _ in finished_and_open(self.directory))

    def close(self) -> None:
        """Leaves what is written to the drainer of whoever comes next."""
        if self._open:
            self._close_segment()

    async def _append(self, batch: Sequence[Sequence[NewDelivery]]) -> list[Exception | None]:
        now = utcnow()
        data = b"".join(segment.pack(_spooled(row, now)) for rows in batch for row in rows)
        if self._used + len(data) > self._limit:
            raise Unavailable("the spool is full", retry_after=RETRY_AFTER)
        # Shielded by being a thread: whoever waits may go away, the write is finished or taken back.
        await asyncio.to_thread(self._write, data)
        crash_point("spool.after_sync")
        return [None] * len(batch)

    def _write(self, data: bytes) -> None:
        crash_point("spool.before_write")
        try:
            one = self._segment()
            _write_all(one.descriptor, data)
            crash_point("spool.after_write")
            self._sync(one.descriptor)
        except OSError as error:
            self._take_back(error)
            raise Unavailable("the spool can't be written", retry_after=RETRY_AFTER) from error
        one.size += len(data)
        self._used += len(data)
        self._failed = False
        if one.size >= self._segment_bytes:
            self._close_segment()

    def _segment(self) -> _Open:
        if self._open is None:
            name = f"{uuid_utils.uuid7()}-{os.getpid()}"
            self._open = _create(self.directory / f"{name}{SUFFIX}")
        return self._open

    def _take_back(self, error: OSError) -> None:
        """What nobody was promised must not be replayed: cut it off, or else give the segment up as it was."""
        self._failed = True
        log.error("spool_write_failed", kind=errno.errorcode.get(error.errno or 0, "unknown"))
        one, self._open = self._open, None
        if one is None:
            return
        try:
            os.ftruncate(one.descriptor, one.size)
            self._sync(one.descriptor)
        except OSError:
            log.exception("spool_truncate_failed")
        os.close(one.descriptor)

    def _close_segment(self) -> None:
        if self._open:
            one, self._open = self._open, None
            os.close(one.descriptor)  # gives the lock up


def finished_and_open(directory: Path) -> list[tuple[Path, int, float]]:
    """Path, bytes and time of creation (from its name) of each segment, oldest first."""
    found = []
    for path in sorted(directory.glob(f"*{SUFFIX}")):
        try:
            found.append((path, path.stat().st_size, _created_at(path)))
        except OSError:  # drained meanwhile
            continue
    return found


def sync_directory(directory: Path) -> None:
    """Makes files that were created or deleted in it durable."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _created_at(path: Path) -> float:
    try:
        return uuid_utils.UUID(path.name[:36]).timestamp / 1000
    except ValueError:
        return path.stat().st_mtime


def _create(path: Path) -> _Open:
    """A locked segment. It gets its name when it is locked: no drainer sees it before. Raises OSError."""
    unnamed = path.with_suffix(UNNAMED)
    descriptor = os.open(unnamed, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _write_all(descriptor, segment.HEADER)
        unnamed.rename(path)
        sync_directory(path.parent)
    except OSError:
        unnamed.unlink(missing_ok=True)
        path.unlink(missing_ok=True)
        os.close(descriptor)
        raise
    return _Open(path, descriptor, time.monotonic(), len(segment.HEADER))


def _make(directory: Path) -> None:
    try:
        directory.mkdir(parents=True, exist_ok=True)
        if not os.access(directory, os.W_OK | os.X_OK):
            raise PermissionError
    except OSError:
        raise ConfigurationError("REVENUEFLOW_SPOOL_DIR: must be a folder that this process may write to") from None


def _sweep(directory: Path) -> None:
    """Removes what died before it was a segment: nothing in it was promised."""
    for path in directory.glob(f"*{UNNAMED}"):
        try:
            with path.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink()
        except OSError:  # somebody is making it
            continue


def _write_all(descriptor: int, data: bytes) -> None:
    left = memoryview(data)
    while left:  # a disk that is nearly full takes a part first
        left = left[os.write(descriptor, left) :]


def _spooled(row: NewDelivery, now: datetime) -> NewDelivery:
    outcome = "spooled" if row.outcome == "accepted" else row.outcome
    return row._replace(outcome=outcome, received_at=row.received_at or now)
