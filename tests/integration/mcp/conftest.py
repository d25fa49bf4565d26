"""A house for each test, and claims to write with."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from revenueflow.devserver.cluster import DatabaseUrls
from revenueflow.settings import AnalysisSettings
from tests.support.house import House, house


@pytest.fixture
async def home(database: DatabaseUrls, redis_url: str, tmp_path: Path) -> AsyncIterator[House]:
    """Fresh database, empty Redis, a sandbox of its own."""
    no_model = AnalysisSettings(provider="rules")
    async with house(database, redis_url, tmp_path, analysis=no_model) as one:
        yield one
