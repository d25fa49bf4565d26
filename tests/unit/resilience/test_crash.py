"""Crash points: each name is a place in the program, and a place kills only when it is asked to."""

from __future__ import annotations

import ast
import multiprocessing
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

import revenueflow
from revenueflow.errors import ConfigurationError
from revenueflow.resilience.crash import POINTS, arm, crash_point
from tests.support.cli import run

NAME, OTHER = "claim.before_commit", "claim.after_commit"
PROGRAM = Path(revenueflow.__file__).parent


def passed(setting: str | None, times: int) -> int | None:
    """The exit code of a process that obeys `setting` and passes NAME so often, and OTHER between."""
    process = multiprocessing.get_context("fork").Process(target=_pass, args=(setting, times))
    process.start()
    process.join(30)
    return process.exitcode


def _pass(setting: str | None, times: int) -> None:
    arm(setting)
    for _ in range(times):
        crash_point(NAME)
        crash_point(OTHER)
    os._exit(7)


@pytest.mark.parametrize(
    ("setting", "times", "code"),
    [
        (NAME, 1, -signal.SIGKILL),
        (f"{NAME}:1", 1, -signal.SIGKILL),
        (f"{NAME}:", 1, -signal.SIGKILL),
        (f"{NAME}:3", 3, -signal.SIGKILL),
        (f"{NAME}:3", 2, 7),
        (f"{OTHER}:2", 2, -signal.SIGKILL),
        (f"{OTHER}:2", 1, 7),
        ("relay.after_ring", 5, 7),
        ("", 5, 7),
        (None, 5, 7),
    ],
)
def test_the_place_that_is_armed_kills_at_its_nth_passing_and_nothing_else_does(
    setting: str | None, times: int, code: int
) -> None:
    assert passed(setting, times) == code


def test_arming_again_begins_to_count_again() -> None:
    def twice() -> None:
        arm(f"{NAME}:2")
        crash_point(NAME)
        arm(f"{NAME}:2")
        crash_point(NAME)
        arm(None)
        crash_point(NAME)
        os._exit(7)

    process = multiprocessing.get_context("fork").Process(target=twice)
    process.start()
    process.join(30)
    assert process.exitcode == 7


@pytest.mark.parametrize(
    "setting",
    ["nowhere", "claim", f"{NAME}:0", f"{NAME}:-1", f"{NAME}:two", f"{NAME}:1:2", f" {NAME}", f"{NAME}:1.5"],
)
def test_what_is_no_place_is_refused_without_being_repeated(setting: str) -> None:
    with pytest.raises(ConfigurationError, match="REVENUEFLOW_CRASH_AT") as caught:
        arm(setting)
    assert setting not in str(caught.value)


def calls() -> Iterator[tuple[str, ast.expr]]:
    """File and argument of every `crash_point(…)` in the program, however it was imported."""
    for path in sorted(PROGRAM.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and _called(node.func) == "crash_point":
                yield path.relative_to(PROGRAM).as_posix(), node.args[0]


def _called(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def test_the_names_are_those_of_the_places() -> None:
    found = {argument.value: file for file, argument in calls() if isinstance(argument, ast.Constant)}
    assert [file for file, argument in calls() if not isinstance(argument, ast.Constant)] == []
    assert set(found) - set(POINTS) == set(), "a place without a name in POINTS"
    assert set(POINTS) - set(found) == set(), "a name without a place"


def test_doctor_lists_them_without_any_setting(tmp_path: Path) -> None:
    ran = run(tmp_path, "doctor", "--crash-points", "--json")
    assert ran.code == 0, ran.err
    assert {line["name"]: line["meaning"] for line in ran.lines} == POINTS
    table = run(tmp_path, "doctor", "--crash-points").out
    assert all(name in table for name in POINTS)
