"""A trace id for every request: the caller's (W3C traceparent), or a fresh one."""

from __future__ import annotations

import re
import secrets

from starlette.types import ASGIApp, Receive, Scope, Send

_TRACEPARENT = re.compile(rb"^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")


class TraceIds:
    """ASGI middleware that puts `trace_id` (32 hex digits) into the scope."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Adds the id and passes on."""
        if scope["type"] == "http":
            scope["trace_id"] = _trace_id(scope)
        await self._app(scope, receive, send)


def _trace_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"traceparent" and (found := _TRACEPARENT.match(value)):
            return found.group(1).decode()
    return secrets.token_hex(16)
