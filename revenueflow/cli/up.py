"""The whole system on one machine."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from revenueflow.cli.run import err, guarded
from revenueflow.devserver.stack import Stack, StackOptions

DataDir = Annotated[Path, typer.Option("--data-dir", help="Where everything is kept between runs.")]
PortsFile = Annotated[Path | None, typer.Option("--ports-file", help="Write every URL and key as JSON once ready.")]
Seed = Annotated[int, typer.Option(help="The sandbox answers the same to the same seed.")]


def up(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the API; 0 takes a free one.")] = 8000,
    data_dir: DataDir = Path(".revenueflow"),
    sandbox: Annotated[bool, typer.Option(help="Fake upstreams instead of the real ones.")] = True,
    invent_rate: Annotated[float, typer.Option(min=0, max=1, help="How often the sandbox's model invents.")] = 0.1,
    seed: Seed = 1,
    ports_file: PortsFile = None,
) -> None:
    """Start everything: Postgres, Valkey, schema, API, relay, worker, and the sandbox of upstreams, until Ctrl-C.

    DATABASE_URL and REDIS_URL, if set, are used instead of the embedded servers. Data survives a restart.

    Example: revenueflow up --port 8000
    """
    options = StackOptions(data_dir, port, sandbox, invent_rate, seed, ports_file=ports_file)
    stack = Stack(options, say)

    def run() -> None:
        with ending_on_signal() as stop, started(stack):
            describe(stack)
            stack.supervise(stop)

    guarded(run)


def say(line: str) -> None:
    """Progress, on standard error."""
    err.print(line, markup=False, style="dim")


@contextmanager
def started(stack: Stack) -> Iterator[None]:
    """The stack, ended whatever happens."""
    try:
        stack.start()
        yield
    finally:
        stack.stop()


@contextmanager
def ending_on_signal() -> Iterator[threading.Event]:
    """An event that the first SIGINT or SIGTERM sets; the second one ends the process at once."""
    stop = threading.Event()

    def on_signal(_: int, __: object) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def describe(stack: Stack) -> None:
    """What a person needs in order to use it."""
    told = stack.description()
    lines = [
        "",
        f"RevenueFlow is up: {told['api']}   (documentation: {told['api']}/docs)",
        f"  API key (admin):        {told['api_key']}",
        f"  Marketo secret:         {told['webhook_secrets']['marketo']}",
        f"  Postgres:               {told['database_url']}",
    ]
    if told["sandbox"]:
        lines.append(f"  sandbox control:        {told['sandbox']['control']}/_sandbox/ledger?upstream=crm")
    lines += [
        f"  data and logs:          {stack.data_dir}",
        f"For other commands in another terminal: . {stack.data_dir}/env",
        "Ctrl-C ends it.",
    ]
    for line in lines:
        err.print(line, markup=False)
