"""One server per data directory.

Two locks. `owner` is held by the process that starts the server, and by it alone: the kernel frees it when
that process ends, however it ends. `server` is inherited by the server and its own children: it is free when
the last of them is gone. Whoever holds both may be sure that nobody writes into the directory.
"""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import ExitStack
from pathlib import Path

from revenueflow.devserver.errors import AlreadyRunning

OWNER_SECONDS = 0.5
"""A process that was just killed needs a moment to be gone."""
ORPHAN_SECONDS = 15.0
"""How long to wait for a server whose owner is dead: it has its death signal and is about to end."""


class DirectoryLock:
    """An exclusive lock on a directory, from `acquire()` to `release()`; children given `fd` share it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files = ExitStack()
        self.fd = -1

    def acquire(self) -> None:
        """Raises AlreadyRunning: at once if the owner lives, after ORPHAN_SECONDS if only its server does."""
        with ExitStack() as undo:
            undo.callback(self._files.close)
            owner = self._open("owner.lock")
            if not _lock(owner, OWNER_SECONDS):
                raise AlreadyRunning(f"{self._folder} is in use: process {_read(owner)} runs the server.")
            os.ftruncate(owner, 0)
            os.pwrite(owner, str(os.getpid()).encode(), 0)
            self.fd = self._open("server.lock")
            if not _lock(self.fd, ORPHAN_SECONDS):
                raise AlreadyRunning(f"{self._folder} is in use: a server without an owner runs there; end it.")
            undo.pop_all()

    def release(self) -> None:
        """Give up our share of the lock."""
        self._files.close()

    def _open(self, name: str) -> int:
        fd = os.open(self._folder / name, os.O_RDWR | os.O_CREAT, 0o600)
        self._files.callback(os.close, fd)
        return fd


def _lock(fd: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.01)
        else:
            return True


def _read(owner: int) -> str:
    return os.pread(owner, 32, 0).decode(errors="replace") or "?"
