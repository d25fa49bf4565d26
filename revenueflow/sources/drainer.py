"""The drainer: brings what waits in the spool into Postgres, the segments of dead processes too.

Inserting is idempotent, so a segment may be drained twice; it is deleted after the commit only.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import IO, Any

from revenueflow.db.deliveries import NewDelivery
from revenueflow.errors import Unavailable
from revenueflow.resilience.crash import crash_point
from revenueflow.sources import segment
from revenueflow.sources.segment import Damage
from revenueflow.sources.spool import BAD, Spool, finished_and_open, sync_directory
from revenueflow.telemetry import logs, metrics

CHUNK = 500
PAUSE = 0.5

log = logs.get("drainer")
Store = Callable[[Sequence[NewDelivery]], Awaitable[Sequence[Any]]]
"""Stores rows; answers with what became of each, an exception for one that could not be stored."""


class Drainer:
    """Drains the directory of `spool`. `pause` is in seconds."""

    def __init__(self, spool: Spool, store: Store, *, pause: float = PAUSE) -> None:
        self._spool = spool
        self._store = store
        self._pause = pause
        self._waiting = False

    async def run(self) -> None:
        """Drains again and again until cancelled; Postgres being away only delays it."""
        while True:
            self._spool.rotate()
            try:
                await self.drain()
                self._waiting = False
            except Unavailable as error:
                if not self._waiting:
                    log.warning("drain_waits", detail=error.detail)
                self._waiting = True
            self._tell()
            await asyncio.sleep(self._pause)

    async def drain(self) -> int:
        """One pass over all segments that nobody writes to, oldest first; returns how many records were stored.

        Raises Unavailable if Postgres does not answer: the segment stays.
        """
        stored = 0
        for path, _, _ in finished_and_open(self._spool.directory):
            with _locked(path) as file:
                if file:
                    stored += await self._drain_segment(path, file)
        return stored

    async def _drain_segment(self, path: Path, file: IO[bytes]) -> int:
        damage, stored, refused = Damage(), 0, []
        rows = segment.read(file, damage)
        while chunk := list(islice(rows, CHUNK)):
            crash_point("drain.before_commit")
            answers = await self._store(chunk)
            crash_point("drain.after_commit")
            if any(isinstance(answer, Unavailable) for answer in answers):
                raise Unavailable("Postgres could not take all of a segment", retry_after=1)
            refused += [row for row, answer in zip(chunk, answers, strict=True) if isinstance(answer, Exception)]
            stored += len(chunk)
        self._settle(path, refused, damaged=damage.found)
        if stored:
            log.info("drained", records=stored, refused=len(refused), damaged=damage.found)
        return stored - len(refused)

    def _settle(self, path: Path, refused: Sequence[NewDelivery], *, damaged: bool) -> None:
        """Deletes a segment that is stored; what could not be read or stored is set aside for a person."""
        directory = self._spool.directory
        if damaged:
            log.error("segment_damaged", segment=path.name)
            path.rename(path.with_suffix(BAD))
        else:
            if refused:
                log.error("records_refused", records=len(refused), segment=path.name)
                _set_aside(path.with_suffix(BAD), refused)
            path.unlink()
        crash_point("drain.after_delete")
        sync_directory(directory)

    def _tell(self) -> None:
        self._spool.measure()
        state = self._spool.state()
        metrics.spool_bytes.set(state.bytes)
        metrics.spool_oldest.set(state.oldest_seconds)
        metrics.spool_bad.set(state.bad)


def _set_aside(path: Path, rows: Sequence[NewDelivery]) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(segment.HEADER + b"".join(map(segment.pack, rows)))
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def _locked(path: Path) -> Iterator[IO[bytes] | None]:
    """The segment, if nobody writes to it or drains it; None otherwise."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        yield None
        return
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
            return
        yield file if path.exists() else None
