"""The sandbox: one process, each fake upstream on a port of its own, all in one event loop."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import uvicorn
from starlette.types import ASGIApp
from typing_extensions import override
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from revenueflow.errors import ConfigurationError
from revenueflow.sandbox import (
    apollo,
    aturiya,
    bedrock,
    clearbit,
    control,
    crm,
    gemini,
    hubspot,
    hunter,
    marketo,
    pipe0,
    salesforce,
    slack,
    vertex,
    zoominfo,
)  # fmt: skip
from revenueflow.sandbox.directory import companies, contacts
from revenueflow.sandbox.middleware import ABORT, Upstream
from revenueflow.sandbox.state import UPSTREAMS, State

CONTROL: Final = "control"
NAMES: Final = (*UPSTREAMS, CONTROL)
BACKLOG: Final = 2048


@dataclass(frozen=True)
class SandboxConfig:
    """`ports`: by upstream or "control"; 0 or missing takes a free one. `latency`: as slow as the real ones.

    With `data_dir` the CRM's records survive the process. The same `seed` gives the same faults and answers.
    """

    host: str = "127.0.0.1"
    ports: dict[str, int] = field(default_factory=dict)
    seed: int = 1
    latency: bool = True
    invent_rate: float = 0.0
    data_dir: Path | None = None


async def run(config: SandboxConfig, ready: Callable[[dict[str, str]], None]) -> None:
    """Serves until cancelled. `ready` gets {upstream: base URL, …, "control": URL} once all answer.

    Raises ConfigurationError for an unknown upstream, or a port that can't be had.
    """
    state = State(
        seed=config.seed,
        latency=config.latency,
        invent_rate=config.invent_rate,
        data_dir=config.data_dir,
    )
    with contextlib.ExitStack() as undo:
        undo.callback(state.close)
        sockets = {name: undo.enter_context(listener) for name, listener in _sockets(config).items()}
        servers = {name: _Server(app) for name, app in apps(state).items()}
        await _serve(servers, sockets, lambda: ready({name: _url(sockets[name]) for name in NAMES}))


def apps(state: State) -> dict[str, ASGIApp]:
    """Every upstream with its faults, and control without."""
    directory = companies()
    upstreams = {
        "gemini": Upstream("gemini", gemini.app(), state, gemini.refuse),
        "vertex": Upstream("vertex", vertex.app(), state, vertex.refuse),
        "bedrock": Upstream("bedrock", bedrock.app(), state, bedrock.refuse),
        "clearbit": Upstream("clearbit", clearbit.app(directory), state, clearbit.refuse, quota_status=402),
        "hunter": Upstream("hunter", hunter.app(directory), state, hunter.refuse),
        "pipe0": Upstream("pipe0", pipe0.app(directory), state, pipe0.refuse, quota_status=402),
        "apollo": Upstream("apollo", apollo.app(directory), state, apollo.refuse, quota_status=402),
        "zoominfo": Upstream("zoominfo", zoominfo.app(directory), state, zoominfo.refuse, quota_status=402),
        "slack": Upstream("slack", slack.app(), state, slack.refuse),
        "crm": Upstream("crm", crm.app(state.ledger), state, crm.refuse),
        "hubspot": Upstream(
            "hubspot", hubspot.app(contacts(), state.hubspot_journal, state.ledgers["hubspot"]), state, hubspot.refuse
        ),
        "marketo": Upstream("marketo", marketo.app(state.marketo), state, marketo.refuse),
        "aturiya": Upstream("aturiya", aturiya.app(), state, aturiya.refuse),
        "salesforce": Upstream(
            "salesforce", salesforce.app(state.ledgers["salesforce"]), state, salesforce.refuse, quota_status=403
        ),
    }
    return {**upstreams, CONTROL: control.app(state)}


async def _serve(servers: dict[str, _Server], sockets: dict[str, socket.socket], ready: Callable[[], None]) -> None:
    try:
        async with asyncio.TaskGroup() as group:
            for name, server in servers.items():
                group.create_task(server.guarded([sockets[name]]))
            for server in servers.values():
                await server.answering.wait()
            ready()
    finally:
        for server in servers.values():
            server.should_exit = True


class _Protocol(HttpToolsProtocol):
    """Lets an app close its connection: there is no other way to lose an answer."""

    @override
    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope[ABORT] = self.transport.abort  # type: ignore[typeddict-unknown-key]


class _Server(uvicorn.Server):
    """One of several in a loop: leaves the signals alone, and says when it answers."""

    def __init__(self, app: ASGIApp) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=_Protocol,
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=1,
                backlog=BACKLOG,
            )
        )
        self.answering = asyncio.Event()

    async def guarded(self, sockets: list[socket.socket]) -> None:
        """Serves; when cancelled, closes what it opened first."""
        task = asyncio.ensure_future(self.serve(sockets))
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            self.should_exit = True
            await task
            raise

    @override
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.answering.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """The signals are for the command that runs us."""
        yield


def _sockets(config: SandboxConfig) -> dict[str, socket.socket]:
    unknown = sorted(set(config.ports) - set(NAMES))
    if unknown:
        raise ConfigurationError(f"--ports: {', '.join(unknown)}: must be among {', '.join(NAMES)}")
    return {name: _listener(config.host, name, config.ports.get(name, 0)) for name in NAMES}


def _listener(host: str, name: str, port: int) -> socket.socket:
    """A socket that listens. It says that it is TCP: only then asyncio switches Nagle's delay off."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except (OSError, OverflowError):
        listener.close()
        raise ConfigurationError(f"--ports: {name}={port}: can not listen on it at {host}") from None
    return listener


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
