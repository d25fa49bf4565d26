"""Tool calls over MCP: streamable HTTP against one API process.

    python -m bench.mcp

Writes to the mock CRM, then the same under the same keys (the guard does all its work, and answers from the ledger),
then `tools/list`. The floor is `/livez` of the same process by the same connections in the same run.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import NAMESPACE_OID, uuid5

import aiohttp
import orjson

from bench.stack import Stack, print_json, stack
from revenueflow.bench.meter import Meter
from revenueflow.devserver import secrets
from revenueflow.devserver.services import pids

VERSION = "2025-11-25"


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--calls", type=int, default=5000)
    parser.add_argument("--connections", type=int, default=32)
    args = parser.parse_args()
    with stack() as one:
        one.serve("api", REVENUEFLOW_KEY_LIMIT="10000000")
        key = secrets.ensure(one.folder).keys["operator"]
        print_json(asyncio.run(_measure(one, key, args.calls, args.connections)))


async def _measure(one: Stack, key: str, calls: int, connections: int) -> dict[str, Any]:
    url = one.api
    headers = {
        "Authorization": f"Bearer {key}", "Accept": "application/json, text/event-stream",
        "Content-Type": "application/json", "MCP-Protocol-Version": VERSION,
    }  # fmt: skip
    connector = aiohttp.TCPConnector(limit=connections)
    async with aiohttp.ClientSession(headers=headers, connector=connector) as session:
        first = await _call(session, f"{url}/mcp", _body("warm"))
        kinds = {
            "livez": lambda _: _get(session, f"{url}/livez"),
            "writes": lambda n: _write(session, url, n, replayed=False),
            "replays": lambda n: _write(session, url, n, replayed=True),
            "lists": lambda _: _call(session, f"{url}/mcp", LIST),
        }
        rates = {kind: await _rate(one, ask, calls, connections) for kind, ask in kinds.items()}
    return {"first": first["result"]["structuredContent"]["status"], **rates}


LIST = orjson.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/list"})


def _body(number: str) -> bytes:
    lead = str(uuid5(NAMESPACE_OID, number))
    args = {"lead_id": lead, "owner_id": "dana", "owner_name": "Dana", "reason": "bench", "idempotency_key": number}
    params = {"name": "assign_owner", "arguments": args}
    return orjson.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params})


async def _call(session: aiohttp.ClientSession, url: str, body: bytes) -> dict[str, Any]:
    async with session.post(url, data=body) as answer:
        found: dict[str, Any] = orjson.loads(await answer.read())
        assert "result" in found, found
        return found


async def _write(session: aiohttp.ClientSession, url: str, number: int, *, replayed: bool) -> None:
    told = (await _call(session, f"{url}/mcp", _body(str(number))))["result"]["structuredContent"]
    assert (told["status"], told["replayed"]) == ("confirmed", replayed), told


async def _get(session: aiohttp.ClientSession, url: str) -> None:
    async with session.get(url) as answer:
        await answer.read()


async def _rate(one: Stack, ask: Callable[[int], Awaitable[Any]], calls: int, connections: int) -> dict[str, float]:
    left = iter(range(calls))

    async def work() -> None:
        for number in left:
            await ask(number)

    with Meter({"api": [pids(one.services)["api"]]}) as meter:
        start = time.perf_counter()
        await asyncio.gather(*(work() for _ in range(connections)))
        seconds = time.perf_counter() - start
    return {"per_second": round(calls / seconds), "api_cpu_ms": round(meter.cpu.get("api", 0) * 1000 / calls, 3)}


if __name__ == "__main__":
    main()
