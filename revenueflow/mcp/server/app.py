"""The server: handlers over the registry, for whoever the transport says is asking."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeAlias

import mcp_types as types
from mcp.server import Server
from mcp.server.request_state import RequestStateBoundary
from mcp.shared.exceptions import MCPError

from revenueflow import __version__
from revenueflow.db.session import Database
from revenueflow.errors import NotFound
from revenueflow.mcp.attended import AtClient
from revenueflow.mcp.call import Caller
from revenueflow.mcp.registry import Registry
from revenueflow.mcp.server import reading, surface
from revenueflow.mcp.server.asking import Asking, Ctx, Told, sealing
from revenueflow.mcp.server.listing import ListedOnce
from revenueflow.mcp.server.reading import Texts
from revenueflow.privacy.identity import IdentityKey

NAME: Final = "revenueflow"
Page: TypeAlias = types.PaginatedRequestParams | None


class Handlers:
    """What each request of the protocol does. `caller_of` tells who asks; each handler asks it again."""

    def __init__(
        self, registry: Registry, database: Database, caller_of: Callable[[Ctx], Awaitable[Caller]], texts: Texts
    ) -> None:
        self._registry = registry
        self._database = database
        self._caller_of = caller_of
        self._texts = texts
        self._asking = Asking(registry, AtClient(database, registry.policy), caller_of)

    async def list_tools(self, ctx: Ctx, _: Page) -> types.ListToolsResult:
        """The tools of the caller's role."""
        caller = await self._caller_of(ctx)
        return types.ListToolsResult(tools=surface.offered(caller.role, self._registry.policy))

    async def call_tool(self, ctx: Ctx, params: types.CallToolRequestParams) -> Told:
        """A guarded call, or what a person must be asked for it."""
        return await self._asking.call(ctx, params)

    async def list_templates(self, _: Ctx, __: Page) -> types.ListResourceTemplatesResult:
        """What can be read of a lead."""
        return types.ListResourceTemplatesResult(resource_templates=list(reading.TEMPLATES))

    async def list_resources(self, _: Ctx, __: Page) -> types.ListResourcesResult:
        """None by itself: a lead is read by its id."""
        return types.ListResourcesResult(resources=[])

    async def read_resource(self, ctx: Ctx, params: types.ReadResourceRequestParams) -> types.ReadResourceResult:
        """A lead's timeline, evidence or claims."""
        caller = await self._caller_of(ctx)
        if caller.role not in reading.READERS:
            raise MCPError(types.INVALID_REQUEST, f"role {caller.role} may not read leads")
        try:
            lead_id, _ = reading.place(params.uri)
            if not await self._registry.scope.may_read(caller, lead_id):
                raise MCPError(types.INVALID_REQUEST, "the lead is in no campaign of this agent")
            return await reading.read(self._database, params.uri)
        except NotFound as error:
            raise MCPError(types.INVALID_PARAMS, error.detail, {"uri": params.uri}) from None

    async def list_prompts(self, _: Ctx, __: Page) -> types.ListPromptsResult:
        """What people may ask for."""
        return types.ListPromptsResult(prompts=self._texts.listed())

    async def get_prompt(self, _: Ctx, params: types.GetPromptRequestParams) -> types.GetPromptResult:
        """A prompt about one lead."""
        try:
            return self._texts.prompt(params.name, params.arguments or {})
        except NotFound as error:
            raise MCPError(types.INVALID_PARAMS, error.detail) from None


def build(
    registry: Registry,
    database: Database,
    caller_of: Callable[[Ctx], Awaitable[Caller]],
    texts: Texts,
    key: IdentityKey,
    caller_id: Callable[[Ctx], str],
    *,
    stateless: bool = False,
) -> Server[Any]:
    """The server over one process's registry. `caller_id` is who asks, as `caller_of` says it.

    `stateless`: every request stands for itself.
    """
    handlers = Handlers(registry, database, caller_of, texts)
    server: Server[Any] = Server(
        NAME,
        version=__version__,
        title="RevenueFlow",
        instructions=texts.instructions,
        on_list_tools=handlers.list_tools,
        on_call_tool=handlers.call_tool,
        on_list_resources=handlers.list_resources,
        on_list_resource_templates=handlers.list_templates,
        on_read_resource=handlers.read_resource,
        on_list_prompts=handlers.list_prompts,
        on_get_prompt=handlers.get_prompt,
    )
    server.middleware.append(RequestStateBoundary(sealing(key, caller_id), default_audience=NAME))
    if stateless:
        server.middleware.append(ListedOnce(caller_of))
    return server
