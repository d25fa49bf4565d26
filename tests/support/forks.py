"""Processes that are forked from one that has the program loaded: a start takes milliseconds and not two seconds.

A test process has one such server, whoever asks first: all that is loaded in it stands in `preload`.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

PR_SET_PDEATHSIG = 1

_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(["tests.support.preload"])


class Forked:
    """`main(*arguments)` as a process of its own; looks like a `Child`.

    It has the environment `env` and nothing else, works in `cwd`, and appends what it prints to `out` and `err`.
    """

    def __init__(
        self,
        main: Callable[..., object],
        *arguments: Any,
        env: Mapping[str, str],
        out: Path,
        err: Path | None = None,
        cwd: Path | None = None,
    ) -> None:
        how = (dict(env), str(out), str(err or out), str(cwd or Path.cwd()))
        self._process = _forks.Process(target=_run, args=(how, main, arguments), daemon=True)
        self._process.start()

    @property
    def pid(self) -> int:
        """The process id."""
        assert self._process.pid is not None
        return self._process.pid

    def poll(self) -> int | None:
        """The exit status; None while it runs."""
        return self._process.exitcode

    def wait(self, timeout: float) -> int:
        """The exit status at its end. Raises TimeoutError after `timeout` seconds."""
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise TimeoutError(f"process {self.pid} still runs after {timeout} s")
        return self._process.exitcode

    def stop(self, *, grace: float = 10.0) -> None:
        """SIGTERM, and SIGKILL after `grace` seconds."""
        self._process.terminate()
        self._process.join(grace)
        if self._process.exitcode is None:
            self._process.kill()
            self._process.join(10)


def revenueflow(*arguments: str, env: Mapping[str, str], out: Path, **more: Path | None) -> Forked:
    """`revenueflow …`."""
    return Forked(_command, arguments, env=env, out=out, **more)


def pipe() -> Any:
    """Two ends to talk between processes, one of them for a Forked's arguments."""
    return _forks.Pipe()


def _run(how: tuple[dict[str, str], str, str, str], main: Callable[..., object], arguments: tuple[Any, ...]) -> None:
    env, out, err, cwd = how
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    for number, path in ((1, out), (2, err)):
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.environ.clear()
    os.environ.update(env)
    os.chdir(cwd)
    main(*arguments)


def _command(arguments: tuple[str, ...]) -> None:
    sys.argv = ["revenueflow", *arguments]
    from revenueflow.cli.main import main  # loaded by the server before this process was forked

    main()
