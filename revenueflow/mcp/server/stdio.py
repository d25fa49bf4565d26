"""The server for one local client over standard input and output."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from mcp.server.stdio import stdio_server

from revenueflow.db.session import Database
from revenueflow.mcp.call import Caller
from revenueflow.mcp.registry import Registry
from revenueflow.mcp.server.app import Ctx, build
from revenueflow.mcp.server.reading import Texts


async def serve(registry: Registry, database: Database, caller: Callable[[], Awaitable[Caller]], texts: Texts) -> None:
    """Serves until the client closes. `caller` is asked at each request: a key that was revoked ends it."""

    async def caller_of(_: Ctx) -> Caller:
        return await caller()

    server = build(registry, database, caller_of, texts)
    async with stdio_server() as (reading, writing):
        await server.run(reading, writing, server.create_initialization_options())
