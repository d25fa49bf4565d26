"""`revenueflow mcp`: the guarded tools for a local client."""

from __future__ import annotations

import os
import time
from contextlib import AsyncExitStack
from typing import Annotated

import typer

from revenueflow.cli.run import USAGE, fail, guarded, run_until_signal
from revenueflow.errors import NotAuthenticated
from revenueflow.settings import Settings

app = typer.Typer(help="The guarded tools over the Model Context Protocol.", no_args_is_help=True)
KEY = "REVENUEFLOW_API_KEY"
REMEMBERED = 5.0
"""Seconds until a key is looked at again."""


@app.command()
def serve(
    stdio: Annotated[bool, typer.Option("--stdio", help="Over standard input and output, for one client.")] = False,
) -> None:
    """Serve the tools that the key in REVENUEFLOW_API_KEY may use. Over HTTP the API serves them, at /mcp.

    Example: REVENUEFLOW_API_KEY=rf_… revenueflow mcp serve --stdio
    """
    if not stdio:
        fail("over HTTP the API serves the tools at /mcp; for a local client add --stdio", USAGE)
    key = os.environ.get(KEY, "")
    if not key:
        fail(f"{KEY}: is not set; `revenueflow keys create --role agent` makes a key", USAGE)
    run_until_signal(_serve(guarded(Settings.load), key))


async def _serve(settings: Settings, key: str) -> None:
    from revenueflow.db import api_keys
    from revenueflow.db.direct import Direct
    from revenueflow.db.engine import engine_for
    from revenueflow.db.session import Database
    from revenueflow.mcp.call import AGENTS, Caller
    from revenueflow.mcp.server import stdio
    from revenueflow.mcp.server.reading import Texts
    from revenueflow.privacy.identity_file import identity_key
    from revenueflow.wiring.tools import tools

    seen: list[tuple[float, Caller]] = []
    async with AsyncExitStack() as stack:
        database = Database(await stack.enter_async_context(engine_for(settings.database, application="mcp")))
        direct = await stack.enter_async_context(Direct(settings.database, application="mcp"))
        registry = await stack.enter_async_context(tools(settings, database, direct))

        async def caller() -> Caller:
            if seen and time.monotonic() - seen[-1][0] < REMEMBERED:
                return seen[-1][1]
            async with database.transaction() as session:
                found = await api_keys.find(session, key)
            if found is None or found["role"] not in AGENTS:
                raise NotAuthenticated(f"{KEY}: the key is not known, was revoked, or its role may not use tools")
            seen[:] = [(time.monotonic(), Caller(f"key:{found['id']}", found["role"], name=found["name"]))]
            return seen[-1][1]

        await stdio.serve(registry, database, caller, Texts.load(settings.config_dir), identity_key(settings.keys))
