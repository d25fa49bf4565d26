"""Tools that answer at once, that tell on the way, and that ask the client while they work (up to 2025-11-25)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, TypeAlias

import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.server.subscriptions import InMemorySubscriptionBus, PromptsListChanged, ServerEvent, ToolsListChanged
from mcp.shared.exceptions import MCPError

from tests.support.mcp_fixture import content
from tests.support.mcp_fixture.content import result, text

Ctx: TypeAlias = ServerRequestContext[Any, Any]
Params: TypeAlias = types.CallToolRequestParams
Told: TypeAlias = types.CallToolResult | types.InputRequiredResult
Tool: TypeAlias = Callable[[Ctx, Params], Awaitable[Told]]


def says(*blocks: types.ContentBlock, is_error: bool = False) -> Tool:
    """A tool that always says the same."""

    async def tool(_: Ctx, __: Params) -> Told:
        return result(*blocks, is_error=is_error)

    return tool


async def with_logging(ctx: Ctx, _: Params) -> Told:
    """Three lines of a log on the way."""
    for line in ("Tool execution started", "Tool processing data", "Tool execution completed"):
        await ctx.session.send_log_message("info", line, related_request_id=ctx.request_id)
    return result(text("logged"))


async def with_progress(ctx: Ctx, _: Params) -> Told:
    """Three steps."""
    for step in (0, 50, 100):
        await ctx.session.report_progress(step, 100)
    return result(text("done"))


async def asks_the_model(ctx: Ctx, params: Params) -> Told:
    """Has the client's model say something."""
    prompt = str((params.arguments or {})["prompt"])
    messages = [types.SamplingMessage(role="user", content=text(prompt))]
    answer = await ctx.session.create_message(messages, max_tokens=100, related_request_id=ctx.request_id)
    said = answer.content.text if isinstance(answer.content, types.TextContent) else "no text"
    return result(text(f"LLM response: {said}"))


def asks(properties: Mapping[str, dict[str, Any]], *, required: bool = False) -> Tool:
    """A tool that puts a form before the person at the client."""

    async def tool(ctx: Ctx, params: Params) -> Told:
        schema: dict[str, Any] = {"type": "object", "properties": dict(properties)}
        if required:
            schema["required"] = list(properties)
        message = str((params.arguments or {}).get("message", "Please fill in"))
        answer = await ctx.session.elicit_form(message, schema, ctx.request_id)
        return result(text(f"action={answer.action}, content={answer.content}"))

    return tool


async def closes_its_stream(ctx: Ctx, _: Params) -> Told:
    """Ends the connection before the answer: the client fetches it on another one."""
    if ctx.close_sse_stream:
        await ctx.close_sse_stream()
    return result(text("told on another stream"))


async def needs_sampling(ctx: Ctx, _: Params) -> Told:
    """Refuses a client that has not said that it can sample."""
    declared = ctx.session.client_capabilities
    if declared is None or declared.sampling is None:
        needs: dict[str, Any] = {"requiredCapabilities": {"sampling": {}}}
        raise MCPError(types.MISSING_REQUIRED_CLIENT_CAPABILITY, "the client can't sample", needs)
    return result(text("it can"))


def publishes(bus: InMemorySubscriptionBus, event: ServerEvent) -> Tool:
    """A tool that tells whoever listens that a list has changed."""

    async def tool(_: Ctx, __: Params) -> Told:
        await bus.publish(event)
        return result(text("told"))

    return tool


PERSON: Final = {"username": content.STRING, "email": content.STRING}
ALWAYS: Final[dict[str, Tool]] = {
    "test_simple_text": says(text("This is a simple text response for testing.")),
    "test_image_content": says(content.IMAGE),
    "test_audio_content": says(content.AUDIO),
    "test_embedded_resource": says(content.embedded("test://embedded-resource", "This is an embedded resource.")),
    "test_multiple_content_types": says(
        text("Multiple content types test:"),
        content.IMAGE,
        content.embedded("test://mixed-content-resource", '{"test":"data","value":123}', "application/json"),
    ),
    "test_error_handling": says(text("This tool intentionally returns an error for testing"), is_error=True),
    "json_schema_2020_12_tool": says(text("it has a schema")),
    "test_custom_header": says(text("its argument is in a header too")),
    "test_missing_capability": needs_sampling,
    "test_logging_tool": with_logging,
    "test_tool_with_logging": with_logging,
    "test_tool_with_progress": with_progress,
    "test_sampling": asks_the_model,
    "test_elicitation": asks(PERSON, required=True),
    "test_elicitation_sep1034_defaults": asks(content.DEFAULTS),
    "test_elicitation_sep1330_enums": asks(content.ENUMS),
    "test_reconnection": closes_its_stream,
}


def telling(bus: InMemorySubscriptionBus) -> dict[str, Tool]:
    """Tools that change a list."""
    return {
        "test_trigger_tool_change": publishes(bus, ToolsListChanged()),
        "test_trigger_prompt_change": publishes(bus, PromptsListChanged()),
    }


SCHEMAS: Final[dict[str, dict[str, Any]]] = {
    "json_schema_2020_12_tool": content.SCHEMA_2020,
    "test_sampling": {"type": "object", "properties": {"prompt": content.STRING}, "required": ["prompt"]},
    "test_elicitation": {"type": "object", "properties": {"message": content.STRING}, "required": ["message"]},
    "test_custom_header": {"type": "object", "properties": {"region": {"type": "string", "x-mcp-header": "Region"}}},
}


def described(name: str) -> types.Tool:
    """A tool as clients see it."""
    schema = SCHEMAS.get(name, {"type": "object", "properties": {}})
    return types.Tool(name=name, description=name.replace("_", " "), input_schema=schema)
