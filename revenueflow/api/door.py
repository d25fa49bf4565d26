"""The way in: webhooks take a short one, past the layers that FastAPI puts around everything else."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import FastAPI
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from revenueflow.api.trace import TraceIds
from revenueflow.api.webhooks import ROUTES


class Door:
    """ASGI. POSTs to the webhooks' exact paths go to their functions, with the same handling of errors as all others.

    Whatever else comes, such as another method, goes the long way, which knows the webhooks too.
    """

    def __init__(self, others: ASGIApp, handlers: dict[Any, Any]) -> None:
        self._others = others
        failed = handlers.get(Exception)
        foreseen = {kind: handler for kind, handler in handlers.items() if kind is not Exception}
        self._webhooks = {
            route.path: ServerErrorMiddleware(TraceIds(ExceptionMiddleware(_app(route.endpoint), foreseen)), failed)
            for route, _ in ROUTES
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes on."""
        hit = scope["type"] == "http" and scope["method"] == "POST"
        app = self._webhooks.get(scope["path"], self._others) if hit else self._others
        await app(scope, receive, send)


def _app(answer: Callable[[Request], Awaitable[Response]]) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        response = await answer(Request(scope, receive))
        await response(scope, receive, send)

    return app


class Api(FastAPI):
    """FastAPI behind the door."""

    def build_middleware_stack(self) -> ASGIApp:
        """Called once, before the first request: all handlers of errors are known."""
        return Door(super().build_middleware_stack(), dict(self.exception_handlers))
