"""`revenueflow` as people run it: a process of its own, with nothing in its environment but what a test gives."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from tests.support import forks

KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR")
SECONDS = 60.0


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
        process = forks.revenueflow(*arguments, env=env, out=out, err=err, cwd=folder)
        try:
            code = process.wait(SECONDS)
        except TimeoutError:
            process.stop(grace=0)
            raise
        return Ran(code, out.read_text(), err.read_text())
