"""A real HTTP server on loopback that answers as a test says, and remembers what it was asked."""

from __future__ import annotations

import socket
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

Answerer = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Seen:
    """One request that arrived."""

    method: str
    path: str
    params: dict[str, str]
    headers: dict[str, str]


async def unset(_: Request) -> Response:
    """The answer until a test sets one."""
    return Response("no answer was set", status_code=500)


def fixed(status: int, body: object, **headers: str) -> Answerer:
    """The same answer to every request."""

    async def answer(_: Request) -> Response:
        return JSONResponse(body, status_code=status, headers=headers)

    return answer


class VendorServer:
    """Serves from a thread of its own, on a port that is open before it starts: no waiting."""

    def __init__(self) -> None:
        self.answer: Answerer = unset
        self.seen: list[Seen] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        app = Starlette(routes=[Route("/{path:path}", self._handle, methods=["GET", "PUT", "POST", "PATCH"])])
        self._server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off", timeout_graceful_shutdown=0))
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._socket]})

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.should_exit = True
        self._thread.join(10)

    async def _handle(self, request: Request) -> Response:
        self.seen.append(Seen(request.method, request.url.path, dict(request.query_params), dict(request.headers)))
        return await self.answer(request)
