"""Meters on real processes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

from revenueflow.bench.load import Load
from revenueflow.bench.meter import Meter

BURN = "import time\nend = time.process_time() + {}\nwhile time.process_time() < end: pass\n"
WAIT = "print(1, flush=True)\nimport sys\nsys.stdin.read()\n"
IN_A_CHILD = "import subprocess, sys\nsubprocess.run([sys.executable, '-c', {!r}])\n"


@contextmanager
def python(code: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process that has begun when the block begins, does `code` when told to, and waits."""
    whole = f"{WAIT.replace('sys.stdin.read()', 'sys.stdin.readline()')}{code}{WAIT}"
    with subprocess.Popen([sys.executable, "-c", whole], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        process.stdout.readline()
        yield process
        process.kill()


def run(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin
    assert process.stdout
    process.stdin.write(b"\n")
    process.stdin.flush()
    process.stdout.readline()


def test_a_process_is_charged_for_what_it_does_while_it_is_measured() -> None:
    with python(BURN.format(0.3)) as busy, python("") as idle:
        with Meter({"busy": [busy.pid], "idle": [idle.pid], "both": [busy.pid, idle.pid]}) as meter:
            run(busy)
        assert 0.29 <= meter.cpu["busy"] < 3
        assert meter.cpu["idle"] < 0.1
        assert meter.cpu["both"] >= meter.cpu["busy"]


def test_children_count_those_that_have_ended_too() -> None:
    with python(IN_A_CHILD.format(BURN.format(0.3))) as parent:
        with Meter({"server": [parent.pid]}) as meter:
            run(parent)
        assert meter.cpu["server"] >= 0.29


def test_memory_is_the_peak() -> None:
    with python("x = bytearray(80 * 2**20)\nimport time\ntime.sleep(1)\ndel x\n") as process:
        with Meter({"one": [process.pid]}) as meter:
            run(process)
        assert psutil.Process(process.pid).memory_info().rss < 80 * 2**20
        assert meter.figures(1, Load())["peak_memory_mib"]["one"] > 80


def test_figures_are_for_a_thousand_leads_and_leave_out_what_has_died() -> None:
    with python(BURN.format(0.2)) as process, python("") as dying:
        with Meter({"one": [process.pid], "gone": [dying.pid]}) as meter:
            run(process)
            dying.kill()
            dying.wait()
        figures = meter.figures(100, Load(cpu=0.05))
    assert figures["cpu_per_1000"]["generator"] == 0.5
    assert figures["cpu_per_1000"].keys() == {"one", "generator"}
    assert figures["cpu_per_1000_system"] == figures["cpu_per_1000"]["one"] >= 1.9


def test_without_leads_nothing_is_said_for_a_thousand() -> None:
    with Meter({}) as meter:
        pass
    assert meter.figures(0, Load())["cpu_per_1000"] == {}
