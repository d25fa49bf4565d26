"""The embedded servers, for real: started, stopped, killed, started again."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import shutil
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import redis

from revenueflow.devserver import binaries, cluster, places
from revenueflow.devserver.children import Guard, Identity, spawn
from revenueflow.devserver.cluster import DatabaseUrls
from revenueflow.devserver.errors import AlreadyRunning, BinaryNotFound, PortInUse
from revenueflow.devserver.postgres import Postgres
from revenueflow.devserver.valkey import Valkey
from tests.support.processes import gone, until

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs servers as another user")
not_root = pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")


def ask(url: str, statement: str) -> Any:
    """One statement, one value; in a thread, so that it works inside an event loop too."""

    async def fetch() -> Any:
        connection = await asyncpg.connect(url)
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, fetch()).result()


def remember(postgres: Postgres, valkey: Valkey) -> None:
    ask(postgres.superuser_url, "CREATE TABLE kept AS SELECT 42 AS answer")
    redis.Redis.from_url(valkey.url).set("kept", "42")


def assert_remembered(home: Path) -> None:
    with Postgres(home) as postgres, Valkey(home) as valkey:
        assert ask(postgres.superuser_url, "SELECT answer FROM kept") == 42
        assert redis.Redis.from_url(valkey.url).get("kept") == b"42"


PARENT = """
import json, sys, time
from pathlib import Path
from revenueflow.devserver.postgres import Postgres
from revenueflow.devserver.valkey import Valkey
home = Path(sys.argv[1])
postgres, valkey = Postgres(home).start(), Valkey(home).start()
told = {"pids": [postgres.pid, valkey.pid], "database": postgres.superuser_url, "redis": valkey.url}
print(json.dumps(told), flush=True)
sys.stdin.read()
"""

GUARDED = """
import sys
from revenueflow.devserver.children import spawn
child = spawn([sys.executable, "-c", "import time; time.sleep(600)"], guard=sys.argv[1])
print(child.pid, flush=True)
sys.stdin.read()
"""

STARTER = """
import sys
from pathlib import Path
from revenueflow.devserver.errors import AlreadyRunning
from revenueflow.devserver.postgres import Postgres
try:
    Postgres(Path(sys.argv[1]), durable=False).start()
except AlreadyRunning as error:
    print(error.code, flush=True)
else:
    print("started", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def run_python() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Run a script in a process of its own; killed at the end if it still runs."""
    started: list[subprocess.Popen[str]] = []

    def run(script: str, *arguments: object) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", script, *map(str, arguments)]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.communicate()


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_data_is_kept_between_runs(server_home: Path) -> None:
    with Postgres(server_home) as postgres, Valkey(server_home) as valkey:
        remember(postgres, valkey)
        first = postgres.pid, valkey.pid
    assert all(gone(pid) for pid in first)
    assert_remembered(server_home)


def test_servers_are_what_we_promise(server_home: Path) -> None:
    with Postgres(server_home) as postgres, Valkey(server_home) as valkey:
        url = postgres.superuser_url
        assert ask(url, "SHOW server_version_num") >= "180000"
        assert ask(url, "SELECT default_version FROM pg_available_extensions WHERE name = 'vector'")
        settings = ("fsync", "full_page_writes", "synchronous_commit")
        assert [ask(url, f"SHOW {name}") for name in settings] == ["on"] * 3
        assert ask(url, "SHOW password_encryption") == "scram-sha-256"
        assert ask(url, "SELECT 'Ä' < 'Z' COLLATE \"C\"") is False
        assert ask(url, "SELECT lower('ÄÖÜ')") == "äöü"
        configuration = redis.Redis.from_url(valkey.url, decode_responses=True).config_get
        assert configuration("appendonly") == {"appendonly": "yes"}
        assert configuration("maxmemory-policy") == {"maxmemory-policy": "noeviction"}


def test_only_who_has_the_password_comes_in(server_home: Path) -> None:
    with Postgres(server_home, durable=False) as postgres, Valkey(server_home) as valkey:
        with pytest.raises(asyncpg.InvalidPasswordError):
            ask(postgres.url("postgres", password="guess"), "SELECT 1")
        with pytest.raises(redis.AuthenticationError):
            redis.Redis(port=valkey.port).ping()
        for path in (server_home / "postgres/cluster/superuser.password", server_home / "valkey/password"):
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert "password" not in Path(f"/proc/{valkey.pid}/cmdline").read_text() or sys.platform != "linux"


def test_servers_die_with_a_parent_that_is_killed(
    server_home: Path, run_python: Callable[..., subprocess.Popen[str]]
) -> None:
    parent = run_python(PARENT, server_home)
    told = json.loads(said(parent))
    ask(told["database"], "CREATE TABLE kept AS SELECT 42 AS answer")
    redis.Redis.from_url(told["redis"]).set("kept", "42")
    parent.kill()
    assert_remembered(server_home)  # at once: the start waits for the orphans' end
    until(lambda: all(gone(pid) for pid in told["pids"]))


def test_a_killed_server_recovers(server_home: Path) -> None:
    with Postgres(server_home) as postgres, Valkey(server_home) as valkey:
        remember(postgres, valkey)
        redis.Redis.from_url(valkey.url).execute_command("WAITAOF", 1, 0, 5000)
        for server in (postgres, valkey):
            os.kill(server.pid, signal.SIGKILL)
            until(lambda server=server: server.poll() == -signal.SIGKILL)  # type: ignore[misc]
    assert (server_home / "postgres/cluster/postmaster.pid").exists()
    assert_remembered(server_home)


def test_a_stale_pid_file_that_names_a_living_process(server_home: Path) -> None:
    with Postgres(server_home, durable=False):
        pass
    lock_file = server_home / "postgres/cluster/postmaster.pid"
    stranger = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        lock_file.write_text(f"{stranger.pid}\n{lock_file.parent}\n1700000000\n1\n\n127.0.0.1\n\nready\n")
        lock_file.chmod(0o644)
        with Postgres(server_home, durable=False) as postgres:
            assert ask(postgres.superuser_url, "SELECT 1") == 1
        assert stranger.poll() is None
    finally:
        stranger.communicate()


def test_an_interrupted_creation_is_begun_again(server_home: Path) -> None:
    partial = server_home / "postgres/cluster.partial"
    partial.mkdir(parents=True)
    (partial / "PG_VERSION").write_text("18\n")
    with Postgres(server_home, durable=False) as postgres:
        assert ask(postgres.superuser_url, "SELECT 1") == 1


@pytest.mark.parametrize("kind", [Postgres, Valkey])
def test_a_second_start_is_refused_at_once(server_home: Path, kind: type[Postgres | Valkey]) -> None:
    with kind(server_home, durable=False) as running:
        begun = time.monotonic()
        with pytest.raises(AlreadyRunning, match=str(os.getpid())):
            kind(server_home, durable=False).start()
        with pytest.raises(AlreadyRunning):
            running.start()
        assert time.monotonic() - begun < 2
        assert running.poll() is None


def test_one_of_many_starters_wins(server_home: Path, run_python: Callable[..., subprocess.Popen[str]]) -> None:
    starters = [run_python(STARTER, server_home) for _ in range(4)]
    answers = sorted(said(starter) for starter in starters)
    assert answers == ["devserver_already_running"] * 3 + ["started"]


@pytest.mark.parametrize("kind", [Postgres, Valkey])
def test_a_port_that_is_taken(server_home: Path, kind: type[Postgres | Valkey]) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(PortInUse, match=str(port)):
            kind(server_home, port=port, durable=False).start()
    with kind(server_home, port=port, durable=False) as server:
        assert server.port == port


async def test_a_start_inside_an_event_loop(server_home: Path) -> None:
    with Postgres(server_home, durable=False) as postgres:
        assert ask(postgres.superuser_url, "SELECT 1") == 1


GUARDS: list[Guard] = ["kernel", "pipe"] if sys.platform == "linux" else ["pipe"]


@pytest.mark.parametrize("guard", GUARDS)
def test_a_child_dies_with_its_parent(guard: Guard, run_python: Callable[..., subprocess.Popen[str]]) -> None:
    parent = run_python(GUARDED, guard)
    child = int(said(parent))
    assert not gone(child)
    parent.kill()
    until(lambda: gone(child))


@pytest.mark.parametrize("guard", GUARDS)
def test_a_child_outlives_the_thread_that_started_it(guard: Guard) -> None:
    started = []
    thread = threading.Thread(
        target=lambda: started.append(spawn(["/bin/cat", "/dev/zero"], guard=guard, log=Path("/dev/null")))
    )
    thread.start()
    thread.join()
    child = started[0]
    with pytest.raises(TimeoutError):
        child.wait(0.3)
    assert child.stop() == -signal.SIGTERM


@pytest.mark.parametrize("guard", GUARDS)
def test_a_child_that_does_not_listen_is_killed(guard: Guard, tmp_path: Path) -> None:
    log = tmp_path / "log"
    script = "import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"
    child = spawn([sys.executable, "-c", script], log=log, guard=guard)
    until(lambda: log.read_text() == "deaf\n")
    assert child.stop(grace=0.1) == -signal.SIGKILL


def test_a_program_that_does_not_exist(tmp_path: Path) -> None:
    child = spawn([tmp_path / "nothing"], log=tmp_path / "log")
    assert child.wait(10) != 0
    assert "FileNotFoundError" in (tmp_path / "log").read_text()


@pytest.mark.parametrize(
    ("variable", "find"),
    [
        (binaries.POSTGRES_OVERRIDE, binaries.find_postgres),
        (binaries.VALKEY_OVERRIDE, binaries.find_valkey),
    ],
)
def test_a_missing_binary_says_where_we_looked(
    variable: str, find: Callable[[], object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, str(tmp_path))
    with pytest.raises(BinaryNotFound) as caught:
        find()
    assert str(tmp_path) in str(caught.value)
    assert variable in str(caught.value)
    assert "make setup" in str(caught.value)


def test_an_override_wins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "my-valkey"
    program.symlink_to(binaries.find_valkey())
    monkeypatch.setenv(binaries.VALKEY_OVERRIDE, str(program))
    assert binaries.find_valkey() == program


@as_root
def test_root_with_a_closed_data_directory(server_home: Path) -> None:
    closed = server_home / "closed"
    closed.mkdir(mode=0o700)
    with Postgres(closed, durable=False) as postgres:
        ask(postgres.superuser_url, "CREATE TABLE kept AS SELECT 42 AS answer")
    placed = (closed / "postgres/cluster").resolve()
    assert not placed.is_relative_to(server_home)
    with Postgres(closed, durable=False) as postgres:
        assert ask(postgres.superuser_url, "SELECT answer FROM kept") == 42
        assert Path(f"/proc/{postgres.pid}").stat().st_uid != 0
    postgres.destroy()
    assert not placed.parent.exists()


@as_root
def test_programs_in_a_closed_folder_are_copied_once(server_home: Path) -> None:
    found = binaries.find_postgres()
    if found.package is None:
        pytest.skip("PostgreSQL of the system")
    closed = server_home / "closed"
    closed.mkdir(mode=0o700)
    package = shutil.copytree(found.package, closed / found.package.name, symlinks=True)
    libraries = found.package.with_name(f"{found.package.name}.libs")
    shutil.copytree(libraries, closed / libraries.name)
    key = f"test-{secrets.token_hex(4)}"
    hidden = binaries.PostgresBinaries(package / found.bin.relative_to(found.package), package, key)
    nobody = places.server_identity(server_home / "nothing")
    with ThreadPoolExecutor(4) as starters:
        [copied] = set(starters.map(lambda _: places.runnable_bin(hidden, nobody), range(4)))
    try:
        child = spawn([copied / "initdb", "--version"], identity=nobody, cwd=Path("/"), log=server_home / "log")
        assert child.wait(10) == 0
        assert not list(copied.parents[3].glob(f".{key}*")), "a partial copy was left behind"
    finally:
        shutil.rmtree(copied.parents[2])


@not_root
def test_data_of_another_user_is_refused(tmp_path: Path) -> None:
    with pytest.raises(places.DataDirUnusable):
        places.server_identity(Path("/"))


def test_identity_reaches_only_open_folders(tmp_path: Path) -> None:
    stranger = Identity(54321, 54321)
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    assert not places.reachable(closed, stranger)
    assert places.reachable(Path("/"), stranger)


def test_each_role_has_its_own_login(database: DatabaseUrls) -> None:
    urls = {
        cluster.OWNER: database.owner_url,
        cluster.APPLICATION: database.app_url,
        cluster.SEALER: database.sealer_url,
        cluster.AUDITOR: database.auditor_url,
    }
    for role, url in urls.items():
        assert ask(url, "SELECT current_user::text") == role
        assert ask(url, "SELECT NOT rolsuper FROM pg_roles WHERE rolname = current_user")
    assert ask(database.owner_url, "SELECT count(*) > 0 FROM schema_version")


def test_provisioning_again_changes_nothing(server_home: Path) -> None:
    with Postgres(server_home, durable=False) as postgres:
        first = cluster.provision(postgres.superuser_url, "revenueflow")
        ask(first.owner_url, "CREATE TABLE kept AS SELECT 42 AS answer")
        assert cluster.provision(postgres.superuser_url, "revenueflow") == first
        assert ask(first.owner_url, "SELECT answer FROM kept") == 42
        assert ask(first.superuser_url, "SELECT extname::text FROM pg_extension WHERE extname = 'vector'") == "vector"


def test_tests_do_not_see_each_other(database: DatabaseUrls, redis_url: str, worker_database: DatabaseUrls) -> None:
    assert database.name != worker_database.name
    assert redis.Redis.from_url(redis_url).dbsize() == 0
