"""The whole system in one command: servers, schema, upstreams, API, relay and worker; watched until the end."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from revenueflow.audit import keys as audit_keys
from revenueflow.db import api_keys
from revenueflow.db.engine import engine_for
from revenueflow.db.session import Database
from revenueflow.devserver import environment, secrets
from revenueflow.devserver.backends import Backends
from revenueflow.devserver.children import Child, spawn
from revenueflow.devserver.files import write_private_json
from revenueflow.devserver.locks import DirectoryLock
from revenueflow.devserver.secrets import Secrets
from revenueflow.devserver.server import HOST, free_port, write_secret
from revenueflow.devserver.services import Service, await_answer, await_file, pids, refuse_busy
from revenueflow.settings import DatabaseSettings

Say = Callable[[str], None]
STOP_ORDER = ("api", "relay", "worker", "sealer", "sandbox", "valkey", "postgres")


@dataclass(frozen=True, slots=True)
class StackOptions:
    """`port` 0 takes a free one; `sandbox` replaces every upstream by the sandbox."""

    data_dir: Path
    port: int = 8000
    sandbox: bool = True
    invent_rate: float = 0.0
    seed: int = 1
    latency: bool = True
    ports_file: Path | None = None


class Stack:
    """Starts everything, and ends it so that what runs can still finish. `say` takes progress, a line at a time."""

    def __init__(self, options: StackOptions, say: Say) -> None:
        options.data_dir.mkdir(parents=True, exist_ok=True)
        self.options = options
        self.say = say
        self.services: dict[str, Service] = {}
        self.sandbox_urls: dict[str, str] = {}
        self.data_dir = options.data_dir.resolve()
        self.port = options.port or free_port()
        self._lock = DirectoryLock(self.data_dir)
        self.backends = Backends(self.data_dir, self.services, self.say)

    @property
    def api_url(self) -> str:
        """Where the API answers."""
        return f"http://{HOST}:{self.port}"

    @property
    def secrets(self) -> Secrets:
        """The development keys and secrets of this data directory."""
        return secrets.ensure(self.data_dir)

    def start(self) -> None:
        """Returns once everything answers. Raises a DevServerError; what was started is ended by `stop`."""
        self._lock.acquire()
        refuse_busy(self.port)
        _together(self.backends.start, *([self._start_sandbox] if self.options.sandbox else []))
        self._prepare_secrets()
        env = self._environment()
        relay, worker, sealer = free_port(), free_port(), free_port()
        _together(
            lambda: self._start("api", env, self.port, "livez", "--host", HOST, "--port", str(self.port)),
            lambda: self._start("relay", env | {"REVENUEFLOW_METRICS_PORT": str(relay)}, relay, "metrics"),
            lambda: self._start("worker", env | {"REVENUEFLOW_METRICS_PORT": str(worker)}, worker, "metrics"),
            *self._sealing(env | {"REVENUEFLOW_METRICS_PORT": str(sealer)}, sealer),
        )
        write_secret(self.data_dir / "env", environment.as_shell(env))
        self._write_ports_file()

    def supervise(self, stop: threading.Event) -> None:
        """Starts what dies again, until `stop` is set."""
        while not stop.wait(0.2):
            mended = [service.mend(self.say) for service in list(self.services.values())]
            if any(mended):
                self._write_ports_file()

    def stop(self) -> None:
        """Ends everything, the last started first."""
        for name in STOP_ORDER:
            if service := self.services.get(name):
                service.down()
        self._lock.release()

    def _prepare_secrets(self) -> None:
        held = self.secrets
        key_file = self.data_dir / "identity.key"
        if not key_file.exists():
            write_secret(key_file, held.identity + "\n")
        if not (self.data_dir / environment.AUDIT_KEY).exists():
            audit_keys.write(self.data_dir / environment.AUDIT_KEY)
        (self.data_dir / "spool").mkdir(exist_ok=True)
        asyncio.run(_store_keys(self.backends.urls["DATABASE_URL"], held.keys))

    def _sealing(self, env: Mapping[str, str], port: int) -> list[Callable[[], None]]:
        """Servers of the caller's own may have no role for the sealer."""
        sealed = "SEALER_DATABASE_URL" in self.backends.urls
        return [lambda: self._start("sealer", env, port, "metrics")] if sealed else []

    def _start_sandbox(self) -> None:
        ports_file = self.data_dir / "sandbox.json"
        ports_file.unlink(missing_ok=True)

        def start() -> Child:
            ports = ",".join(f"{name}={url.rpartition(':')[2]}" for name, url in self.sandbox_urls.items())
            child = self._spawn(
                "sandbox", None, "--seed", str(self.options.seed), "--invent-rate", str(self.options.invent_rate),
                "--latency" if self.options.latency else "--no-latency", "--ports", ports,
                "--data-dir", str(self.data_dir / "sandbox"), "--ports-file", str(ports_file),
            )  # fmt: skip
            if not self.sandbox_urls:
                self.sandbox_urls.update(orjson.loads(await_file("sandbox", child, ports_file, self._log("sandbox"))))
            await_answer(
                "sandbox", child, f"{self.sandbox_urls['control']}/_sandbox/ledger?upstream=crm", self._log("sandbox")
            )
            return child

        self._add("sandbox", start)

    def _start(self, name: str, env: Mapping[str, str], port: int, path: str, *arguments: str) -> None:
        def start() -> Child:
            child = self._spawn(name, env, *arguments)
            await_answer(name, child, f"http://{HOST}:{port}/{path}", self._log(name))
            return child

        self._add(name, start)

    def _add(self, name: str, start: Callable[[], Child]) -> None:
        service = Service(name, start, _stop)
        self.services[name] = service
        service.up()
        self.say(f"{name} is up")

    def _spawn(self, name: str, env: Mapping[str, str] | None, *arguments: str) -> Child:
        command = [sys.executable, "-m", "revenueflow", "serve", name, *arguments]
        return spawn(command, log=self._log(name), env=env)

    def _log(self, name: str) -> Path:
        (self.data_dir / "logs").mkdir(exist_ok=True)
        return self.data_dir / "logs" / f"{name}.log"

    def _environment(self) -> dict[str, str]:
        env = environment.of_process(self.data_dir, self.secrets, self.backends.urls, self.api_url)
        return env | (environment.of_sandbox(self.sandbox_urls) if self.options.sandbox else {})

    def description(self) -> dict[str, Any]:
        """What --ports-file holds: every URL, key, secret and process id."""
        held = self.secrets
        return {
            "api": self.api_url,
            "mcp": f"{self.api_url}/mcp",
            "sandbox": self.sandbox_urls or None,
            "database_url": self.backends.urls["DATABASE_URL"],
            "auditor_url": self.backends.urls.get("AUDITOR_DATABASE_URL"),
            "redis_url": self.backends.urls["REDIS_URL"],
            "api_key": held.keys["admin"],
            "keys": dict(held.keys),
            "webhook_secrets": dict(held.webhooks),
            "pids": pids(self.services),
        }

    def _write_ports_file(self) -> None:
        if self.options.ports_file:
            write_private_json(self.options.ports_file, self.description())


def _together(*starts: Callable[[], None]) -> None:
    """Runs them at the same time; raises the first error once all have ended."""
    with ThreadPoolExecutor() as pool:
        for started in [pool.submit(start) for start in starts]:
            started.result()


def _stop(child: Any) -> None:
    child.stop(grace=30.0)


async def _store_keys(database_url: str, keys: Mapping[str, str]) -> None:
    settings = DatabaseSettings(url=database_url, pool_size=2)
    async with engine_for(settings, application="up") as engine, Database(engine).transaction() as session:
        for role, key in keys.items():
            await api_keys.add(session, key, role=role, name=f"development {role}")
