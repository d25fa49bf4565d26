"""The whole system as separate real processes that can be killed, stopped and started again, one by one.

It is `revenueflow up` with three differences: times are short, a process is forked from one that has the program
imported (so that a restart takes a fraction of a second), and what dies is started again at once.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import redis

from revenueflow.devserver.children import Child, spawn
from revenueflow.devserver.errors import DevServerError
from revenueflow.devserver.services import Service
from revenueflow.devserver.stack import Stack, StackOptions
from revenueflow.resilience.http import tls
from tests.support import forks, sql
from tests.support.policy import unhurried
from tests.support.processes import until
from tests.support.servers import server_home

TIMES = {
    "REVENUEFLOW_LEASE_SECONDS": "1.5", "REVENUEFLOW_HEARTBEAT_SECONDS": "0.4", "REVENUEFLOW_RING_AGAIN_SECONDS": "1",
    "REVENUEFLOW_SETTLE_SECONDS": "0.5", "CRM_TIMEOUT_SECONDS": "1.2", "REVENUEFLOW_DIRECT_CLAIM_SECONDS": "2",
    "REVENUEFLOW_SWEEP_SECONDS": "0.1", "REVENUEFLOW_WORKER_CONCURRENCY": "50", "REVENUEFLOW_DRAIN_SECONDS": "10",
}  # fmt: skip
PLAIN: dict[str, Any] = {"trust_env": False, "verify": tls()}


class System(Stack):
    """`once` holds variables for the next start of a process only, `always` for every start."""

    def __init__(self, folder: Path, *, times: Mapping[str, str] = TIMES) -> None:
        super().__init__(StackOptions(folder / "data", 0, latency=False), say=lambda _: None)
        self.once: dict[str, dict[str, str]] = {}
        self.always: dict[str, dict[str, str]] = {}
        self.died_at: dict[str, float] = {}
        self._times = {**times, "REVENUEFLOW_CONFIG_DIR": str(unhurried(folder / "config"))}
        self._held: set[str] = set()
        self._looker: sql.Looker | None = None
        self._one_at_a_time = threading.Lock()
        self._stop = threading.Event()
        self._watcher = threading.Thread(target=self._watch, daemon=True)

    def begin(self) -> None:
        """Starts everything, and the watcher that starts again what dies."""
        self.start()
        self._watcher.start()

    def end(self) -> None:
        """Ends everything."""
        self._stop.set()
        if self._watcher.is_alive():
            self._watcher.join(10)
        self.thaw_all()
        if self._looker is not None:
            self._looker.close()
        self.stop()

    def add(self, name: str) -> None:
        """One more worker or relay, named `worker2`, `relay3`, …"""
        from revenueflow.devserver.server import free_port

        port = free_port()
        self._held.add(name)  # the watcher must not start it too
        self._start(name, self._environment() | {"REVENUEFLOW_METRICS_PORT": str(port)}, port, "metrics")
        self._held.discard(name)

    def remove(self, name: str) -> None:
        """Ends a process that was added."""
        self.hold(name)
        with self._one_at_a_time:
            del self.services[name]
            self._held.discard(name)

    def pid(self, name: str) -> int:
        """The process id of a service that runs."""
        running = self.services[name].running
        assert running is not None
        return running.pid

    def kill(self, name: str, number: signal.Signals = signal.SIGKILL) -> None:
        """Sends a signal; what dies of it is started again."""
        os.kill(self.pid(name), number)

    def arm(self, name: str, point: str) -> None:
        """Starts a process anew that will die at a crash point, once."""
        self.restart(name, REVENUEFLOW_CRASH_AT=point)

    def restart(self, name: str, **variables: str) -> None:
        """Ends a process and starts it with these variables."""
        with self.holding(name):
            self.once[name] = variables

    @contextmanager
    def holding(self, name: str) -> Iterator[None]:
        """The process is down while the block runs."""
        self.hold(name)
        try:
            yield
        finally:
            self.release(name)

    def hold(self, name: str) -> None:
        """Ends a process, which is not started again."""
        with self._one_at_a_time:  # the watcher may be starting it at this moment
            self._held.add(name)
        self.services[name].down()

    def release(self, name: str) -> None:
        """Starts it again. One that is armed may die before it answers."""
        self.died_at.pop(name, None)
        with_suppress(self.services[name].up)
        self._held.discard(name)

    def freeze(self, name: str) -> list[int]:
        """Stops a process and its children as SIGSTOP does; returns their ids."""
        pids = [self.pid(name), *_children(self.pid(name))]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        return pids

    def thaw(self, pids: list[int]) -> None:
        """Lets them go on."""
        for pid in pids:
            with_suppress(os.kill, pid, signal.SIGCONT)

    def thaw_all(self) -> None:
        """Lets everything go on that may be stopped."""
        for name, service in self.services.items():
            if service.running:
                self.thaw([self.pid(name), *_children(self.pid(name))])

    def await_death(self, name: str, *, seconds: float = 15.0) -> float:
        """When the process that was armed died (monotonic seconds). Raises TimeoutError."""
        until(lambda: name in self.died_at, seconds=seconds)
        return self.died_at.pop(name)

    def rows(self, query: str, *values: object) -> list[dict[str, Any]]:
        """What a superuser sees. Raises OSError while Postgres is away."""
        if self._looker is None:
            self._looker = sql.Looker(self._superuser_url)
        try:
            return self._looker.rows(query, *values)
        except (asyncpg.InterfaceError, asyncpg.PostgresConnectionError, asyncpg.OperatorInterventionError) as error:
            raise ConnectionError("Postgres is not back yet") from error

    @property
    def _superuser_url(self) -> str:
        return self.backends.urls["MIGRATION_DATABASE_URL"]

    @property
    def redis(self) -> redis.Redis:
        """A client of Valkey."""
        return redis.Redis.from_url(self.backends.urls["REDIS_URL"], socket_timeout=3)

    def faults(self, upstream: str, **faults: object) -> None:
        """Sets the faults of an upstream of the sandbox."""
        url = f"{self.sandbox_urls['control']}/_sandbox/faults/{upstream}"
        httpx2.put(url, json=faults, **PLAIN).raise_for_status()

    def sandbox(self, path: str) -> dict[str, Any]:
        """Asks the sandbox's control."""
        told: dict[str, Any] = httpx2.get(f"{self.sandbox_urls['control']}{path}", timeout=30, **PLAIN).json()
        return told

    def _spawn(self, name: str, env: Mapping[str, str] | None, *arguments: str) -> Child:
        variables = {**(env or os.environ), **self._times, **self.always.get(name, {}), **self.once.pop(name, {})}
        kind = name.rstrip("0123456789")
        if "LD_PRELOAD" in variables:  # read by the loader: only a program that is started anew obeys it
            return spawn(
                [sys.executable, "-m", "revenueflow", "serve", kind, *arguments], log=self._log(name), env=variables
            )
        return forks.revenueflow("serve", kind, *arguments, env=variables, out=self._log(name))  # type: ignore[return-value]

    def _watch(self) -> None:
        while not self._stop.wait(0.02):
            for name in list(self.services):
                with self._one_at_a_time:
                    service = self.services.get(name)
                    if service and name not in self._held and _is_dead(service):
                        self.died_at.setdefault(name, time.monotonic())
                        with_suppress(service.up)


def _is_dead(service: Service) -> bool:
    return service.running is None or service.running.poll() is not None


def with_suppress(call: Any, *arguments: Any) -> None:
    """Calls; a process that is gone, or does not start yet, is tried again later."""
    try:
        call(*arguments)
    except (ProcessLookupError, DevServerError):
        return


def _children(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in listed.read_text().split()] if listed.exists() else []


@contextmanager
def running(*, times: Mapping[str, str] = TIMES) -> Iterator[System]:
    """A system in a folder of its own."""
    with server_home() as folder:
        system = System(folder, times=times)
        try:
            system.begin()
            yield system
        finally:
            system.end()
