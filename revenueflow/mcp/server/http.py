"""`/mcp`: streamable HTTP, stateless, answers as JSON. Who may ask is checked before a byte of the body is read."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, TypeAlias

from mcp.server import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.server.transport_security import TransportSecuritySettings
from starlette.datastructures import Headers
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from revenueflow.errors import NotAuthenticated, RevenueFlowError
from revenueflow.mcp.call import Caller
from revenueflow.mcp.server import message
from revenueflow.mcp.server.asking import Ctx
from revenueflow.mcp.server.message import ReadBody, Wrong

Authenticate: TypeAlias = Callable[[Scope, str | None], Awaitable[Caller]]
"""From a request and its bearer token to the caller. Raises NotAuthenticated and other errors of ours."""

CALLER: Final = "revenueflow.caller"
LOOPBACK: Final = ("127.0.0.1", "localhost", "[::1]")


def stateless(
    server: Server[Any], *, hosts: Sequence[str], origins: Sequence[str], body_limit: int
) -> StreamableHTTPSessionManager:
    """Our transport: any replica answers any request, with JSON, and keeps nothing of it."""
    return StreamableHTTPSessionManager(
        app=server,
        json_response=True,
        stateless=True,
        security_settings=known(hosts, origins),
        max_request_body_size=body_limit,
    )


def known(hosts: Sequence[str], origins: Sequence[str]) -> TransportSecuritySettings:
    """These hosts and origins, and loopback; no others."""
    return TransportSecuritySettings(
        allowed_hosts=[*hosts, *(f"{host}:*" for host in LOOPBACK), *LOOPBACK],
        allowed_origins=[*origins, *(f"http://{host}:*" for host in LOOPBACK)],
    )


class Endpoint:
    """The ASGI app of `/mcp`: a server behind our own door. Serve it inside `running`."""

    def __init__(
        self,
        manager: StreamableHTTPSessionManager,
        authenticate: Authenticate,
        *,
        read: ReadBody | None = None,
        metadata_url: str | None = None,
    ) -> None:
        """With `read`, POST is the only method, and its body is looked through (`message`) before the SDK sees it."""
        self._authenticate = authenticate
        self._read = read
        self._challenge = f'Bearer resource_metadata="{metadata_url}"' if metadata_url else "Bearer"
        self._manager = manager
        self._served: ASGIApp = manager.handle_request

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Once in the life of an endpoint."""
        async with self._manager.run():
            yield

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers 401 with where to get a token, 403, 429, 503; else the protocol's answer."""
        # RFC 9110, 5.5: white space around a value is no part of it; the HTTP parser leaves what follows a value.
        scope["headers"] = [(name, value.strip(b" \t")) for name, value in scope["headers"]]
        try:
            scope[CALLER] = await self._authenticate(scope, _bearer(scope))
            found = await self._received(scope, receive)
        except RevenueFlowError as error:
            found = self._refused(error)
        if isinstance(found, Response):
            await found(scope, receive, send)
        else:
            await self._served(scope, found, send)

    async def _received(self, scope: Scope, receive: Receive) -> Receive | Response:
        if self._read is None:
            return receive
        if scope["method"] != "POST":
            # A stream that says nothing would be held for as long as its client likes.
            return Response(status_code=405, headers={"allow": "POST"})
        if not message.is_json(scope):
            return _wrong(message.NO_JSON)
        body = await self._read(scope, receive)
        wrong = message.fault(body)
        return _wrong(wrong) if wrong else message.replayed(body, receive)

    def _refused(self, error: RevenueFlowError) -> JSONResponse:
        headers = {}
        if isinstance(error, NotAuthenticated):
            headers["www-authenticate"] = self._challenge
        if error.retry_after:
            headers["retry-after"] = str(max(1, round(error.retry_after)))
        body: dict[str, Any] = {"error": error.code, "error_description": error.detail}
        return JSONResponse(body, status_code=error.status, headers=headers)


def _wrong(wrong: Wrong) -> Response:
    error = {"code": wrong.code, "message": wrong.message}
    return JSONResponse({"jsonrpc": "2.0", "id": None, "error": error}, status_code=wrong.status)


def _bearer(scope: Scope) -> str | None:
    given = Headers(scope=scope).getlist("authorization")
    if len(given) > 1:  # of two a proxy may have looked at the other
        return None
    scheme, _, token = "".join(given).partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def caller_in(ctx: Ctx) -> Caller:
    """Who sent a request that came through an endpoint."""
    found = ctx.request.scope[CALLER] if ctx.request else None
    if not isinstance(found, Caller):
        raise TypeError("a request came past the endpoint")
    return found


async def caller_of(ctx: Ctx) -> Caller:
    """The same, for a server's handlers."""
    return caller_in(ctx)
