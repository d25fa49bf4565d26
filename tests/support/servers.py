"""One PostgreSQL and one Valkey for a whole test run, with one migrated template database.

Where they come from, in this order: TEST_DATABASE_URL (a superuser's) and TEST_REDIS_URL; containers, when
REVENUEFLOW_TEST_SERVERS=containers and a Docker engine answers; else the embedded ones.

Under pytest-xdist they belong to the controller: it outlives every worker. Nothing is started before a test
asks, so a run of unit tests alone needs no server. A worker asks over a loopback connection (`Broker`).
"""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client, Listener
from pathlib import Path
from threading import Lock, Thread
from urllib.parse import urlsplit, urlunsplit

from revenueflow.devserver import cluster
from revenueflow.devserver.cluster import DatabaseUrls
from revenueflow.devserver.postgres import Postgres
from revenueflow.devserver.valkey import Valkey
from revenueflow.errors import RevenueFlowError
from tests.support.processes import gone, until
from tests.support.sql import Looker

HOME_PREFIX = "revenueflow-tests-"


class ServersUnavailable(Exception):
    """No servers for this run: the message says why."""


@dataclass(frozen=True, slots=True)
class Servers:
    """What a worker needs to know. `prefix` begins the name of every database of this run."""

    superuser_url: str
    redis_url: str
    prefix: str

    @property
    def template(self) -> str:
        """The migrated database that others are copied from."""
        return f"{self.prefix}_template"

    def redis_database(self, number: int) -> str:
        """The URL of one logical database of Valkey."""
        return urlunsplit(urlsplit(self.redis_url)._replace(path=f"/{number}"))


class Copies:
    """Copies of the template, made and dropped over one connection: to open one costs more than to copy."""

    def __init__(self, servers: Servers) -> None:
        self._servers = servers
        self._looker = Looker(servers.superuser_url)

    @contextmanager
    def one(self) -> Iterator[DatabaseUrls]:
        """A fresh, migrated database, dropped afterwards.

        By copying files: the default way writes all of it to the log as well, and is the slower one.
        """
        name = f"{self._servers.prefix}_{secrets.token_hex(5)}"
        template, owner = self._servers.template, cluster.OWNER
        self._looker.rows(f"CREATE DATABASE {name} TEMPLATE {template} OWNER {owner} STRATEGY FILE_COPY")
        yield cluster.database_urls(self._servers.superuser_url, name)
        self._looker.rows(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def close(self) -> None:
        """Closes the connection."""
        self._looker.close()


MEMORY = Path("/dev/shm")
MEMORY_BYTES = 2**30


@contextmanager
def server_home() -> Iterator[Path]:
    """A temporary folder that the server's user can reach; pytest's own is closed to `nobody`.

    In memory where there is room: a copy of the template takes 10 ms there, and up to 500 ms on a busy disk.
    """
    base = _base()
    _sweep(base)
    path = Path(tempfile.mkdtemp(prefix=f"{HOME_PREFIX}{os.getpid()}-", dir=base))
    path.chmod(0o711)
    try:
        yield path
    finally:
        until(lambda: _removed(path))  # a server whose starter was killed may still be writing its last


def _removed(path: Path) -> bool:
    shutil.rmtree(path, ignore_errors=True)
    return not path.exists()


def _base() -> Path:
    if MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free >= MEMORY_BYTES:
        return MEMORY
    return Path(tempfile.gettempdir())


def _sweep(base: Path) -> None:
    """Remove what runs left behind that were killed."""
    for left_over in base.glob(f"{HOME_PREFIX}*"):
        pid = left_over.name.removeprefix(HOME_PREFIX).partition("-")[0]
        if pid.isdigit() and gone(int(pid)):
            shutil.rmtree(left_over, ignore_errors=True)


class Source(ABC):
    """Something that can start the servers. Entered at most once, and closed at the end of the run."""

    def __init__(self) -> None:
        self.undo = ExitStack()

    @abstractmethod
    def start(self) -> tuple[str, str]:
        """The superuser's DSN and the URL of Valkey."""


class Given(Source):
    """Servers that somebody else runs."""

    def start(self) -> tuple[str, str]:
        return os.environ["TEST_DATABASE_URL"], os.environ["TEST_REDIS_URL"]


class Embedded(Source):
    """Our own, without safety against a crash of the machine, and gone at the end."""

    def start(self) -> tuple[str, str]:
        home = self.undo.enter_context(server_home())
        postgres = Postgres(home, durable=False)
        self.undo.callback(postgres.destroy)
        postgres.start()
        valkey = self.undo.enter_context(Valkey(home, durable=False))
        return postgres.superuser_url, valkey.url


def choose_source() -> Source:
    """By the environment; see the module's docstring."""
    given = [name for name in ("TEST_DATABASE_URL", "TEST_REDIS_URL") if os.environ.get(name)]
    if len(given) == 1:
        raise ServersUnavailable(f"Only {given[0]} is set; give TEST_DATABASE_URL and TEST_REDIS_URL, or neither.")
    if given:
        return Given()
    if os.environ.get("REVENUEFLOW_TEST_SERVERS") == "containers":
        from tests.support import containers  # its libraries are slow to import, and rarely asked for

        if containers.docker_answers():
            return containers.Containers()
    return Embedded()


class ServerSession:
    """The servers of a run: started by the first `get()`, stopped by `close()`."""

    def __init__(self) -> None:
        self._undo = ExitStack()
        self._servers: Servers | None = None
        self._failure: str | None = None
        self._lock = Lock()

    def get(self) -> Servers:
        """Raises ServersUnavailable with the reason."""
        with self._lock:
            if self._failure is not None:  # every worker asks: fail each at once instead of trying again
                raise ServersUnavailable(self._failure)
            if self._servers is None:
                self._servers = self._start()
            return self._servers

    def close(self) -> None:
        """Drop the databases of this run and stop what we started."""
        self._undo.close()

    def _start(self) -> Servers:
        source = choose_source()
        self._undo.push(source.undo)
        try:
            superuser_url, redis_url = source.start()
            servers = Servers(superuser_url, redis_url, f"rf_{secrets.token_hex(4)}")
            self._undo.callback(cluster.drop_database, superuser_url, servers.template)
            cluster.provision(superuser_url, servers.template)
            cluster.make_template(superuser_url, servers.template)
        except RevenueFlowError as error:
            self._failure = str(error)
            raise ServersUnavailable(self._failure) from error
        return servers


class Broker:
    """In the xdist controller: tells workers where the servers are; the first that asks has them started."""

    def __init__(self, session: ServerSession) -> None:
        self._session = session
        self._key = secrets.token_bytes(16)
        self._listener = Listener(("127.0.0.1", 0), authkey=self._key)
        Thread(target=self._serve, daemon=True, name="test-servers").start()

    @property
    def ticket(self) -> tuple[str, int, str]:
        """What a worker needs to ask; plain values, as xdist requires."""
        host, port = self._listener.address
        return host, port, self._key.hex()

    def _serve(self) -> None:
        while True:
            with suppress(AuthenticationError, EOFError, ConnectionError):
                connection = self._listener.accept()
                with connection:
                    connection.send(self._answer())

    def _answer(self) -> Servers | str:
        try:
            return self._session.get()
        except ServersUnavailable as error:
            return str(error)


def ask(ticket: tuple[str, int, str]) -> Servers:
    """In a worker: the servers of this run. Raises ServersUnavailable."""
    host, port, key = ticket
    with Client((host, port), authkey=bytes.fromhex(key)) as connection:
        answer = connection.recv()
    if not isinstance(answer, Servers):
        raise ServersUnavailable(answer)
    return answer
