"""Runs the protocol's official conformance suite (an npm package, on Node) against our endpoint: `make conformance`.

Three targets: the product's own API with a real key; the fixture (`mcp_fixture`) through the product's transport; and
the fixture with sessions and streams, for what a transport without them can't do. No failure and no warning is
expected of any; what a target is not asked is named here, with the reason.
"""

from __future__ import annotations

import argparse
import json
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

from bench.stack import stack
from revenueflow.devserver import secrets
from revenueflow.devserver.children import spawn
from revenueflow.devserver.server import free_port
from tests.support.processes import until
from tests.support.with_header import with_header

PACKAGE: Final = "@modelcontextprotocol/conformance@0.2.0-alpha.12"
REVISIONS: Final = ("2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28")
NEED_STREAMS: Final = frozenset({
    "tools-call-with-progress", "tools-call-with-logging", "tools-call-sampling", "tools-call-elicitation",
    "elicitation-sep1034-defaults", "elicitation-sep1330-enums", "server-sse-polling",
})  # fmt: skip
"""A JSON answer has no room for what a server sends before it: notifications and, up to 2025-11-25, questions."""
NEED_SESSIONS: Final = frozenset(
    {"server-session-lifecycle", "logging-set-level", "resources-subscribe", "resources-unsubscribe"}
)
"""What a server remembers of a client between requests. It would pass most of them by saying yes and forgetting it."""
NEED_NO_FIXTURE: Final = frozenset({
    "server-initialize", "ping", "server-stateless", "tools-list", "resources-list",
    "prompts-list", "server-sse-multiple-streams", "sep-2164-resource-not-found", "dns-rebinding-protection", "caching",
    "http-header-validation", "input-required-result-unsupported-methods",
})  # fmt: skip
"""What can be asked of any server: the others call tools and prompts that only the fixture has."""
UNTESTABLE: Final = frozenset({
    "sep-2575-server-rejects-undeclared-capability", "sep-2575-missing-capability-http-400",
    "sep-2575-http-server-no-independent-requests-on-stream", "sep-2575-server-no-log-without-loglevel",
})  # fmt: skip
"""Checks within server-stateless that call a tool of the fixture: it passes them; not counted for the product."""


class Target(NamedTuple):
    """A server under test: where it is, and what it is asked."""

    name: str
    url: str
    only: frozenset[str] | None = None
    stateless: bool = True
    untestable: frozenset[str] = frozenset()

    def is_asked(self, scenario: str, revision: str) -> bool:
        """Whether a scenario is for this target."""
        if self.only is not None and scenario not in self.only:
            return False
        if not self.stateless:
            return True
        in_session = scenario == "server-sse-multiple-streams" and revision < "2026"
        return not in_session and scenario not in NEED_STREAMS | NEED_SESSIONS


class Told(NamedTuple):
    """What one scenario came to: how many checks of each status, and what was wrong."""

    scenario: str
    counts: Counter[str]
    wrong: list[str]


class Suite:
    """The suite's command. `command` starts it; results are written below `folder`."""

    def __init__(self, command: list[str], folder: Path) -> None:
        self._command = command
        self._folder = folder

    def scenarios(self, revision: str) -> list[str]:
        """Those for servers of a revision, without extensions. Ends the program if the suite does not start."""
        listed = self._run("list", "--server", "--spec-version", revision)
        found = [line.split()[1] for line in listed.stdout.splitlines() if line.startswith("  - ") and revision in line]
        if listed.returncode != 0 or not found:
            raise SystemExit(
                f"The conformance suite did not start (it needs node 22 or newer):\n{listed.stderr[-500:]}"
            )
        return found

    def ask(self, target: Target, scenario: str, revision: str) -> Told:
        """Runs one scenario, and reads what it wrote."""
        folder = self._folder / target.name / revision / scenario
        self._run(
            "server", "--url", target.url, "--scenario", scenario, "--spec-version", revision, "-o", str(folder)
        )  # fmt: skip
        found = [check for path in folder.rglob("checks.json") for check in json.loads(path.read_text())]
        counted = [check for check in found if check["id"] not in target.untestable]
        wrong = [_line(check) for check in counted if check["status"] in ("FAILURE", "WARNING")]
        if not any(check["status"] == "SUCCESS" for check in counted):
            wrong.append("nothing was checked")
        return Told(scenario, Counter(check["status"] for check in counted), wrong)

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*self._command, *arguments], capture_output=True, text=True, check=False, timeout=180)


def main() -> None:
    """Runs everything, prints a table, and ends with 1 if anything failed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--command", default="", help=f"starts the suite; default: npx --yes {PACKAGE}")
    parser.add_argument("--revision", action="append", choices=REVISIONS, help="default: all")
    parser.add_argument("--target", action="append", choices=("product", "fixture", "sessions"), help="default: all")
    parser.add_argument("--scenario", action="append", help="only this one")
    args = parser.parse_args()
    command = shlex.split(args.command) or [_npx(), "--yes", PACKAGE]
    targets = args.target or ["fixture", "sessions", "product"]
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        suite = Suite(command, Path(folder))
        for name in targets:
            with serving(name, Path(folder)) as target:
                for revision in args.revision or REVISIONS:
                    failed |= _asked(suite, target, revision, args.scenario)
    raise SystemExit(1 if failed else 0)


def _npx() -> str:
    npx = shutil.which("npx")
    if npx is None or shutil.which("node") is None:
        raise SystemExit("The conformance suite runs on Node: install node (22 or newer) and npm, or name --command.")
    return npx


def _asked(suite: Suite, target: Target, revision: str, only: list[str] | None) -> bool:
    told = [
        suite.ask(target, scenario, revision)
        for scenario in suite.scenarios(revision)
        if target.is_asked(scenario, revision) and (only is None or scenario in only)
    ]
    if not told:
        return False
    counts: Mapping[str, int] = sum((one.counts for one in told), Counter())
    wrong = [f"    {one.scenario}: {line}" for one in told for line in one.wrong]
    passed = sum(not one.wrong for one in told)
    sums = ", ".join(f"{count} {status}" for status, count in sorted(counts.items()))
    _say(f"{target.name:8} {revision}: {passed} of {len(told)} scenarios passed; checks: {sums}")
    for line in wrong:
        _say(line)
    return bool(wrong)


@contextmanager
def serving(name: str, folder: Path) -> Iterator[Target]:
    """A target while it runs."""
    if name == "product":
        with stack() as one:
            one.serve("api")
            with with_header(
                "Authorization", f"Bearer {secrets.ensure(one.folder).keys['operator']}", one.port
            ) as port:
                yield Target(name, f"http://127.0.0.1:{port}/mcp", only=NEED_NO_FIXTURE, untestable=UNTESTABLE)
        return
    port = free_port()
    argv = [sys.executable, "-m", "tests.support.mcp_fixture", "--port", str(port)]
    sessions = name == "sessions"
    child = spawn(argv + ["--sessions"] * sessions, log=folder / f"{name}.log")
    try:
        until(lambda: child.poll() is not None or _listens(port), seconds=30)
        yield Target(name, f"http://127.0.0.1:{port}/mcp", stateless=not sessions)
    finally:
        child.stop()


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def _line(check: Mapping[str, Any]) -> str:
    return f"{check['status']} {check['id']}: {str(check.get('errorMessage', ''))[:300]}"


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
