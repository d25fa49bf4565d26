"""Serves the fixture on loopback, through our endpoint, without authentication."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import AsyncIterator
from uuid import uuid4

import mcp_types as types
import uvicorn
from mcp.server.streamable_http import EventCallback, EventMessage, EventStore
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import Scope

from revenueflow.mcp.call import Caller
from revenueflow.mcp.server.http import Endpoint, known, stateless
from tests.support.mcp_fixture.server import build

BODY_LIMIT = 1_000_000


class Events(EventStore):
    """What was sent, for clients that come back for it."""

    def __init__(self) -> None:
        self._sent: list[tuple[str, str, types.JSONRPCMessage | None]] = []

    async def store_event(self, stream_id: str, message: types.JSONRPCMessage | None) -> str:
        """Keeps a message (or None, which begins a stream), and names it."""
        self._sent.append((uuid4().hex, stream_id, message))
        return self._sent[-1][0]

    async def replay_events_after(self, last_event_id: str, send_callback: EventCallback) -> str | None:
        """Sends what followed on the same stream."""
        sent = list(self._sent)
        place = next((n for n, (event, _, __) in enumerate(sent) if event == last_event_id), None)
        if place is None:
            return None
        stream = sent[place][1]
        for event, of, message in sent[place + 1 :]:
            if of == stream and message is not None:
                await send_callback(EventMessage(message, event))
        return stream


async def anybody(_: Scope, __: str | None) -> Caller:
    """The suite sends no key."""
    return Caller("fixture", "agent")


def app(*, sessions: bool) -> Starlette:
    """Our endpoint over the fixture. `sessions`: with sessions and streams, which the product has not."""
    server = build()
    manager = (
        StreamableHTTPSessionManager(
            server,
            event_store=Events(),
            retry_interval=100,
            security_settings=known([], []),
            max_request_body_size=BODY_LIMIT,
        )
        if sessions
        else stateless(server, hosts=[], origins=[], body_limit=BODY_LIMIT)
    )
    endpoint = Endpoint(manager, anybody)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with endpoint.running():
            yield

    return Starlette(routes=[Route("/mcp", endpoint)], lifespan=lifespan)


def main() -> None:
    """Serves until it is ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--sessions", action="store_true", help="sessions and streams; without: as the product serves")
    args = parser.parse_args()
    uvicorn.run(app(sessions=args.sessions), host="127.0.0.1", port=args.port, log_level="warning", ws="none")


if __name__ == "__main__":
    main()
