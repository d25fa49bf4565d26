"""The size gate: `python -m tests.gates.size`. Small parts are read; big ones are searched.

In `revenueflow/`: functions have at most 10 lines in the median, 25 at the 95th percentile and 40 at the
most; files at most 300. Besides: commits only in `db/session`, no bare `except`, and a broad one only at the
process edges, where something that is not ours may raise anything and the process must go on.
"""

from __future__ import annotations

import ast
import statistics
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2] / "revenueflow"

MEDIAN_LINES = 10
PERCENTILE_95_LINES = 25
FUNCTION_LINES = 40
FILE_LINES = 300

COMMITS = ("db/session.py",)
PROCESS_EDGES = (
    "api/problems.py",  # an unforeseen error in a request becomes a 500
    "workers/runner.py",  # an unforeseen error in a step becomes a retry
    "cli/main.py",  # an unforeseen error in a command becomes an exit status
)
BROAD = {"Exception", "BaseException"}


@dataclass(frozen=True, slots=True)
class Function:
    """A function and its length in lines."""

    place: str
    lines: int


def main() -> int:
    """Print what is wrong. Returns the exit status."""
    functions: list[Function] = []
    problems: list[str] = []
    for path in sorted(ROOT.rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        text = path.read_text(encoding="utf-8")
        tree = ast.parse(text)
        functions += functions_of(tree, name)
        problems += [*file_problems(text, name), *handler_problems(tree, name), *commit_problems(tree, name)]
    problems += function_problems(functions)
    for problem in problems:
        print(problem, file=sys.stderr)
    print(summary(functions))
    return 1 if problems else 0


def functions_of(tree: ast.AST, name: str) -> list[Function]:
    """Every function and method, nested ones too."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return [
        Function(f"revenueflow/{name}:{node.lineno} {node.name}", length(node))
        for node in ast.walk(tree)
        if isinstance(node, kinds)
    ]


def length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function with its docstring, without its decorators."""
    return (node.end_lineno or node.lineno) - node.lineno + 1


def function_problems(functions: list[Function]) -> list[str]:
    """Single functions that are too long, and too many long ones."""
    problems = [f"{f.place}: {f.lines} lines, at most {FUNCTION_LINES}" for f in functions if f.lines > FUNCTION_LINES]
    middle, high = median(functions), percentile_95(functions)
    if middle > MEDIAN_LINES:
        problems.append(f"functions: median {middle:g} lines, at most {MEDIAN_LINES}")
    if high > PERCENTILE_95_LINES:
        longest = sorted(functions, key=lambda f: -f.lines)[:10]
        problems.append(f"functions: 95th percentile {high} lines, at most {PERCENTILE_95_LINES}; the longest:")
        problems += [f"  {f.place}: {f.lines}" for f in longest]
    return problems


def file_problems(text: str, name: str) -> list[str]:
    """A file that is too long."""
    lines = len(text.splitlines())
    return [f"revenueflow/{name}: {lines} lines, at most {FILE_LINES}"] if lines > FILE_LINES else []


def handler_problems(tree: ast.AST, name: str) -> Iterator[str]:
    """Handlers that catch what they can't know."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.ExceptHandler):
            continue
        if node.type is None:
            yield f"revenueflow/{name}:{node.lineno}: bare except"
        elif caught(node.type) & BROAD and name not in PROCESS_EDGES and not reraises(node):
            yield f"revenueflow/{name}:{node.lineno}: broad except outside of the process edges"


def caught(node: ast.expr) -> set[str]:
    """The names in `except NAMES`."""
    parts = node.elts if isinstance(node, ast.Tuple) else [node]
    return {part.id for part in parts if isinstance(part, ast.Name)}


def reraises(handler: ast.ExceptHandler) -> bool:
    """Whether the handler ends with a plain `raise`: then nothing is hidden."""
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def commit_problems(tree: ast.AST, name: str) -> Iterator[str]:
    """Calls of a method `commit`."""
    if name in COMMITS:
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "commit":
            yield f"revenueflow/{name}:{node.lineno}: commit() outside of {', '.join(COMMITS)}"


def median(functions: list[Function]) -> float:
    """0 when there is no function."""
    return statistics.median(f.lines for f in functions) if functions else 0


def percentile_95(functions: list[Function]) -> int:
    """The length that 95 of 100 functions don't exceed."""
    ordered = sorted(f.lines for f in functions)
    return ordered[max(0, -(-len(ordered) * 95 // 100) - 1)] if ordered else 0


def summary(functions: list[Function]) -> str:
    """One line for people."""
    longest = max((f.lines for f in functions), default=0)
    return (
        f"{len(functions)} functions: median {median(functions):g} lines, "
        f"95th percentile {percentile_95(functions)}, longest {longest}"
    )


if __name__ == "__main__":
    sys.exit(main())
