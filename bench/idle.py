"""From a webhook's 202 to the record in the CRM, at idle, against the upstreams' own time.

    revenueflow up --port 0 --ports-file /tmp/ports.json &
    python -m bench.idle --ports-file /tmp/ports.json --leads 20

Leads are sent one after the other. `total` is the database's time from the delivery to the confirmed
`upsert_lead`; `floor` is the same chain of upstream calls made by hand, right after each lead; `own` is the
difference: what RevenueFlow itself adds. Seconds. With --no-latency the upstreams answer at once.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import time
import uuid
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx2

UPSTREAMS = ("gemini", "clearbit", "hunter", "crm", "slack")


async def main() -> None:
    """Measures and prints."""
    args = _arguments()
    ports = json.loads(args.ports_file.read_text())
    async with httpx2.AsyncClient(timeout=60, trust_env=False) as client:
        if args.no_latency:
            for upstream in UPSTREAMS:
                url = f"{ports['sandbox']['control']}/_sandbox/faults/{upstream}"
                (await client.put(url, json={"latency_ms": 0, "jitter_ms": 0})).raise_for_status()
        rows = [await _one(client, ports) for _ in range(args.leads + 2)][2:]  # two to warm up
    json.dump(_figures(rows), sys.stdout, indent=2)
    print()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--ports-file", type=Path, required=True)
    parser.add_argument("--leads", type=int, default=20)
    parser.add_argument("--no-latency", action="store_true")
    return parser.parse_args()


async def _one(client: httpx2.AsyncClient, ports: dict[str, Any]) -> dict[str, float]:
    domain = "larkvale-systems.example"
    lead = {"email": f"{uuid.uuid4().hex}@{domain}", "jobTitle": "CTO", "country": "US", "company": "Larkvale"}
    began = time.perf_counter()
    answer = await client.post(
        f"{ports['api']}/webhooks/marketo",
        json=lead,
        headers={"X-RevenueFlow-Secret": ports["webhook_secrets"]["marketo"]},
    )
    ack = time.perf_counter() - began
    items = await _timeline(client, ports, answer.raise_for_status().json()["lead_id"])
    received = min(_at(item["at"]) for item in items if item["type"] == "delivery")
    written = [item["data"] for item in items if item["type"] == "action" and item["data"]["tool"] == "upsert_lead"]
    total = (_at(written[0]["settled_at"]) - received).total_seconds()
    return {"ack": ack, "total": total, "floor": await _floor(client, ports, lead["email"])}


async def _timeline(client: httpx2.AsyncClient, ports: dict[str, Any], lead_id: str) -> list[dict[str, Any]]:
    headers = {"authorization": f"Bearer {ports['api_key']}"}
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        lead = (await client.get(f"{ports['api']}/v1/leads/{lead_id}", headers=headers)).json()
        if lead["status"] == "processed":
            found = await client.get(f"{ports['api']}/v1/leads/{lead_id}/timeline?limit=1000", headers=headers)
            items: list[dict[str, Any]] = found.json()["items"]
            return items
        await asyncio.sleep(0.05)
    raise SystemExit("a lead was not processed within 60 s")


async def _floor(client: httpx2.AsyncClient, ports: dict[str, Any], email: str) -> float:
    sandbox, key = ports["sandbox"], {"authorization": "Bearer sandbox"}
    prompt = {"contents": [{"role": "user", "parts": [{"text": "<evidence>\n</evidence>"}]}]}
    began = time.perf_counter()
    # The company is known from the first lead on; this person nobody knows, so both vendors are asked.
    await client.get(f"{sandbox['clearbit']}/v2/people/find", params={"email": email}, headers=key)
    await client.get(f"{sandbox['hunter']}/v2/people/find", params={"email": email, "api_key": "sandbox"})
    model = f"{sandbox['gemini']}/v1beta/models/gemini-2.5-flash:generateContent"
    await client.post(model, json=prompt, headers={"x-goog-api-key": "sandbox"})
    record = f"{sandbox['crm']}/records/bench/{uuid.uuid4()}"
    await client.put(record, json={"fields": {"email": email}}, headers=key)
    return time.perf_counter() - began


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def _figures(rows: list[dict[str, float]]) -> dict[str, Any]:
    own = [row["total"] - row["floor"] for row in rows]
    figures: dict[str, Any] = {"leads": len(rows)}
    for name, values in (("own", own), *((name, [row[name] for row in rows]) for name in ("ack", "total", "floor"))):
        figures[name] = {"median": round(statistics.median(values), 4), "max": round(max(values), 4)}
    return figures


if __name__ == "__main__":
    asyncio.run(main())
