"""What `import` reads and writes besides the database: the file, its progress, and the rejects."""

from __future__ import annotations

import asyncio
import os
import stat
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self, TextIO

from rich import progress as bars

from revenueflow.cli.run import err
from revenueflow.sources.csv import rejects as writing
from revenueflow.sources.csv.reader import Reader
from revenueflow.sources.csv.rejects import Reject

PIECE = 64 * 1024
LINE_EACH = 10_000
"""Rows after which progress is a new line, where it is no terminal that shows it."""


class _Closing:
    """A context that closes what it was given."""

    def __init__(self) -> None:
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()


class Feed(_Closing):
    """A file, or standard input for `-`. `total` is its size, None where that is not known; `done` is read."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        standard = str(path) == "-"
        self._file: BinaryIO = sys.stdin.buffer if standard else self._stack.enter_context(path.open("rb"))
        status = os.fstat(self._file.fileno())
        self.total = status.st_size if stat.S_ISREG(status.st_mode) else None
        self.done = 0
        self._waits = stat.S_ISFIFO(status.st_mode) or stat.S_ISSOCK(status.st_mode) or self._file.isatty()

    async def pieces(self) -> AsyncIterator[bytes]:
        """The bytes as they come. Waiting for a pipe can be cancelled."""
        pipe = await self._pipe() if self._waits else None
        while piece := (await pipe.read(PIECE) if pipe else self._file.read(PIECE)):
            self.done += len(piece)
            yield piece

    async def _pipe(self) -> asyncio.StreamReader:
        reader = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), self._file)
        return reader


class Progress(_Closing):
    """Rows so far, on standard error: a bar on a terminal, else a line for each LINE_EACH."""

    def __init__(self, feed: Feed) -> None:
        super().__init__()
        self._feed = feed
        self._next = LINE_EACH
        self._bar: bars.Progress | None = None
        if err.is_terminal:
            columns = (bars.BarColumn(), bars.TaskProgressColumn(), bars.TextColumn("{task.fields[rows]} rows"))
            self._bar = self._stack.enter_context(bars.Progress(*columns, console=err, transient=True))
            self._task = self._bar.add_task("", total=feed.total, rows=0)

    def show(self, rows: int) -> None:
        """So many rows are done."""
        if self._bar:
            self._bar.update(self._task, completed=self._feed.done, rows=rows)
        elif rows >= self._next:
            err.print(f"{rows} rows")
            self._next = (rows // LINE_EACH + 1) * LINE_EACH


class RejectsFile(_Closing):
    """Rejected rows as a CSV; readable by its owner only, because it holds what people wrote."""

    def __init__(self, path: Path, reader: Reader) -> None:
        super().__init__()
        opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        self._file: TextIO = self._stack.enter_context(os.fdopen(opened, "w", encoding="utf-8", newline=""))
        self._reader = reader
        self._begun = False

    def write(self, rejects: Sequence[Reject]) -> None:
        """Adds rows, the header before the first ones."""
        if not self._begun and self._reader.columns:
            self._file.write(writing.header(self._reader.columns.names))
            self._begun = True
        self._file.write(writing.lines(rejects, self._reader.delimiter))
