"""The full matrix of faults with many seeds: `make faults ARGS="--seeds 20"`.

Every crash point runs with each seed, every other fault with a quarter of them. Several lanes, each with a system of
its own, share the work. The report goes to standard output as Markdown, and with all runs to a JSON file. The exit
status is 1 if anything was lost, doubled, left unknown, or could not be run.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from revenueflow.devserver.errors import DevServerError
from tests.faults import disks, network, oracle, rows
from tests.faults.system import System, running

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs" / "reliability.md"
BEGIN, END = "<!-- faults:begin -->", "<!-- faults:end -->"
FAULTS = {**rows.FAULTS, **network.FAULTS, **(disks.FAULTS if disks.possible() else {})}


@dataclass(frozen=True, slots=True)
class Task:
    """One run to be made."""

    name: str
    seed: int

    def __call__(self, system: System) -> rows.Run:
        """Makes it."""
        fault = FAULTS.get(self.name)
        return fault(system, self.seed) if fault else rows.crash(system, self.name, self.seed)


def tasks(first: int, seeds: int, only: str) -> list[Task]:
    """All runs: every crash point with each seed, every other fault with a quarter of them."""
    few = first + max(1, (seeds - first + 1) // 4)
    made = [
        Task(name, seed)
        for seed in range(first, seeds + 1)
        for name in (*rows.CRASHES, *(FAULTS if seed < few else ()))
    ]
    return [task for task in made if only in task.name]


def main() -> int:
    """Runs the lanes, or one of them."""
    args = _arguments()
    if args.lane is not None:
        end = time.monotonic() + args.minutes * 60
        return _lane(tasks(args.first, args.seeds, args.only)[args.lane :: args.lanes], args.out, end)
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        results = [Path(folder, f"{lane}.jsonl") for lane in range(args.lanes)]
        lanes = [_start(args, lane, result) for lane, result in enumerate(results)]
        for lane in lanes:
            lane.wait()
        made = [
            orjson.loads(line) for result in results if result.exists() for line in result.read_bytes().splitlines()
        ]
    report = _report(made, args, time.monotonic() - begun)
    if args.json:
        args.json.write_bytes(orjson.dumps({"runs": made}, option=orjson.OPT_INDENT_2))
    if args.docs:
        _put_between_marks(DOCS, report)
    print(report)
    return 0 if made and all(_is_good(one) for one in made) else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=3, help="seeds for each crash point")
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--lanes", type=int, default=os.cpu_count() or 2, help="systems at the same time")
    parser.add_argument("--minutes", type=float, default=600, help="begin no run after this time")
    parser.add_argument("--only", default="", help="only runs whose name holds this")
    parser.add_argument("--json", type=Path, help="write every run here")
    parser.add_argument("--docs", action="store_true", help="put the report into docs/reliability.md")
    parser.add_argument("--lane", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def _start(args: argparse.Namespace, lane: int, out: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.faults.campaign", "--seeds", str(args.seeds), "--lanes", str(args.lanes)]
    command += [
        "--first",
        str(args.first),
        "--minutes",
        str(args.minutes),
        "--only",
        args.only,
        "--lane",
        str(lane),
        "--out",
        str(out),
    ]
    return subprocess.Popen(command, cwd=ROOT)


def _lane(mine: Sequence[Task], out: Path, end: float) -> int:
    """Runs its share; a system that a run has left in a bad state is replaced."""
    left = list(mine)
    with out.open("ab") as file:
        while left and time.monotonic() < end:
            with running() as system:
                left = _on_one_system(system, left, file, end)
                for place in oracle.leaks(system):
                    _write(file, {"failed": f"the canary was found in: {place}"})
                if not oracle.audit_is_intact(system):
                    _write(file, {"failed": "an audit event does not fit its leaf hash"})
    return 0


def _on_one_system(system: System, left: list[Task], file: Any, end: float) -> list[Task]:
    for place, task in enumerate(left):
        if time.monotonic() > end:
            return []
        try:
            told: dict[str, Any] = asdict(task(system))
        except (AssertionError, TimeoutError, OSError, KeyError, DevServerError) as error:
            _write(file, {"failed": f"{task.name}, seed {task.seed}: {type(error).__name__}: {error}"[:500]})
            return left[place + 1 :]
        _write(file, told)
        if not _is_good(told):
            return left[place + 1 :]
    return []


def _write(file: Any, told: dict[str, Any]) -> None:
    file.write(orjson.dumps(told) + b"\n")
    file.flush()
    state = told.get("failed") or f"{told['fault']}, seed {told['seed']}: {'ok' if _is_good(told) else told}"
    print(f"{datetime.now(UTC):%H:%M:%S} {state}", file=sys.stderr, flush=True)


def _is_good(told: dict[str, Any]) -> bool:
    return "row" in told and told["leads"] > 0 and told["lost"] == told["doubled"] == told["unknown"] == 0


def _report(made: Sequence[dict[str, Any]], args: argparse.Namespace, seconds: float) -> str:
    runs = [one for one in made if "row" in one]
    groups: dict[tuple[int, str], list[dict[str, Any]]] = {}
    for one in runs:
        groups.setdefault((int(one["row"]), one["fault"]), []).append(one)
    head = (
        f"{datetime.now(UTC):%Y-%m-%d}, commit {_commit()}, "
        f'`make faults ARGS="--seeds {args.seeds} --lanes {args.lanes}"`, {seconds / 60:.0f} min: '
        f"{len(runs)} runs, {_sum(runs, 'leads')} leads acknowledged, {_sum(runs, 'lost')} lost, "
        f"{_sum(runs, 'doubled')} doubled, {_sum(runs, 'unknown')} left unknown."
    )
    lines = [
        head,
        "",
        "| row | fault | runs | leads | lost | doubled | unknown left | recovery median | max | ACK p99 (worst run) |",
        "|---|---|---|---|---|---|---|---|---|---|",
        *(_line(row, fault, group) for (row, fault), group in sorted(groups.items())),
    ]
    notes = [f"- could not be run: {one['failed']}" for one in made if "failed" in one]
    if not disks.possible():
        notes.append("- not tried: row 4, full disks; that takes root on Linux.")
    return "\n".join([*lines, *([""] if notes else []), *notes])


def _put_between_marks(page: Path, report: str) -> None:
    before, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    page.write_text(f"{before}{BEGIN}\n{report}\n{END}{after}", encoding="utf-8")


def _commit() -> str:
    command = ["git", "rev-parse", "--short", "HEAD"]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False).stdout.strip() or "unknown"


def _line(row: int, fault: str, group: Sequence[dict[str, Any]]) -> str:
    recovery = [one["recovery"] for one in group]
    cells = (
        row, fault, len(group), _sum(group, "leads"), _sum(group, "lost"), _sum(group, "doubled"),
        _sum(group, "unknown"), f"{statistics.median(recovery):.1f} s", f"{max(recovery):.1f} s",
        f"{max(one['ack_p99'] for one in group) * 1000:.0f} ms",
    )  # fmt: skip
    return f"| {' | '.join(map(str, cells))} |"


def _sum(runs: Iterable[dict[str, Any]], name: str) -> int:
    return sum(one[name] for one in runs)


if __name__ == "__main__":
    sys.exit(main())
