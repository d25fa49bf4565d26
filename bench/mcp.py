"""Tool calls over MCP: streamable HTTP against one API process.

    python -m bench.mcp

Writes to the mock CRM, then the same under the same keys (the guard does all its work, and answers from the ledger),
then `tools/list`. The floor is `/livez` of the same process by the same connections in the same run.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from typing import Any
from uuid import uuid4

import aiohttp
import orjson

from bench.stack import print_json, stack
from revenueflow.devserver import secrets

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
        print_json(asyncio.run(_measure(one.api, key, args.calls, args.connections)))


async def _measure(url: str, key: str, calls: int, connections: int) -> dict[str, Any]:
    headers = {
        "Authorization": f"Bearer {key}", "Accept": "application/json, text/event-stream",
        "Content-Type": "application/json", "MCP-Protocol-Version": VERSION,
    }  # fmt: skip
    connector = aiohttp.TCPConnector(limit=connections)
    async with aiohttp.ClientSession(headers=headers, connector=connector) as session:
        first = await _call(session, f"{url}/mcp", _body("warm"))
        floor = await _rate(lambda _: _get(session, f"{url}/livez"), calls, connections)
        called = await _rate(lambda n: _call(session, f"{url}/mcp", _body(str(n))), calls, connections)
        again = await _rate(lambda n: _call(session, f"{url}/mcp", _body(str(n))), calls, connections)
        listed = await _rate(lambda _: _call(session, f"{url}/mcp", LIST), calls, connections)
    return {
        "first": first["result"]["structuredContent"]["status"],
        "livez_per_second": floor,
        "writes_per_second": called,
        "replays_per_second": again,
        "lists_per_second": listed,
    }


LIST = orjson.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/list"})
LEADS = [str(uuid4()) for _ in range(64)]


def _body(number: str) -> bytes:
    lead = LEADS[hash(number) % len(LEADS)]
    args = {"lead_id": lead, "owner_id": "dana", "owner_name": "Dana", "reason": "bench", "idempotency_key": number}
    params = {"name": "assign_owner", "arguments": args}
    return orjson.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params})


async def _call(session: aiohttp.ClientSession, url: str, body: bytes) -> dict[str, Any]:
    async with session.post(url, data=body) as answer:
        found: dict[str, Any] = orjson.loads(await answer.read())
        assert "result" in found, found
        return found


async def _get(session: aiohttp.ClientSession, url: str) -> None:
    async with session.get(url) as answer:
        await answer.read()


async def _rate(ask: Any, calls: int, connections: int) -> int:
    left = iter(range(calls))

    async def work() -> None:
        for number in left:
            await ask(number)

    start = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(connections)))
    return round(calls / (time.perf_counter() - start))


if __name__ == "__main__":
    main()
