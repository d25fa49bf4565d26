"""A house for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from revenueflow.devserver.cluster import DatabaseUrls
from tests.support.house import House, house


@pytest.fixture
async def home(database: DatabaseUrls, redis_url: str, tmp_path: Path) -> AsyncIterator[House]:
    """Fresh database, empty Redis, a sandbox of its own."""
    async with house(database, redis_url, tmp_path) as one:
        yield one
