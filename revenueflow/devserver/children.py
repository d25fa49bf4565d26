"""Child processes that never outlive us.

A child gets its death signal when this *process* ends, however it ends (`kill -9` too): from the kernel on
Linux, from a watcher process elsewhere. It runs in a session of its own, so Ctrl-C reaches only us and we
decide the order.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Guard = Literal["kernel", "pipe"]

_LAUNCHER = Path(__file__).with_name("launcher.py")
# On Linux the death signal is sent when the *thread* that forked ends. This one thread forks every child and
# lives as long as the process; a caller's thread may end at any time.
_spawner = ThreadPoolExecutor(max_workers=1, thread_name_prefix="revenueflow-spawner")


@dataclass(frozen=True, slots=True)
class Identity:
    """The user that a child runs as."""

    uid: int
    gid: int


class Child:
    """One running child process. Made by `spawn`."""

    def __init__(self, process: subprocess.Popen[bytes], watch_pipe: int | None) -> None:
        self._process = process
        self._watch_pipe = watch_pipe

    @property
    def pid(self) -> int:
        """The pid of the program itself."""
        return self._process.pid

    def poll(self) -> int | None:
        """The exit status (negative: the signal that ended it), or None while it runs."""
        status = self._process.poll()
        if status is not None:
            self._release_watcher()
        return status

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end. Raises TimeoutError after `timeout` seconds."""
        try:
            status = self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise TimeoutError(f"process {self.pid} still runs after {timeout} s") from None
        self._release_watcher()
        return status

    def stop(self, *signals: signal.Signals, grace: float = 10.0) -> int:
        """Send each signal in turn, `grace` seconds apart, at last SIGKILL. Returns the exit status."""
        for one in signals or (signal.SIGTERM,):
            self._process.send_signal(one)  # does nothing once the process is reaped: a reused pid is safe
            try:
                return self.wait(grace)
            except TimeoutError:
                continue
        self._process.kill()
        return self.wait()

    def _release_watcher(self) -> None:
        if self._watch_pipe is None:
            return
        pipe, self._watch_pipe = self._watch_pipe, None
        try:
            os.write(pipe, b".")
        except BrokenPipeError:
            pass  # the watcher saw the end of the program itself
        finally:
            os.close(pipe)


def default_guard() -> Guard:
    """How a child learns of our death on this system."""
    return "kernel" if sys.platform == "linux" else "pipe"


def spawn(
    argv: Sequence[str | Path],
    *,
    log: Path | None = None,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    identity: Identity | None = None,
    death_signal: signal.Signals = signal.SIGTERM,
    keep_fds: Sequence[int] = (),
    guard: Guard | None = None,
) -> Child:
    """Start a program; safe from any thread.

    `argv[0]` is an absolute path. Standard output and error are appended to `log`, or are ours when it is
    None. `env` and `cwd` are inherited when None. `keep_fds` stay open in the child under the same numbers.
    As root, `identity` is the user to become.
    """
    job = _Launch([str(part) for part in argv], log, env, cwd, identity, death_signal, tuple(keep_fds))
    return _spawner.submit(job.run, guard or default_guard()).result()


@dataclass(frozen=True, slots=True)
class _Launch:
    argv: list[str]
    log: Path | None
    env: Mapping[str, str] | None
    cwd: Path | None
    identity: Identity | None
    death_signal: signal.Signals
    keep_fds: tuple[int, ...]

    def run(self, guard: Guard) -> Child:
        if guard == "kernel":
            return Child(self._start(None), None)
        reading, writing = os.pipe()
        try:
            return Child(self._start(reading), writing)
        finally:
            os.close(reading)

    def _start(self, pipe: int | None) -> subprocess.Popen[bytes]:
        output = None if self.log is None else os.open(self.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            return subprocess.Popen(
                [sys.executable, "-I", "-S", str(_LAUNCHER), self._plan(pipe)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=self.env,
                cwd=self.cwd,
                pass_fds=self.keep_fds if pipe is None else (*self.keep_fds, pipe),
                start_new_session=True,
            )
        finally:
            if output is not None:
                os.close(output)

    def _plan(self, pipe: int | None) -> str:
        return json.dumps(
            {
                "argv": self.argv,
                "parent": os.getpid(),
                "signal": int(self.death_signal),
                "uid": self.identity and self.identity.uid,
                "gid": self.identity and self.identity.gid,
                "pipe": pipe,
            }
        )
