"""`/mcp` in the API: API keys, or tokens of your authorization server, become callers of the guarded tools."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from typing import Any, cast
from urllib.parse import urlsplit
from uuid import NAMESPACE_URL, UUID, uuid5

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from revenueflow.api import body
from revenueflow.api.deps import State, identify, state_of
from revenueflow.errors import NotAllowed, NotAuthenticated
from revenueflow.mcp.call import AGENTS, Caller, Role
from revenueflow.mcp.registry import Registry
from revenueflow.mcp.server.app import build
from revenueflow.mcp.server.http import Endpoint, caller_in, caller_of, stateless
from revenueflow.mcp.server.message import ReadBody
from revenueflow.mcp.server.oauth import SCOPE, Tokens
from revenueflow.mcp.server.reading import Texts
from revenueflow.settings import Settings

PATH = "/mcp"
METADATA = "/.well-known/oauth-protected-resource/mcp"


class Door:
    """From a bearer token to a caller: an API key of ours, or a token of the operator's authorization server."""

    def __init__(self, state: State, tokens: Tokens | None) -> None:
        self._state = state
        self._tokens = tokens

    async def __call__(self, scope: Scope, token: str | None) -> Caller:
        """Counts the request, and those that fail to authenticate by their address."""
        try:
            caller, name = await self._known(token, str(scope["trace_id"]))
        except NotAuthenticated as error:
            raise await self._state.limits.count_failure(scope) or error from None
        await self._state.limits.count_key(scope, name)
        return caller

    async def _known(self, token: str | None, trace_id: str) -> tuple[Caller, UUID]:
        if self._tokens and token and not token.startswith("rf_"):
            caller = await self._tokens.caller(token, trace_id)
            return caller, uuid5(NAMESPACE_URL, caller.id)
        principal = await identify(self._state, token)
        if principal.role not in AGENTS:
            raise NotAllowed(f"role {principal.role} may not use tools; it needs one of: {', '.join(AGENTS)}")
        role = cast("Role", principal.role)
        return Caller(f"key:{principal.key_id}", role, trace_id=trace_id, name=principal.name), principal.key_id


@asynccontextmanager
async def running(settings: Settings, state: State, registry: Registry) -> AsyncIterator[Endpoint]:
    """The endpoint over one process's state, while it runs."""
    public, texts = settings.api.public_url.rstrip("/"), Texts.load(settings.config_dir)
    async with AsyncExitStack() as stack:
        issuer = settings.mcp.issuer
        tokens = await stack.enter_async_context(aclosing(Tokens(issuer, public + PATH))) if issuer else None
        key, client = state.identity, lambda ctx: caller_in(ctx).id
        manager = stateless(
            build(registry, state.database, caller_of, texts, key, client, stateless=True),
            hosts=[urlsplit(public).netloc, *settings.mcp.hosts],
            origins=[public, *settings.mcp.origins],
            body_limit=settings.api.body_limit,
        )
        told = public + METADATA if issuer else None
        endpoint = Endpoint(manager, Door(state, tokens), read=_reading(settings), metadata_url=told)
        await stack.enter_async_context(endpoint.running())
        yield endpoint


def _reading(settings: Settings) -> ReadBody:
    async def read(scope: Scope, receive: Receive) -> bytes:
        return await body.read(Request(scope, receive), settings.api.body_limit)

    return read


async def metadata(request: Request) -> Response:
    """RFC 9728: who gives out tokens for this resource."""
    settings = state_of(request).settings
    public = settings.api.public_url.rstrip("/")
    told: dict[str, Any] = {"resource": public + PATH, "bearer_methods_supported": ["header"]}
    if settings.mcp.issuer:
        told |= {"authorization_servers": [settings.mcp.issuer], "scopes_supported": [SCOPE]}
    return JSONResponse(told, headers={"cache-control": "max-age=3600", "access-control-allow-origin": "*"})


class Served:
    """Forwards to the endpoint that the app holds while it runs."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Any method: the protocol says itself which it has."""
        state: State = scope["app"].state.held
        assert state.tools is not None, "the app was not started by its lifespan"
        await state.tools(scope, receive, send)


ROUTES = [Route(PATH, Served(), include_in_schema=False), Route(METADATA, metadata, include_in_schema=False)]
