"""A client whose network is gone in the middle of a statement, without the server learning of it."""

from __future__ import annotations

import time
from urllib.parse import urlsplit

import asyncpg

from revenueflow.db.direct import Direct, server_settings
from revenueflow.devserver.cluster import DatabaseUrls
from revenueflow.settings import DatabaseSettings
from tests.support import sql
from tests.support.processes import until
from tests.support.proxy import Proxy

LOCK = "SELECT pg_advisory_xact_lock(4711)"
HELD = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711"
SOON = "1000"


async def test_what_it_held_is_let_go(worker_database: DatabaseUrls) -> None:
    target = urlsplit(worker_database.app_url)
    usual = server_settings("test", 5)
    settings = DatabaseSettings(url=worker_database.app_url)
    async with Direct(settings, application="test") as direct, direct.connection() as ours:
        assert await ours.fetchval("SHOW transaction_timeout") == "15s"  # less than a lease
    with Proxy(target.hostname or "", target.port or 0) as proxy:
        url = worker_database.app_url.replace(f":{target.port}/", f":{proxy.port}/")
        connection = await asyncpg.connect(url, server_settings=usual | {"transaction_timeout": SOON})
        await connection.execute(f"BEGIN; {LOCK}")
        await connection.prepare("SELECT 2")  # ends with Flush: the server waits for the rest, and is not idle
        proxy.half_close()
        held_at = time.monotonic()
        assert sql.rows(worker_database.app_url, HELD)
        until(lambda: not sql.rows(worker_database.app_url, HELD), seconds=10)
        assert time.monotonic() - held_at > 0.3, "the server had learned that the client was gone"
        connection.terminate()
