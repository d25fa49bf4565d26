"""Fixtures for all tests. Real PostgreSQL and Valkey; see `tests/support/servers.py` for where they come
from.

    database          a fresh, migrated database for this test (about 60 ms), dropped afterwards
    worker_database   one database for all tests of a worker; use ids of your own and don't count rows
    redis_url         a logical Valkey database of this worker, emptied before each test
    server_home       a folder for a test that starts servers of its own, also as root
"""

from __future__ import annotations

import gc
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from hypothesis import settings

from revenueflow.devserver.cluster import DatabaseUrls
from revenueflow.resilience import heap
from tests.support.servers import Broker, Copies, Servers, ServerSession, ServersUnavailable, ask
from tests.support.servers import server_home as make_server_home

# How long an example takes says how busy the machine is.
settings.register_profile("any speed", deadline=None)
settings.load_profile("any speed")

_session_key = pytest.StashKey[ServerSession]()
_broker_key = pytest.StashKey[Broker]()


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        config.stash[_session_key] = ServerSession()


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is imported and collected stays until the end: looking through it for garbage costs a third of the time."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(heap.YOUNG, 20, 20)
        gc.enable()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Called in the xdist controller for each worker, before it starts."""
    stash = node.config.stash
    if _broker_key not in stash:
        stash[_broker_key] = Broker(stash[_session_key])
    node.workerinput["servers_ticket"] = stash[_broker_key].ticket


def pytest_unconfigure(config: pytest.Config) -> None:
    if _session_key in config.stash:
        config.stash[_session_key].close()


@pytest.fixture(scope="session")
def servers(request: pytest.FixtureRequest) -> Servers:
    """The servers of this run."""
    workerinput = getattr(request.config, "workerinput", None)
    try:
        if workerinput is None:
            return request.config.stash[_session_key].get()
        return ask(workerinput["servers_ticket"])
    except ServersUnavailable as error:
        pytest.fail(f"no test servers: {error}", pytrace=False)


@pytest.fixture(scope="session")
def copies(servers: Servers) -> Iterator[Copies]:
    """Makes databases."""
    made = Copies(servers)
    yield made
    made.close()


@pytest.fixture
def database(copies: Copies) -> Iterator[DatabaseUrls]:
    """A fresh, migrated database, with one DSN for each role."""
    with copies.one() as urls:
        yield urls


@pytest.fixture(scope="session")
def worker_database(copies: Copies) -> Iterator[DatabaseUrls]:
    """A migrated database that the tests of one worker share."""
    with copies.one() as urls:
        yield urls


@pytest.fixture
def redis_url(servers: Servers, worker_number: int) -> str:
    """An empty logical database of Valkey."""
    url = servers.redis_database(worker_number)
    with redis.Redis.from_url(url) as client:
        client.flushdb()
    return url


@pytest.fixture(scope="session")
def worker_number(request: pytest.FixtureRequest) -> int:
    """0, 1, … under pytest-xdist; 0 without it."""
    workerinput = getattr(request.config, "workerinput", None)
    return 0 if workerinput is None else int(workerinput["workerid"].removeprefix("gw"))


@pytest.fixture
def server_home() -> Iterator[Path]:
    """A folder that an embedded server can use whoever we are; removed afterwards."""
    with make_server_home() as path:
        yield path
