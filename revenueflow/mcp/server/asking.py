"""A `tools/call` that needs a person's word, asked of the person at the client if the policy says that there is one.

Since 2026-07-28 the question is the result of the call, and the call comes again with the answer and with sealed state
that fits this caller, tool and arguments only, for a time. Before it, over standard input and output, the question is
a request within the call. Everybody else is told to wait for the queue.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeAlias
from uuid import UUID

import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.server.request_state import RequestStateSecurity
from mcp.shared.exceptions import MCPError
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from revenueflow.domain.action import CallStatus, ToolResult
from revenueflow.mcp.approvals import Decision
from revenueflow.mcp.attended import AtClient
from revenueflow.mcp.call import Caller
from revenueflow.mcp.registry import Registry
from revenueflow.mcp.server import calls
from revenueflow.privacy.identity import IdentityKey

Ctx: TypeAlias = ServerRequestContext[Any, Any]
Told: TypeAlias = types.CallToolResult | types.InputRequiredResult

QUESTION: Final = "approve"
ANSWER_SECONDS: Final = 600.0
"""For how long a person may think about it, and sealed state is good."""
SEAL: Final = b"revenueflow/mcp/request-state/v1"
FORM: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {
        QUESTION: {
            "type": "boolean",
            "title": "Approve this write",
            "description": "yes lets this one call be made, once; no refuses it for good",
        }
    },
    "required": [QUESTION],
}


class Asking:
    """Makes calls, and puts the guard's questions to the person at the client."""

    def __init__(self, registry: Registry, at_client: AtClient, caller_of: Callable[[Ctx], Awaitable[Caller]]) -> None:
        self._registry = registry
        self._at_client = at_client
        self._caller_of = caller_of

    async def call(self, ctx: Ctx, params: types.CallToolRequestParams) -> Told:
        """The result of a guarded call, or the question that it needs an answer to."""
        caller = await self._caller_of(ctx)
        answer = (params.input_responses or {}).get(QUESTION) if params.request_state else None
        if params.request_state:
            await self._heed(UUID(params.request_state), caller, answer)
        result = await calls.made(self._registry, caller, params.name, params.arguments or {})
        # Nobody is asked twice within one call: whatever came back but yes or no leaves it to the queue.
        if params.request_state or (question := await self._question(ctx, caller, params, result)) is None:
            return calls.told(result)
        approval_id, text = question
        if ctx.protocol_version in MODERN_PROTOCOL_VERSIONS:
            return _required(approval_id, text)
        answer = await _answered(ctx, text)
        caller = await self._caller_of(ctx)  # the key may have been taken away while the person thought
        await self._heed(approval_id, caller, answer)
        if answer is None or _decision(answer) is None:
            return calls.told(result)
        return calls.told(await calls.made(self._registry, caller, params.name, params.arguments or {}))

    async def _question(
        self, ctx: Ctx, caller: Caller, params: types.CallToolRequestParams, result: ToolResult
    ) -> tuple[UUID, str] | None:
        if result.status is not CallStatus.NEEDS_APPROVAL or not result.result or not _can_be_asked(ctx):
            return None
        approval_id = UUID(str(result.result["approval_id"]))
        fields = calls.written(params.name, params.arguments or {}, caller)
        text = await self._at_client.question(approval_id, caller, fields)
        return (approval_id, text) if text else None

    async def _heed(self, approval_id: UUID, caller: Caller, answer: types.InputResponse | None) -> None:
        await self._at_client.decide(approval_id, caller, _decision(answer))


def sealing(key: IdentityKey, caller_id: Callable[[Ctx], str]) -> RequestStateSecurity:
    """How state is sealed: under a key that all replicas derive from the identity key, for one caller, for a time."""
    return RequestStateSecurity(keys=[key.digest(SEAL)], ttl=ANSWER_SECONDS, bind_principal=caller_id)


def _required(approval_id: UUID, text: str) -> types.InputRequiredResult:
    form = types.ElicitRequestFormParams(message=text, requested_schema=FORM)
    asked = types.ElicitRequest(params=form)
    return types.InputRequiredResult(input_requests={QUESTION: asked}, request_state=str(approval_id))


async def _answered(ctx: Ctx, text: str) -> types.ElicitResult | None:
    """What the client answers within the call; None if it can't, or nobody does in time."""
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            return await ctx.session.elicit_form(text, FORM, ctx.request_id)
    except (MCPError, TimeoutError, ValueError):
        return None


def _can_be_asked(ctx: Ctx) -> bool:
    """The client shows forms (a capability that names neither mode means them), and the answer has a way back."""
    declared = ctx.session.client_capabilities
    elicitation = declared.elicitation if declared else None
    if elicitation is None or (elicitation.form is None and elicitation.url is not None):
        return False
    return ctx.protocol_version in MODERN_PROTOCOL_VERSIONS or ctx.session.can_send_request


def _decision(answer: types.InputResponse | None) -> Decision | None:
    """None for a form that was closed, and for one that does not say: these leave it to the queue."""
    if not isinstance(answer, types.ElicitResult) or answer.action == "cancel":
        return None
    if answer.action == "decline":
        return "denied"
    match (answer.content or {}).get(QUESTION):
        case True:
            return "approved"
        case False:
            return "denied"
    return None
