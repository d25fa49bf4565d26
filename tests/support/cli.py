"""`revenueflow` as people run it: a process of its own, with nothing in its environment but what a test gives.

Each is forked from one server that has the program imported, so that a command takes milliseconds and not a second.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import orjson

from revenueflow import cli

KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR")
SECONDS = 60.0

_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(
    [*(f"revenueflow.cli.{one.name}" for one in iter_modules(cli.__path__)), "revenueflow.db.migrate"]
)


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command came to."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[Any]:
        """Standard output as JSON Lines."""
        return [orjson.loads(line) for line in self.out.splitlines()]


def run(folder: Path, *arguments: str, **environment: str) -> Ran:
    """Runs a command in `folder` to its end."""
    env = {name: os.environ[name] for name in KEPT if name in os.environ} | {"USER": "tester"} | environment
    with tempfile.TemporaryDirectory() as place:
        out, err = Path(place, "out"), Path(place, "err")
        process = _forks.Process(target=_command, args=(str(folder), arguments, env, str(out), str(err)))
        process.start()
        process.join(SECONDS)
        if process.exitcode is None:
            process.kill()
            raise TimeoutError(f"revenueflow {' '.join(arguments)} is still running after {SECONDS} s")
        return Ran(process.exitcode, out.read_text(), err.read_text())


def _command(folder: str, arguments: tuple[str, ...], environment: dict[str, str], out: str, err: str) -> None:
    for descriptor, path in ((1, out), (2, err)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), descriptor)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv = ["revenueflow", *arguments]
    from revenueflow.cli.main import main  # imported by the server before this process was forked

    main()
