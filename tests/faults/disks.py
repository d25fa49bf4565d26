"""Row 4: disks that are full. `python -m tests.faults.disks NAME SEED` runs one and prints what was measured as JSON.

Each run has a system of its own with one small disk, a tmpfs that only its processes see: they live in a mount
namespace of their own, made by `unshare`. That takes root on Linux.
"""

from __future__ import annotations

import argparse
import functools
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import orjson

from tests.faults import oracle
from tests.faults.rows import Run, _judged
from tests.faults.system import TIMES, System
from tests.faults.traffic import sending
from tests.support.processes import until
from tests.support.servers import server_home

ROOT = Path(__file__).parents[2]
NAMESPACE = ("unshare", "--mount", "--propagation", "private")
CLUSTER_DISK, SPOOL_DISK = "400m", "256k"
SECONDS = 3.0
"""How long a fault lasts; nothing is waited for."""


def postgres_disk(seed: int) -> Run:
    """Postgres can neither extend a table nor write its log: webhooks go to the spool until there is room again."""
    with _system("postgres", CLUSTER_DISK) as (system, disk):
        with sending(system, f"pg-full.{seed}", count=400, seed=seed, at_once=6, pause=0.05) as sent:
            until(lambda: len(sent.acks) > 20)
            with _filled(disk):
                time.sleep(SECONDS)
                until(lambda: "spooled" in {ack.status for ack in sent.acks})
            since, count = time.monotonic(), len(sent.acks)
            until(lambda: len(sent.acks) > count + 20)
        return _judged("4", "Postgres's disk is full", seed, system, sent, since)


def spool_disk(seed: int) -> Run:
    """Postgres is away and the spool's disk is full: 503, and no 2xx for what is not on disk."""
    with _system("spool", SPOOL_DISK) as (system, disk):
        with sending(system, f"spool-full.{seed}", seed=seed, at_once=16) as sent:
            with system.holding("postgres"):
                until(lambda: sent.refused > 30, seconds=30)
                assert "spooled" in {ack.status for ack in sent.acks}
                assert shutil.disk_usage(disk).free < 2**14
            since = time.monotonic()
        return _judged("4", "Postgres is away and the spool's disk is full", seed, system, sent, since)


RUNS: dict[str, Callable[[int], Run]] = {one.__name__: one for one in (postgres_disk, spool_disk)}


@contextmanager
def _system(folder: str, size: str) -> Iterator[tuple[System, Path]]:
    """A system whose folder of this name is on a small disk; it must hold what every system must."""
    with server_home() as home:
        disk = home / "data" / folder
        disk.mkdir(parents=True)
        disk.parent.chmod(0o711)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=711", "tmpfs", disk], check=True)
        system = System(home, times=TIMES)
        try:
            system.begin()
            yield system, disk
            assert oracle.leaks(system) == []
            assert oracle.audit_is_intact(system)
        finally:
            system.end()
            subprocess.run(["umount", "--lazy", disk], check=True)


@contextmanager
def _filled(disk: Path) -> Iterator[None]:
    """Not a byte is left on the disk while the block runs."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (2**20, 2**12, 1):
            try:
                while file.write(bytes(size)) == size:
                    pass
            except OSError:
                continue
    try:
        yield
    finally:
        filler.unlink()


@functools.cache
def possible() -> bool:
    """Whether this process may make such a namespace."""
    try:
        mounting = [*NAMESPACE, "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
        return subprocess.run(mounting, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def _apart(name: str) -> Callable[[System, int], Run]:
    """The run in a namespace of its own, in the form of the other faults."""

    def run(_: System, seed: int) -> Run:
        command = [*NAMESPACE, sys.executable, "-m", "tests.faults.disks", name, str(seed)]
        try:
            done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, timeout=300, check=False)
        except subprocess.TimeoutExpired:
            raise TimeoutError("it did not end within 300 s") from None
        assert done.returncode == 0, f"it ended with status {done.returncode}"
        return Run(**orjson.loads(done.stdout))

    return run


FAULTS = {f"full_{name}": _apart(name) for name in RUNS}


def main() -> None:
    """One run, in the namespace that we are in already."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("name", choices=sorted(RUNS))
    parser.add_argument("seed", type=int)
    args = parser.parse_args()
    sys.stdout.buffer.write(orjson.dumps(asdict(RUNS[args.name](args.seed))))


if __name__ == "__main__":
    main()
