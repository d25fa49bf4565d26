"""The server for one local client over standard input and output."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from mcp.server.stdio import stdio_server

from revenueflow.db.session import Database
from revenueflow.mcp.call import Caller
from revenueflow.mcp.registry import Registry
from revenueflow.mcp.server.app import build
from revenueflow.mcp.server.asking import Ctx
from revenueflow.mcp.server.reading import Texts
from revenueflow.privacy.identity import IdentityKey


async def serve(
    registry: Registry,
    database: Database,
    caller: Callable[[], Awaitable[Caller]],
    texts: Texts,
    key: IdentityKey,
) -> None:
    """Serves until the client closes. `caller` is asked at each request: a key that was revoked ends it."""

    async def caller_of(_: Ctx) -> Caller:
        return await caller()

    client = (await caller()).id
    server = build(registry, database, caller_of, texts, key, lambda _: client)
    async with stdio_server() as (reading, writing):
        await server.run(reading, writing, server.create_initialization_options())
