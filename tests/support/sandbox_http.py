"""A sandbox in the test's own process, spoken to over real HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2

from revenueflow.resilience.http import tls
from revenueflow.sandbox.server import SandboxConfig, run


class Sandbox:
    """A running sandbox, and a client."""

    def __init__(self, urls: dict[str, str], client: httpx2.AsyncClient) -> None:
        self.urls = urls
        self.client = client

    async def ask(self, upstream: str, method: str, path: str, **more: Any) -> httpx2.Response:
        """A request as an upstream gets it."""
        return await self.client.request(method, self.urls[upstream] + path, **more)

    async def break_(self, upstream: str, **faults: Any) -> None:
        """Sets faults."""
        (await self.ask("control", "PUT", f"/_sandbox/faults/{upstream}", json=faults)).raise_for_status()

    async def records(self, upstream: str = "crm") -> list[dict[str, Any]]:
        """The ledger of a CRM."""
        found = await self.ask("control", "GET", f"/_sandbox/ledger?upstream={upstream}")
        records: list[dict[str, Any]] = found.json()["records"]
        return records

    async def requests(self, upstream: str, since: str = "") -> list[dict[str, Any]]:
        """The journal."""
        path = f"/_sandbox/requests?upstream={upstream}&since={since}"
        requests: list[dict[str, Any]] = (await self.ask("control", "GET", path)).json()["requests"]
        return requests


@asynccontextmanager
async def running(**config: Any) -> AsyncIterator[Sandbox]:
    """A sandbox in this process."""
    ready: asyncio.Future[dict[str, str]] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(run(SandboxConfig(**({"latency": False} | config)), ready.set_result))
    try:
        either: set[asyncio.Future[Any]] = {task, ready}
        done, _ = await asyncio.wait(either, timeout=20, return_when=asyncio.FIRST_COMPLETED)
        assert done, "the sandbox did not start"
        if task in done:
            await task
        async with httpx2.AsyncClient(trust_env=False, timeout=5, verify=tls()) as client:
            yield Sandbox(ready.result(), client)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
