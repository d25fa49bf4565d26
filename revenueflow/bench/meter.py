"""What processes use while something is measured: processor time, and memory at its peak."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self

try:
    import psutil
except ImportError:  # comes with the extra `embedded`
    psutil = None

from revenueflow.bench.load import Load

LOOK_SECONDS = 0.25
GENERATOR = "generator"


class Meter:
    """Measures processes by name while its block runs. Without psutil it knows of none."""

    def __init__(self, pids: Mapping[str, Sequence[int]]) -> None:
        self._pids = pids if psutil else {}
        self._before: dict[str, float] = {}
        self._peaks = dict.fromkeys(self._pids, 0)
        self._ended = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="meter", daemon=True)
        self.cpu: dict[str, float] = {}

    def __enter__(self) -> Self:
        self._before = self._cpu()
        self._watcher.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        after = self._cpu()
        self._ended.set()
        self._watcher.join()
        self.cpu = {name: max(0.0, used - self._before[name]) for name, used in after.items() if name in self._before}

    def figures(self, leads: int, load: Load) -> dict[str, Any]:
        """Processor seconds for 1,000 leads and peak memory in MiB, by process and in all; a dead one is left out."""
        cpu = self.cpu | {GENERATOR: load.cpu}
        share = {name: round(used * 1000 / leads, 4) for name, used in cpu.items()} if leads else {}
        ours = round(sum(used for name, used in share.items() if name != GENERATOR), 4) if share else None
        peaks = {name: peak for name, peak in self._peaks.items() if peak} | {GENERATOR: load.memory}
        return {
            "cpu_per_1000": share,
            "cpu_per_1000_system": ours if self.cpu else None,
            "peak_memory_mib": {name: round(peak / 2**20, 1) for name, peak in peaks.items()},
        }

    def _cpu(self) -> dict[str, float]:
        used = {name: [_cpu(pid) for pid in pids] for name, pids in self._pids.items()}
        return {name: sum(each) for name, each in used.items() if each and all(one >= 0 for one in each)}

    def _watch(self) -> None:
        while not self._ended.wait(LOOK_SECONDS):
            for name, pids in self._pids.items():
                self._peaks[name] = max(self._peaks[name], sum(map(_memory, pids)))


def _cpu(pid: int) -> float:
    """Seconds of a process and of all its children, those that have ended too; -1 if it is gone."""
    try:
        process = psutil.Process(pid)
        return sum(sum(one.cpu_times()[:4]) for one in (process, *process.children(recursive=True)))
    except psutil.NoSuchProcess:
        return -1.0


def _memory(pid: int) -> int:
    """Bytes that a process has resident. Of a server of many processes, what they share counts once."""
    try:
        process = psutil.Process(pid)
        children = process.children(recursive=True)
        return sum(_share(one) for one in (process, *children)) if children else int(process.memory_info().rss)
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return 0


def _share(process: Any) -> int:
    memory = process.memory_full_info()
    return int(getattr(memory, "pss", memory.rss))
