"""Embedded PostgreSQL: a cluster of our own, on loopback TCP, with a password."""

from __future__ import annotations

import secrets
import shutil
import signal
import subprocess
from pathlib import Path
from typing import ClassVar
from urllib.parse import quote

import asyncpg

from revenueflow.devserver import blocking
from revenueflow.devserver.binaries import find_postgres
from revenueflow.devserver.children import Identity
from revenueflow.devserver.errors import AlreadyRunning, StartFailed
from revenueflow.devserver.places import give, place_data, remove_data, runnable_bin, server_identity
from revenueflow.devserver.server import HOST, EmbeddedServer, write_secret

SUPERUSER = "postgres"
# Every password here is made of random bits, at least 192: stretching it would only cost each connection 20 ms.
STRETCHING = "scram_iterations=1"
_PASSWORD_FILE = "superuser.password"  # noqa: S105 a file name
_INITDB_SECONDS = 180.0

_ALWAYS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "max_connections": "300",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    "jit": "off",
}
_DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "shared_buffers": "128MB"}
_FAST = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum": "off",
    "checkpoint_timeout": "1h",
    "max_wal_size": "512MB",
    "shared_buffers": "32MB",
}


class Postgres(EmbeddedServer):
    """PostgreSQL with pgvector.

    `data_dir/postgres/cluster` is the cluster (as root perhaps a symbolic link, see `places`). The generated
    password of the superuser `postgres` lies inside it in a file of mode 0600, so both are made and lost
    together. As root the server runs as `nobody`.
    """

    name: ClassVar[str] = "postgres"
    # SIGINT: end all sessions, write a checkpoint, end. SIGQUIT: end now, recover at the next start.
    stop_signals: ClassVar[tuple[signal.Signals, ...]] = (signal.SIGINT, signal.SIGQUIT)

    def __init__(self, data_dir: Path, *, port: int = 0, durable: bool = True) -> None:
        super().__init__(data_dir, port=port, durable=durable)
        self._link = self.home / "cluster"
        self._password = ""
        self._bin = Path()

    @property
    def superuser_url(self) -> str:
        """`postgresql://postgres:PASSWORD@127.0.0.1:PORT/postgres`."""
        return self.url("postgres")

    def url(self, database: str, user: str = SUPERUSER, password: str | None = None) -> str:
        """A DSN for one database. `password` defaults to the superuser's."""
        secret = self._password if password is None else password
        return f"postgresql://{quote(user)}:{quote(secret, safe='')}@{HOST}:{self.port}/{quote(database)}"

    def destroy(self) -> None:
        """Stop, and remove the cluster with all its data."""
        self.stop()
        remove_data(self._link)

    def _identity(self) -> Identity | None:
        return server_identity(self._link)

    def _prepare(self) -> None:
        identity = self._identity()
        self._bin = runnable_bin(find_postgres(), identity)
        cluster = place_data(self._link, identity)
        if not (cluster / "PG_VERSION").exists():
            self._create(cluster, identity)
        self._password = (cluster / _PASSWORD_FILE).read_text()
        _forget_dead_postmaster(cluster)

    def _create(self, cluster: Path, identity: Identity | None) -> None:
        """Make the cluster beside its place and rename it: an interrupted creation leaves no half cluster."""
        partial = cluster.with_name("cluster.partial")
        password_file = cluster.with_name("password.partial")
        for left_over in (partial, cluster):
            shutil.rmtree(left_over, ignore_errors=True)
        partial.mkdir(mode=0o700)
        write_secret(password_file, secrets.token_urlsafe(24))
        give(partial, identity)
        give(password_file, identity)
        self._initdb(partial, password_file)
        password_file.replace(partial / _PASSWORD_FILE)
        partial.rename(cluster)

    def _initdb(self, target: Path, password_file: Path) -> None:
        command: list[str | Path] = [self._bin / "initdb", "-D", target, "-U", SUPERUSER]
        command += [f"--pwfile={password_file}"]
        command += ["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-instructions"]
        command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "-c", STRETCHING]
        child = self._spawn(command if self.durable else [*command, "--no-sync"])
        try:
            status = child.wait(_INITDB_SECONDS)
        except TimeoutError:
            status = child.stop(signal.SIGTERM)
        if status != 0:
            raise StartFailed(f"initdb ended with status {status}; see {self.log_path}.")

    def _command(self, port: int) -> list[str | Path]:
        settings = {**_ALWAYS, **(_DURABLE if self.durable else _FAST), "port": str(port)}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        options += ["-c", STRETCHING]
        return [self._bin / "postgres", "-D", self._link.resolve(), *options]

    def _answers(self, port: int) -> bool:
        return blocking.run(_answers(port, self._password))


async def _answers(port: int, password: str) -> bool:
    try:
        connection = await asyncpg.connect(
            host=HOST, port=port, user=SUPERUSER, password=password, database="postgres", ssl=False, timeout=2
        )
    except (
        OSError,
        TimeoutError,
        asyncpg.CannotConnectNowError,
        asyncpg.ConnectionDoesNotExistError,
    ):
        return False
    except asyncpg.InvalidPasswordError:
        raise StartFailed(f"PostgreSQL refuses the password in {_PASSWORD_FILE}: it was changed by hand.") from None
    try:
        return bool(await connection.fetchval("SELECT 1") == 1)
    finally:
        await connection.close()


def _forget_dead_postmaster(cluster: Path) -> None:
    """Remove a lock file whose pid is another program's by now, which PostgreSQL takes for a running server.

    We hold the directory's lock, so a live server on it can only be one that was started by hand.
    """
    lock_file = cluster / "postmaster.pid"
    if not lock_file.exists():
        return
    first = lock_file.read_text().splitlines()[:1]
    pid = int(first[0]) if first and first[0].strip().isdigit() else 0
    if str(cluster) in _command_line(pid):
        raise AlreadyRunning(f"{cluster} is in use by PostgreSQL, pid {pid}, started by hand.")
    lock_file.unlink()


def _command_line(pid: int) -> str:
    """The command line of a process, or nothing when it is gone."""
    if pid <= 0:
        return ""
    proc = Path("/proc") / str(pid) / "cmdline"
    if Path("/proc/self/cmdline").exists():
        return proc.read_bytes().replace(b"\0", b" ").decode(errors="replace") if proc.exists() else ""
    asked = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return asked.stdout
