"""What a benchmark measures: embedded Postgres and Valkey on disk with fsync on, and processes of ours beside them."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from revenueflow import defaults
from revenueflow.db import api_keys
from revenueflow.db.engine import engine_for
from revenueflow.db.session import Database
from revenueflow.devserver import environment, secrets
from revenueflow.devserver.backends import Backends
from revenueflow.devserver.children import Child, spawn
from revenueflow.devserver.server import HOST, free_port, write_secret
from revenueflow.devserver.services import Running, Service, await_answer, pids
from revenueflow.settings import DatabaseSettings

GIVEN = ("DATABASE_URL", "MIGRATION_DATABASE_URL", "SEALER_DATABASE_URL", "REDIS_URL")
LIMIT = 1800
"""Seconds after which a measurement is given up."""


class Stack:
    """Everything lies in `folder`; `stop` ends what was started, the last first."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.services: dict[str, Service] = {}
        self.env: dict[str, str] = {}
        self.port = free_port()
        self.backends = Backends(folder, self.services, say)

    @property
    def api(self) -> str:
        """Where our API answers."""
        return f"http://{HOST}:{self.port}"

    @property
    def database_url(self) -> str:
        """The application's."""
        return self.backends.urls["DATABASE_URL"]

    def start(self) -> None:
        """Postgres and Valkey, the schema, and the keys."""
        self.backends.start()
        held = secrets.ensure(self.folder)
        write_secret(self.folder / "identity.key", held.identity + "\n")
        (self.folder / "spool").mkdir()
        (self.folder / "logs").mkdir()
        asyncio.run(_store_keys(self.database_url, held.keys))
        self.env = environment.of_process(self.folder, held, self.backends.urls, self.api)
        self.env |= {"REVENUEFLOW_CONFIG_DIR": str(_unhurried(self.folder / "config"))}

    def serve(self, name: str, **env: str) -> None:
        """One of our processes: api, relay or worker."""
        if name == "api":
            self.run("api", ["-m", "revenueflow", "serve", "api", "--port", str(self.port)], self.port, "livez", **env)
            return
        port = free_port()
        env |= {"REVENUEFLOW_METRICS_PORT": str(port)}
        self.run(name, ["-m", "revenueflow", "serve", name], port, "metrics", **env)

    def run(self, name: str, arguments: list[str], port: int, path: str, **env: str) -> None:
        """A Python process that answers on `port` when it is ready."""
        log = self.folder / "logs" / f"{name}.log"

        def start() -> Running:
            child = spawn([sys.executable, *arguments], log=log, env=self.env | env, cwd=Path.cwd())
            await_answer(name, child, f"http://{HOST}:{port}/{path}", log)
            return child

        self.services[name] = Service(name, start, _end)
        self.services[name].up()
        say(f"{name} is up")

    def end(self, name: str) -> None:
        """Ends one process."""
        self.services.pop(name).down()

    def stop(self) -> None:
        """Ends all of them."""
        for name in reversed(list(self.services)):
            self.services[name].down()

    def ports_file(self, api: str | None = None) -> Path:
        """A file as `up --ports-file` writes it; `api` names another API with the same secrets."""
        path = self.folder / "ports.json"
        held = secrets.ensure(self.folder)
        told = {
            "api": api or self.api,
            "webhook_secrets": dict(held.webhooks),
            "database_url": self.database_url,
            "pids": pids(self.services),
        }
        path.write_text(json.dumps(told))
        return path


@contextmanager
def stack() -> Iterator[Stack]:
    """A stack in a folder of its own on disk, removed at the end."""
    for name in GIVEN:  # a benchmark writes a lot: never into servers that somebody uses
        os.environ.pop(name, None)
    # Below /var/tmp, which unlike /tmp is on disk everywhere; whoever Postgres runs as must be able to pass.
    folder = Path(tempfile.mkdtemp(prefix="revenueflow-bench-", dir="/var/tmp"))
    folder.chmod(0o711)
    one = Stack(folder)
    with ExitStack() as undo:
        undo.callback(shutil.rmtree, folder, ignore_errors=True)
        undo.callback(one.stop)
        one.start()
        yield one


def _end(child: Running) -> None:
    assert isinstance(child, Child)
    child.stop(grace=30.0)


def measured(kind: str, ports_file: Path, *arguments: str) -> dict[str, Any]:
    """`revenueflow bench KIND`: its figures. Ends the program if it failed."""
    command = [sys.executable, "-m", "revenueflow", "bench", kind, "--ports-file", str(ports_file), *arguments]
    ran = subprocess.run(command, stdout=subprocess.PIPE, timeout=LIMIT, check=False)
    if not ran.stdout:
        raise SystemExit(f"revenueflow bench {kind} ended with status {ran.returncode}")
    figures: dict[str, Any] = json.loads(ran.stdout)
    return figures


def say(line: str) -> None:
    """Progress, on standard error."""
    print(line, file=sys.stderr, flush=True)


def print_json(figures: Mapping[str, Any]) -> None:
    """The result, on standard output."""
    json.dump(figures, sys.stdout, indent=2)
    print()


def _unhurried(folder: Path) -> Path:
    """A folder with our rules: no rate limits of providers, room for what is pretended to be spent, and for calls."""
    text = re.sub(r"^per_(second|minute) = .*\n", "", defaults.text("enrichment.toml"), flags=re.MULTILINE)
    folder.mkdir()
    (folder / "enrichment.toml").write_text(text.replace("day = 250", "day = 1_000_000"), encoding="utf-8")
    text = re.sub(r"^(per_lead|per_caller|per_crm) = \d+$", r"\1 = 1000000", defaults.text("policy.toml"), flags=re.M)
    (folder / "policy.toml").write_text(text, encoding="utf-8")
    return folder


async def _store_keys(database_url: str, keys: Mapping[str, str]) -> None:
    settings = DatabaseSettings(url=database_url, pool_size=2)
    async with engine_for(settings, application="bench") as engine, Database(engine).transaction() as session:
        for role, key in keys.items():
            await api_keys.add(session, key, role=role, name=f"bench {role}")
