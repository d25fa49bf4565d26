"""The real thing: `revenueflow` as a process, in a folder of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.support.processes import until
from tests.support.servers import server_home
from tests.support.sql import Looker

SHORT = {
    "REVENUEFLOW_LEASE_SECONDS": "3", "REVENUEFLOW_HEARTBEAT_SECONDS": "1", "REVENUEFLOW_RING_AGAIN_SECONDS": "1",
    "REVENUEFLOW_SETTLE_SECONDS": "1", "CRM_TIMEOUT_SECONDS": "2",
}  # fmt: skip
GIVEN = ("DATABASE_URL", "MIGRATION_DATABASE_URL", "SEALER_DATABASE_URL", "REDIS_URL")


class Up:
    """A running `revenueflow up`; `told` is what its ports file says now."""

    def __init__(self, process: subprocess.Popen[bytes], folder: Path) -> None:
        self.process = process
        self.folder = folder

    @cached_property
    def looker(self) -> Looker:
        """Asks the database as the application's role."""
        return Looker(self.told["database_url"])

    @property
    def told(self) -> dict[str, Any]:
        """Every URL, key, secret and process id."""
        read: dict[str, Any] = orjson.loads((self.folder / "ports.json").read_bytes())
        return read

    def is_ready(self) -> bool:
        """True once everything answers. Fails the test if the process has ended."""
        assert self.process.poll() is None, (self.folder / "err.log").read_text()[-2000:]
        return (self.folder / "ports.json").exists()


@contextmanager
def revenueflow(folder: Path, *arguments: str, **env: str) -> Iterator[subprocess.Popen[bytes]]:
    """`python -m revenueflow …`, ended at the end."""
    given = {name: value for name, value in os.environ.items() if name not in GIVEN} | SHORT | env
    with (folder / "out.log").open("wb") as out, (folder / "err.log").open("wb") as err:
        command = [sys.executable, "-m", "revenueflow", *arguments]
        process = subprocess.Popen(command, stdout=out, stderr=err, env=given, cwd=folder)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        try:
            process.wait(40)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


@pytest.fixture(scope="module")
def up() -> Iterator[Up]:
    """`revenueflow up`, with short leases."""
    with server_home() as folder:
        arguments = ("--port", "0", "--data-dir", str(folder / "data"), "--ports-file", str(folder / "ports.json"))
        with revenueflow(folder, "up", *arguments) as process:
            one = Up(process, folder)
            until(one.is_ready, seconds=60)
            yield one
            one.looker.close()
