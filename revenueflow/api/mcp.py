"""`/mcp` in the API: API keys, or tokens of your authorization server, become callers of the guarded tools."""

from __future__ import annotations

from typing import Any, cast
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from revenueflow.api.deps import State, identify, state_of
from revenueflow.errors import NotAllowed
from revenueflow.mcp.call import AGENTS, Caller, Role
from revenueflow.mcp.registry import Registry
from revenueflow.mcp.server.http import Endpoint
from revenueflow.mcp.server.reading import Texts
from revenueflow.settings import Settings

PATH = "/mcp"
METADATA = "/.well-known/oauth-protected-resource/mcp"


def endpoint(settings: Settings, state: State, registry: Registry) -> Endpoint:
    """The endpoint over one process's state."""

    async def authenticate(scope: Scope, token: str | None) -> Caller:
        principal = await identify(state, token)
        await state.limits.count_key(scope, principal.key_id)
        if principal.role not in AGENTS:
            raise NotAllowed(f"role {principal.role} may not use tools; it needs one of: {', '.join(AGENTS)}")
        return Caller(f"key:{principal.key_id}", cast("Role", principal.role), trace_id=str(scope["trace_id"]))

    public = settings.api.public_url.rstrip("/")
    return Endpoint(
        registry,
        state.database,
        authenticate,
        texts=Texts.load(settings.config_dir),
        metadata_url=public + METADATA if settings.mcp.issuer else None,
        hosts=[urlsplit(public).netloc, *settings.mcp.hosts],
        origins=[public, *settings.mcp.origins],
        body_limit=settings.api.body_limit,
    )


async def metadata(request: Request) -> Response:
    """RFC 9728: who gives out tokens for this resource."""
    settings = state_of(request).settings
    public = settings.api.public_url.rstrip("/")
    told: dict[str, Any] = {"resource": public + PATH, "bearer_methods_supported": ["header"]}
    if settings.mcp.issuer:
        told["authorization_servers"] = [settings.mcp.issuer]
    return JSONResponse(told, headers={"cache-control": "max-age=3600", "access-control-allow-origin": "*"})


class Served:
    """Forwards to the endpoint that the app holds while it runs."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Any method: the protocol says itself which it has."""
        state: State = scope["app"].state.held
        assert state.tools is not None, "the app was not started by its lifespan"
        await state.tools(scope, receive, send)


ROUTES = [Route(PATH, Served(), include_in_schema=False), Route(METADATA, metadata, include_in_schema=False)]
