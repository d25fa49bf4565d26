"""The fixture as a server of the SDK, sealed as ours is."""

from __future__ import annotations

import json
import re
import secrets
from typing import Any, Final

import mcp_types as types
from mcp.server import Server
from mcp.server.request_state import RequestStateBoundary
from mcp.server.subscriptions import InMemorySubscriptionBus, ListenHandler
from mcp.shared.exceptions import MCPError

from revenueflow.mcp.server.asking import sealing
from revenueflow.mcp.server.http import caller_in
from revenueflow.privacy.identity import IdentityKey
from tests.support.mcp_fixture import content, rounds, tools
from tests.support.mcp_fixture.content import text
from tests.support.mcp_fixture.tools import Ctx, Params, Told

Page = types.PaginatedRequestParams | None
NAME: Final = "revenueflow-fixture"
TEMPLATE: Final = re.compile(r"test://template/([^/]+)/data")
RESOURCES: Final = {
    "test://static-text": "text/plain",
    "test://static-binary": "image/png",
    "test://watched-resource": "text/plain",
}
PROMPTS: Final[dict[str, tuple[str, ...]]] = {
    "test_simple_prompt": (),
    "test_prompt_with_arguments": ("arg1", "arg2"),
    "test_prompt_with_embedded_resource": ("resourceUri",),
    "test_prompt_with_image": (),
    "test_input_required_result_prompt": (),
}


class Fixture:
    """What each request does."""

    def __init__(self, bus: InMemorySubscriptionBus) -> None:
        self._tools = tools.ALWAYS | rounds.TOOLS | tools.telling(bus)

    async def list_tools(self, _: Ctx, __: Page) -> types.ListToolsResult:
        """All of them, in one order."""
        return types.ListToolsResult(tools=[tools.described(name) for name in self._tools])

    async def call_tool(self, ctx: Ctx, params: Params) -> Told:
        """One of them."""
        if params.name not in self._tools:
            raise MCPError(types.INVALID_PARAMS, "there is no such tool")
        return await self._tools[params.name](ctx, params)


async def list_resources(_: Ctx, __: Page) -> types.ListResourcesResult:
    """Those that have a fixed name."""
    found = [
        types.Resource(uri=uri, name=uri.rpartition("/")[2], description=uri, mime_type=kind)
        for uri, kind in RESOURCES.items()
    ]
    return types.ListResourcesResult(resources=found)


async def list_templates(_: Ctx, __: Page) -> types.ListResourceTemplatesResult:
    """The one with a hole."""
    one = types.ResourceTemplate(name="data", uri_template="test://template/{id}/data", mime_type="application/json")
    return types.ListResourceTemplatesResult(resource_templates=[one])


async def read_resource(_: Ctx, params: types.ReadResourceRequestParams) -> types.ReadResourceResult:
    """Text, bytes, or what fits the template."""
    uri, found = params.uri, TEMPLATE.fullmatch(params.uri)
    if found:
        body = json.dumps({"id": found[1], "templateTest": True, "data": f"Data for ID: {found[1]}"})
        return _read(types.TextResourceContents(uri=uri, mime_type="application/json", text=body))
    if uri not in RESOURCES:
        raise MCPError(types.INVALID_PARAMS, "Resource not found", {"uri": uri})
    if RESOURCES[uri] == "image/png":
        return _read(types.BlobResourceContents(uri=uri, mime_type="image/png", blob=content.PNG))
    said = "This is the content of the static text resource."
    return _read(types.TextResourceContents(uri=uri, mime_type="text/plain", text=said))


def _read(contents: types.TextResourceContents | types.BlobResourceContents) -> types.ReadResourceResult:
    return types.ReadResourceResult(contents=[contents])


async def nothing(_: Ctx, __: object) -> types.EmptyResult:
    """For requests that are only accepted."""
    return types.EmptyResult()


async def list_prompts(_: Ctx, __: Page) -> types.ListPromptsResult:
    """All of them."""
    found = [
        types.Prompt(
            name=name,
            description=name.replace("_", " "),
            arguments=[types.PromptArgument(name=one, required=True) for one in arguments],
        )
        for name, arguments in PROMPTS.items()
    ]
    return types.ListPromptsResult(prompts=found)


async def get_prompt(_: Ctx, params: types.GetPromptRequestParams) -> types.GetPromptResult | types.InputRequiredResult:
    """One of them, with its arguments put in."""
    given = params.arguments or {}
    match params.name:
        case "test_simple_prompt":
            return _prompt(text("This is a simple prompt for testing."))
        case "test_prompt_with_arguments":
            return _prompt(text(f"Prompt with arguments: arg1='{given['arg1']}', arg2='{given['arg2']}'"))
        case "test_prompt_with_embedded_resource":
            one = content.embedded(given["resourceUri"], "Embedded resource content for testing.")
            return _prompt(one, text("Please process the embedded resource above."))
        case "test_prompt_with_image":
            return _prompt(content.IMAGE, text("Please analyze the image above."))
        case "test_input_required_result_prompt":
            return rounds.prompt(params)
    raise MCPError(types.INVALID_PARAMS, "there is no such prompt")


def _prompt(*blocks: types.ContentBlock) -> types.GetPromptResult:
    return types.GetPromptResult(messages=[types.PromptMessage(role="user", content=block) for block in blocks])


async def complete(_: Ctx, __: types.CompleteRequestParams) -> types.CompleteResult:
    """Knows nothing to suggest."""
    return types.CompleteResult(completion=types.Completion(values=[], total=0, has_more=False))


def build() -> Server[Any]:
    """The fixture, with state sealed under a key of this process."""
    bus = InMemorySubscriptionBus()
    fixture = Fixture(bus)
    server: Server[Any] = Server(
        NAME,
        version="1",
        on_list_tools=fixture.list_tools,
        on_call_tool=fixture.call_tool,
        on_list_resources=list_resources,
        on_list_resource_templates=list_templates,
        on_read_resource=read_resource,
        on_subscribe_resource=nothing,
        on_unsubscribe_resource=nothing,
        on_subscriptions_listen=ListenHandler(bus),
        on_list_prompts=list_prompts,
        on_get_prompt=get_prompt,
        on_completion=complete,
        on_set_logging_level=nothing,
    )
    seal = sealing(IdentityKey(secrets.token_bytes(32)), lambda ctx: caller_in(ctx).id)
    server.middleware.append(RequestStateBoundary(seal, default_audience=NAME))
    return server
