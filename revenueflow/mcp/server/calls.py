"""A `tools/call`: taken apart, made through the registry, and told as a structured result."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import mcp_types as types

from revenueflow.domain.action import CallStatus, ToolResult
from revenueflow.errors import RevenueFlowError
from revenueflow.mcp.call import Call, Caller
from revenueflow.mcp.registry import Registry
from revenueflow.mcp.server.surface import CLAIMS, DRY_RUN, KEY
from revenueflow.mcp.tools import TOOLS

FAILED = frozenset({CallStatus.DENIED, CallStatus.FAILED})
LONGEST_KEY = 200


async def made(registry: Registry, caller: Caller, name: str, arguments: Mapping[str, Any]) -> ToolResult:
    """Makes the call. What the guard refuses is a result that says what would be needed; nothing is echoed."""
    try:
        return await registry.call(call_of(caller, name, arguments))
    except RevenueFlowError as error:
        if not error.retryable:
            raise
        return ToolResult(status=CallStatus.DELAYED, retry_after=error.retry_after or 1)


def told(result: ToolResult) -> types.CallToolResult:
    """The result as clients get it: structured, and the same as text for those that read text only."""
    return types.CallToolResult(
        content=[types.TextContent(text=result.model_dump_json(exclude_none=True))],
        structured_content=result.model_dump(mode="json"),
        is_error=result.status in FAILED,
    )


def call_of(caller: Caller, name: str, arguments: Mapping[str, Any]) -> Call:
    """The call. A key, claims or a switch of the wrong form are left in the arguments, where the guard refuses them."""
    args = dict(arguments)
    key, claims = args.get(KEY), _claims(args.get(CLAIMS))
    if isinstance(key, str) and 0 < len(key) <= LONGEST_KEY and _is_text(key):
        del args[KEY]
    else:
        key = None
    if claims is not None:
        args.pop(CLAIMS, None)
    dry_run = args.pop(DRY_RUN) is True if isinstance(args.get(DRY_RUN), bool) else False
    return Call(name, args, caller, key, claims or {}, dry_run)


def written(name: str, arguments: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
    """What a call would write that the guard has found to be sound."""
    call, tool = call_of(caller, name, arguments), TOOLS[name]
    return tool.fields(tool.args.model_validate(call.args))


def _is_text(key: str) -> bool:
    """JSON can carry half of a character, which has no bytes."""
    return not any("\ud800" <= sign <= "\udfff" for sign in key)


def _claims(given: object) -> dict[str, UUID] | None:
    if given is None:
        return {}
    if not isinstance(given, dict):
        return None
    try:
        return {str(pointer): UUID(claim) for pointer, claim in given.items()}
    except (ValueError, TypeError, AttributeError):
        return None
