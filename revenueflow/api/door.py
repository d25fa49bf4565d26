"""The way in: webhooks take a short one, past the layers that FastAPI puts around everything else."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import cached_property

from fastapi import FastAPI
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from revenueflow.api.trace import TraceIds
from revenueflow.api.webhooks import ROUTES


class Api(FastAPI):
    """POSTs to the webhooks' exact paths go to their functions, with the same handling of errors as all others.

    Whatever else comes, such as another method, goes the long way, which knows the webhooks too.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes on."""
        app = self._webhooks.get(scope["path"]) if scope["type"] == "http" and scope["method"] == "POST" else None
        if app is None:
            await super().__call__(scope, receive, send)
        else:
            scope["app"] = self
            await app(scope, receive, send)

    @cached_property
    def _webhooks(self) -> dict[str, ASGIApp]:
        # Made at the first request: by then all handlers of errors are known.
        foreseen = {kind: handler for kind, handler in self.exception_handlers.items() if kind is not Exception}
        failed = self.exception_handlers.get(Exception)
        return {
            route.path: ServerErrorMiddleware(TraceIds(ExceptionMiddleware(_app(route.endpoint), foreseen)), failed)
            for route, _ in ROUTES
        }


def _app(answer: Callable[[Request], Awaitable[Response]]) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        response = await answer(Request(scope, receive))
        await response(scope, receive, send)

    return app
