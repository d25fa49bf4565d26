"""One worker process runs at least 100 leads at a time."""

from __future__ import annotations

import asyncio

from tests.support.house import House, eventually

LEADS = 105


async def test_a_worker_has_a_hundred_leads_in_flight(home: House) -> None:
    await home.sandbox.break_("gemini", latency_ms=6000)
    different = (
        {"email": f"n{n}@larkvale-systems.example", "message": f"Pricing for {n} seats?"} for n in range(LEADS)
    )
    await asyncio.gather(*(home.deliver(**fields) for fields in different))

    async def all_there() -> bool:
        return len([one for one in await home.sandbox.requests("gemini") if one["status"] is None]) >= 102

    async with home.staffed(lease=10):
        await eventually(all_there)
        await home.sandbox.break_("gemini")
        await home.until_done(LEADS)
    records = await home.sandbox.records()
    assert len([record for record in records if record["type"] == "lead"]) == LEADS
    assert home.value("SELECT max(lease_token) FROM jobs") == 1  # no lease was lost under the load


async def test_a_worker_takes_no_more_than_it_may(home: House) -> None:
    await home.sandbox.break_("gemini", latency_ms=300)
    leads = await asyncio.gather(*(home.deliver(email=f"n{n}@larkvale-systems.example") for n in range(9)))
    counts = "count(*) FILTER (WHERE state = 'leased') AS leased, count(*) FILTER (WHERE state = 'done') AS done"
    query, most = f"SELECT {counts} FROM jobs", 0

    async def done() -> bool:
        nonlocal most
        (row,) = await asyncio.to_thread(home.rows, query)
        most = max(most, row["leased"])
        return row["done"] == len(leads)

    async with home.relay(), home.worker(concurrency=3):
        await eventually(done)
    assert most == 3
