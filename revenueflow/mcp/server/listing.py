"""`tools/list` says the same to all of one role in one revision: what the SDK makes of it is made once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

from mcp.server.context import CallNext, HandlerResult
from mcp_types import methods
from pydantic import ValidationError

from revenueflow.mcp.call import Caller
from revenueflow.mcp.server.asking import Ctx

LIST: Final = "tools/list"


class ListedOnce:
    """Middleware that keeps the results by role and revision. Policy and tools are constant in a process.

    For transports where every request stands for itself: it knows nothing of handshakes.
    """

    def __init__(self, caller_of: Callable[[Ctx], Awaitable[Caller]]) -> None:
        self._caller_of = caller_of
        self._made: dict[tuple[str, str], HandlerResult] = {}

    async def __call__(self, ctx: Ctx, call_next: CallNext) -> HandlerResult:
        """The result as it goes over the wire. A request of the wrong form goes the usual way, and is refused there."""
        if ctx.method != LIST or ctx.request_id is None or not _is_sound(ctx):
            return await call_next(ctx)
        kind = (await self._caller_of(ctx)).role, ctx.protocol_version
        if kind not in self._made:
            self._made[kind] = await call_next(ctx)
        return self._made[kind]


def _is_sound(ctx: Ctx) -> bool:
    params: Any = ctx.params
    try:
        methods.validate_client_request(LIST, ctx.protocol_version, params)
    except (KeyError, ValueError, ValidationError):
        return False
    return True
