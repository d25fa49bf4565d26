"""The server: handlers over the registry, for whoever the transport says is asking."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import mcp_types as types
from mcp.server import Server
from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError

from revenueflow import __version__
from revenueflow.db.session import Database
from revenueflow.errors import NotAllowed, NotFound
from revenueflow.mcp.call import Caller
from revenueflow.mcp.registry import Registry
from revenueflow.mcp.server import calls, reading, surface
from revenueflow.mcp.server.reading import Texts

Ctx: TypeAlias = ServerRequestContext[Any, Any]


def build(
    registry: Registry, database: Database, caller_of: Callable[[Ctx], Awaitable[Caller]], texts: Texts
) -> Server[Any]:
    """The server. `caller_of` tells who asks; each handler asks it again."""

    async def list_tools(ctx: Ctx, _: types.PaginatedRequestParams | None) -> types.ListToolsResult:
        return types.ListToolsResult(tools=surface.offered((await caller_of(ctx)).role, registry.policy))

    async def call_tool(ctx: Ctx, params: types.CallToolRequestParams) -> types.CallToolResult:
        return await calls.called(registry, await caller_of(ctx), params.name, params.arguments or {})

    async def list_templates(_: Ctx, __: types.PaginatedRequestParams | None) -> types.ListResourceTemplatesResult:
        return types.ListResourceTemplatesResult(resource_templates=list(reading.TEMPLATES))

    async def list_resources(_: Ctx, __: types.PaginatedRequestParams | None) -> types.ListResourcesResult:
        return types.ListResourcesResult(resources=[])

    async def read_resource(ctx: Ctx, params: types.ReadResourceRequestParams) -> types.ReadResourceResult:
        _may_read(await caller_of(ctx))
        return await _found(reading.read(database, params.uri))

    async def list_prompts(_: Ctx, __: types.PaginatedRequestParams | None) -> types.ListPromptsResult:
        return types.ListPromptsResult(prompts=texts.listed())

    async def get_prompt(_: Ctx, params: types.GetPromptRequestParams) -> types.GetPromptResult:
        try:
            return texts.prompt(params.name, params.arguments or {})
        except NotFound as error:
            raise MCPError(types.INVALID_PARAMS, error.detail) from None

    return Server(
        "revenueflow",
        version=__version__,
        title="RevenueFlow",
        instructions=texts.instructions,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
        on_list_resources=list_resources,
        on_list_resource_templates=list_templates,
        on_read_resource=read_resource,
        on_list_prompts=list_prompts,
        on_get_prompt=get_prompt,
    )


def _may_read(caller: Caller) -> None:
    if caller.role not in reading.READERS:
        raise MCPError(types.INVALID_REQUEST, f"role {caller.role} may not read leads")


async def _found(reading: Any) -> types.ReadResourceResult:
    try:
        found: types.ReadResourceResult = await reading
    except (NotFound, NotAllowed) as error:
        raise MCPError(types.INVALID_PARAMS, error.detail) from None
    return found
