"""One running API for the tests of a worker that need no database of their own, and a fresh one for those that do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from revenueflow.devserver.cluster import DatabaseUrls
from tests.support.api import Api, add_keys, served, settings_for
from tests.support.servers import Servers


@pytest.fixture(scope="session")
def shared_api(
    worker_database: DatabaseUrls, servers: Servers, worker_number: int, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Api]:
    """An API on the database of this worker: use leads of your own and don't count rows."""
    redis_url = servers.redis_database(worker_number)
    settings = settings_for(worker_database.app_url, redis_url, tmp_path_factory.mktemp("keys"))
    with served(settings) as client:
        yield Api(client, add_keys(worker_database))


@pytest.fixture
def api(database: DatabaseUrls, redis_url: str, tmp_path: Path) -> Iterator[Api]:
    """An API on a database of its own."""
    with served(settings_for(database.app_url, redis_url, tmp_path)) as client:
        yield Api(client, add_keys(database))
