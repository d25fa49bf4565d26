"""A process of the stack: started, watched, and started again with growing pauses when it dies."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import httpx2

from revenueflow.devserver.errors import PortInUse, StartFailed
from revenueflow.devserver.server import HOST

SHORTEST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
STEADY_SECONDS = 60.0
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Trusts nobody: to read the certificates that a client would trust takes 25 ms, and we are on loopback."""


class Running(Protocol):
    """What a child process and an embedded server have in common."""

    @property
    def pid(self) -> int:
        """The process id."""

    def poll(self) -> int | None:
        """The exit status; None while it runs."""


@dataclass(slots=True)
class Service:
    """One supervised process. `start` starts it and returns once it answers."""

    name: str
    start: Callable[[], Running]
    stop: Callable[[Running], None]
    running: Running | None = None
    pause: float = SHORTEST_PAUSE
    started_at: float = field(default=0.0)
    again_at: float = field(default=0.0)

    def up(self) -> None:
        """Starts it."""
        self.running = self.start()
        self.started_at = time.monotonic()

    def down(self) -> None:
        """Ends it, if it runs."""
        if self.running is not None and self.running.poll() is None:
            self.stop(self.running)
        self.running = None

    def mend(self, say: Callable[[str], None]) -> bool:
        """Starts it again if it has died and its pause is over; True if it was started."""
        if self.running is not None and self.running.poll() is None:
            return False
        now = time.monotonic()
        if self.running is not None:
            self._died(now, say)
        if now < self.again_at:
            return False
        try:
            self.up()
        except StartFailed as error:
            self._postpone(now)
            say(f"{self.name}: {error.detail}")
            return False
        return True

    def _died(self, now: float, say: Callable[[str], None]) -> None:
        self.running = None
        if now - self.started_at > STEADY_SECONDS:
            self.pause = SHORTEST_PAUSE
        self._postpone(now)
        say(f"{self.name} has died; it is started again in {self.again_at - now:.1f} s")

    def _postpone(self, now: float) -> None:
        self.again_at = now + self.pause
        self.pause = min(self.pause * 2, LONGEST_PAUSE)


def pids(services: Mapping[str, Service]) -> dict[str, int]:
    """Process ids by name."""
    return {name: service.running.pid for name, service in services.items() if service.running}


def refuse_busy(port: int) -> None:
    """Raises PortInUse if somebody listens there: else another stack's answer would pass for ours."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            raise PortInUse(f"port {port} is in use by another process; choose one with --port, or 0") from None


def await_answer(name: str, child: Running, url: str, log: Path, *, seconds: float = 30.0) -> None:
    """Returns once `url` answers 200. Raises StartFailed if the process ends, or after `seconds`."""
    deadline = time.monotonic() + seconds
    with httpx2.Client(timeout=1.0, trust_env=False, verify=NO_TLS) as client:
        while time.monotonic() < deadline:
            _must_run(name, child, log)
            try:
                if client.get(url).status_code == 200:
                    return
            except httpx2.TransportError:
                pass
            time.sleep(0.02)
    raise StartFailed(f"{name} did not answer within {seconds:.0f} s; {log} may tell why")


def await_file(name: str, child: Running, path: Path, log: Path, *, seconds: float = 30.0) -> bytes:
    """Returns what a process writes into `path`. Raises StartFailed if it ends, or after `seconds`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if path.exists():
            return path.read_bytes()
        _must_run(name, child, log)
        time.sleep(0.02)
    raise StartFailed(f"{name} did not get ready within {seconds:.0f} s; {log} may tell why")


def _must_run(name: str, child: Running, log: Path) -> None:
    if (status := child.poll()) is not None:
        lines = log.read_text(errors="replace").strip().splitlines() if log.exists() else []
        raise StartFailed(f"{name} ended with status {status}: {lines[-1] if lines else ''}\n(its log: {log})")
