"""The generator as the process that measures sees it."""

from __future__ import annotations

import subprocess
import sys
from types import TracebackType
from typing import BinaryIO, Self, cast

from revenueflow.bench.generator import NOT_REACHED, READY
from revenueflow.bench.load import Load
from revenueflow.bench.plan import Plan
from revenueflow.errors import RevenueFlowError, Unavailable


class GeneratorFailed(RevenueFlowError):
    """The generator's process has ended without a result."""

    code = "generator_failed"
    title = "Load generator failed"


class Generator:
    """A generator in a process of its own, so that what it costs is not taken from, or added to, what is measured."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "revenueflow.bench.generator"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        process = self._running()
        if process.poll() is None and error is not None:
            process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe:
                pipe.close()

    def warm_up(self) -> None:
        """Returns when everything is ready. Raises Unavailable if the target does not answer."""
        self._say(self._plan.model_dump_json().encode())
        if self._out().readline() != READY:
            raise self._failed()

    def run(self) -> Load:
        """Sends everything; returns when all is answered, or the plan's limit is over."""
        self._say(b"go")
        try:
            return Load.read(self._out())
        except ValueError:
            raise self._failed() from None

    def _say(self, line: bytes) -> None:
        pipe = cast("BinaryIO", self._running().stdin)
        try:
            pipe.write(line + b"\n")
            pipe.flush()
        except BrokenPipeError:
            raise self._failed() from None

    def _out(self) -> BinaryIO:
        return cast("BinaryIO", self._running().stdout)

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise RuntimeError("the generator is a context manager")
        return self._process

    def _failed(self) -> RevenueFlowError:
        status = self._running().wait()
        if status == NOT_REACHED:
            return Unavailable("the load generator could not reach its target")
        return GeneratorFailed(f"the load generator has ended with status {status}")
