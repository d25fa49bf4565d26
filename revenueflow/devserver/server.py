"""What the embedded servers have in common: one lock, one child, a port, readiness by asking."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import time
from abc import ABC, abstractmethod
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from revenueflow.devserver.children import Child, Identity, spawn
from revenueflow.devserver.errors import AlreadyRunning, DevServerError, PortInUse, StartFailed
from revenueflow.devserver.locks import DirectoryLock
from revenueflow.devserver.places import make_folder

HOST = "127.0.0.1"
READY_SECONDS = 60.0
"""Includes the recovery of a large cluster that was killed."""

_PORT_TRIES = 5
_POLL_SECONDS = 0.01
_LOG_LIMIT = 16 * 2**20
_INHERITED = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TMPDIR")
"""No more of our environment: it holds API keys, and variables such as PGPORT that a server would obey."""


class EmbeddedServer(ABC):
    """A server on loopback TCP, kept in `data_dir/<name>/`; a context manager, or `start()` and `stop()`.

    `port=0` takes a free one at every start. `durable=False` gives up safety against a crash of the machine
    for speed: for tests only. What was written before is there again after the next start on the same
    `data_dir`.
    """

    name: ClassVar[str]
    stop_signals: ClassVar[tuple[signal.Signals, ...]]

    def __init__(self, data_dir: Path, *, port: int = 0, durable: bool = True) -> None:
        self.data_dir = data_dir.absolute()
        self.home = self.data_dir / self.name
        self.log_path = self.home / "server.log"
        self.durable = durable
        self._wanted_port = port
        self._port = 0
        self._child: Child | None = None
        self._lock: DirectoryLock | None = None

    @property
    def pid(self) -> int:
        """The pid of the server's main process."""
        return self._running().pid

    @property
    def port(self) -> int:
        """The TCP port on 127.0.0.1."""
        self._running()
        return self._port

    def poll(self) -> int | None:
        """None while the server runs, else its exit status."""
        return self._running().poll()

    def start(self) -> Self:
        """Start and wait until it answers.

        Raises AlreadyRunning, BinaryNotFound, DataDirUnusable, PortInUse or StartFailed; nothing is left
        running then.
        """
        if self._child is not None:
            raise AlreadyRunning(f"This {self.name} server is started already.")
        with ExitStack() as undo:
            lock = self._take_lock()
            undo.callback(lock.release)
            undo.callback(setattr, self, "_lock", None)
            self._lock = lock
            self._prepare()
            self._child = self._launch()
            undo.pop_all()
        return self

    def stop(self) -> None:
        """Stop gently, then by force. Does nothing when it is not running."""
        child, self._child = self._child, None
        if child is not None:
            child.stop(*self.stop_signals)
        lock, self._lock = self._lock, None
        if lock is not None:
            lock.release()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @abstractmethod
    def _prepare(self) -> None:
        """Make the data if there is none, and heal what an earlier end left behind. The lock is held."""

    @abstractmethod
    def _command(self, port: int) -> list[str | Path]:
        """The program and its arguments."""

    @abstractmethod
    def _answers(self, port: int) -> bool:
        """Connect and ask. False: not yet. Raises StartFailed when waiting is of no use."""

    def _identity(self) -> Identity | None:
        """The user to run as; None is ourselves."""
        return None

    def _take_lock(self) -> DirectoryLock:
        make_folder(self.home, self._identity())
        lock = DirectoryLock(self.home)
        lock.acquire()
        return lock

    def _launch(self) -> Child:
        """Try again on another free port when somebody took ours between the choice and the start."""
        self._trim_log()
        for remaining in reversed(range(1 if self._wanted_port else _PORT_TRIES)):
            self._port = self._free_or_refuse() if self._wanted_port else free_port()
            try:
                return self._launch_on(self._port)
            except PortInUse:
                if remaining == 0:
                    raise
        raise AssertionError("unreachable")

    def _free_or_refuse(self) -> int:
        """Known before the start: else we would ask, and tell our password to, whoever listens there."""
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # not stopped by closed connections
            try:
                probe.bind((HOST, self._wanted_port))
            except OSError:
                raise self._port_in_use(self._wanted_port) from None
        return self._wanted_port

    def _port_in_use(self, port: int) -> PortInUse:
        return PortInUse(f"{self.name} can't listen on {HOST}:{port}: another process does.")

    def _launch_on(self, port: int) -> Child:
        log_start = self.log_path.stat().st_size if self.log_path.exists() else 0
        child = self._spawn(self._command(port))
        with ExitStack() as undo:
            undo.callback(child.stop, *self.stop_signals)
            self._await_answer(child, port, log_start)
            undo.pop_all()
        return child

    def _spawn(self, argv: list[str | Path]) -> Child:
        return spawn(
            argv,
            log=self.log_path,
            env={**{k: os.environ[k] for k in _INHERITED if k in os.environ}, "LC_ALL": "C", "TZ": "UTC"},
            cwd=Path("/"),
            identity=self._identity(),
            death_signal=self.stop_signals[0],
            keep_fds=() if self._lock is None else (self._lock.fd,),
        )

    def _await_answer(self, child: Child, port: int, log_start: int) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while True:
            status = child.poll()
            if status is not None:
                raise self._died(status, port, log_start)
            if self._answers(port):
                return
            if time.monotonic() > deadline:
                raise StartFailed(f"{self.name} did not answer within {READY_SECONDS:.0f} s; see {self.log_path}.")
            time.sleep(_POLL_SECONDS)

    def _died(self, status: int, port: int, log_start: int) -> DevServerError:
        with self.log_path.open("rb") as log:
            log.seek(log_start)
            said = log.read().decode(errors="replace")
        if "Address already in use" in said:
            return self._port_in_use(port)
        return StartFailed(f"{self.name} ended with status {status}. The end of {self.log_path}:\n{said[-2000:]}")

    def _running(self) -> Child:
        if self._child is None:
            raise DevServerError(f"The {self.name} server is not running.")
        return self._child

    def _trim_log(self) -> None:
        if self.log_path.exists() and self.log_path.stat().st_size > _LOG_LIMIT:
            self.log_path.replace(self.log_path.with_suffix(".log.1"))


def free_port() -> int:
    """A TCP port on loopback that the system gives to nobody else for a minute: time to start the server that wants it.

    A connection to it is opened and closed, the listening side first. That leaves the port in TIME_WAIT, where the
    system neither hands it out again nor connects from it, and a server that sets SO_REUSEADDR may bind it.
    """
    with socket.create_server((HOST, 0)) as listening:
        port: int = listening.getsockname()[1]
        with socket.create_connection((HOST, port)) as client:
            accepted, _ = listening.accept()
            accepted.close()
            client.recv(1)
        return port


def write_secret(path: Path, text: str) -> None:
    """Write a file that only we can read; it appears complete or not at all. What is no file is written to as it is."""
    path = path.resolve()
    if path.exists() and not path.is_file():  # a device or a pipe: renaming a file over it would take it away
        path.write_text(text)
        return
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    fd = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(fd, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(fd)
    partial.replace(path)
