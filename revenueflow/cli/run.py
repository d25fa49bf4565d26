"""What every command shares: exit codes, settings, a database, and printing."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import orjson
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from revenueflow.errors import ConfigurationError, RevenueFlowError
from revenueflow.settings import DatabaseSettings, Settings

if TYPE_CHECKING:  # loaded by what asks the database: most of the time that other commands would take to start
    from revenueflow.audit.switches import Switch
    from revenueflow.db.session import Database

OK, FAILED, USAGE, RETRY_LATER, CONFIGURATION, INTERRUPTED = 0, 1, 2, 75, 78, 130

# In a pipe or a file a table is as wide as it needs to be.
out = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else 200)
err = Console(stderr=True, highlight=False, soft_wrap=True)
T = TypeVar("T")
_LOGIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,31}")


def guarded(command: Callable[[], T]) -> T:
    """Runs a command; our errors become one line on standard error and the exit code that fits."""
    try:
        return command()
    except ConfigurationError as error:
        fail(error.detail, CONFIGURATION)
    except RevenueFlowError as error:
        fail(error.detail, RETRY_LATER if error.retryable else FAILED)
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None


def fail(message: str, code: int = FAILED) -> NoReturn:
    """Ends the command with a message."""
    err.print(message, markup=False, style="red")
    raise typer.Exit(code)


def asked(question: Callable[[Database], Awaitable[T]]) -> T:
    """Runs a question to the database that the settings name, and returns its answer."""

    async def ask() -> T:
        async with opened() as database:
            return await question(database)

    return guarded(lambda: asyncio.run(ask()))


def switched(switch: Switch, *, on: bool) -> bool:
    """Turns a switch as whoever runs the command; False if it was off and stays off."""
    from revenueflow.audit import switches

    async def turn(database: Database) -> bool:
        async with database.transaction() as session:
            if not on:
                return await switches.turn_off(session, switch, by=who())
            await switches.turn_on(session, switch, by=who())
            return True

    return asked(turn)


@asynccontextmanager
async def opened() -> AsyncIterator[Database]:
    """The database that the settings name; nothing else has to be set."""
    from revenueflow.db.engine import engine_for
    from revenueflow.db.session import Database

    settings = Settings.only(DatabaseSettings)
    async with engine_for(settings.model_copy(update={"pool_size": 4}), application="cli") as engine:
        yield Database(engine)


def run_until_signal(main: Coroutine[Any, Any, None]) -> None:
    """Runs a process's main coroutine until it ends, or SIGINT or SIGTERM cancels it."""
    from revenueflow.cli.signals import run

    guarded(lambda: run(main))


def show(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], *, as_json: bool) -> None:
    """Rows as a table for people, or as JSON Lines for programs."""
    if as_json:
        for row in rows:
            write_json(row)
        return
    table = Table(*columns, box=None, header_style="bold", pad_edge=False)
    for row in rows:
        # Text, not markup: a sender's "[/]" is no style of ours.
        table.add_row(*(Text("" if row.get(name) is None else str(row[name])) for name in columns))
    out.print(table)


def write_json(value: Any) -> None:
    """One JSON document on a line of standard output."""
    # SQLAlchemy names columns by a kind of str that orjson takes with OPT_NON_STR_KEYS only.
    line = orjson.dumps(value, default=str, option=orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS)
    sys.stdout.buffer.write(line + b"\n")
    sys.stdout.flush()


def who() -> str:
    """The operator, for the audit trail: the login name if it has the form of one, else the number of the user."""
    name = os.environ.get("USER") or os.environ.get("LOGNAME") or ""
    return f"cli:{name if _LOGIN.fullmatch(name) else os.getuid()}"
