"""What arrives while a lead is under way is not lost, and makes no second run beside the first."""

from __future__ import annotations

import asyncio

from tests.support.house import House


async def test_what_arrives_before_the_first_claim_is_part_of_the_first_run(home: House) -> None:
    lead = await home.deliver(title=None, jobTitle=None)
    assert await home.deliver(jobTitle="Chief Operating Officer") == lead
    job = await home.run(lead)
    assert (job["state"], job["run_version"], job["wanted_version"]) == ("done", 2, 2)
    assert home.value("SELECT count(*) FROM jobs") == 1
    assert home.lead(lead)["title"] == "Chief Operating Officer"
    assert home.lead(lead)["version"] == 2


async def test_what_arrives_while_a_run_is_under_way_makes_the_next_run(home: House) -> None:
    await home.sandbox.break_("gemini", latency_ms=400)
    lead = await home.deliver()
    async with home.runner() as runner:
        first = home.job(lead)["id"]
        running = asyncio.create_task(home.run_job(runner, first))
        await home.until_called("gemini")
        for n in range(3):
            await home.deliver(jobTitle=f"Chief Operating Officer {n}")
        assert home.value("SELECT count(*) FROM jobs") == 1
        await running
        second = home.job(lead)
        assert (second["state"], second["run_version"], second["wanted_version"]) == ("ready", 4, 4)
        await home.run_job(runner, second["id"])
    assert [row["state"] for row in home.rows("SELECT state FROM jobs")] == ["done", "done"]
    assert home.lead(lead)["title"] == "Chief Operating Officer 2"
    record, task = await home.sandbox.records()
    assert record["fields"]["title"] == "Chief Operating Officer 2"
    assert (record["type"], task["type"]) == ("lead", "task")
    assert [write["fields"].get("title") for write in record["writes"] if "title" in write["fields"]] == [
        "VP Operations",
        "Chief Operating Officer 2",
    ]


async def test_what_arrives_after_the_run_makes_a_new_one(home: House) -> None:
    lead = await home.deliver()
    await home.run(lead)
    await home.deliver(message="And one more thing.")
    job = home.job(lead)
    assert (job["state"], job["run_version"]) == ("ready", 2)
    assert (await home.run(lead))["state"] == "done"
    assert [record["type"] for record in await home.sandbox.records()] == ["lead", "task"]


async def test_the_very_same_delivery_again_makes_no_run(home: House) -> None:
    lead = await home.deliver()
    await home.run(lead)
    assert await home.deliver() == lead
    assert home.value("SELECT count(*) FROM jobs") == 1
    assert home.job(lead)["wanted_version"] == 1


async def test_deliveries_and_the_end_of_a_run_at_the_same_time(home: House) -> None:
    """Whoever commits first: every delivery ends up in the lead, and one run at a time is alive."""
    lead = await home.deliver()
    async with home.staffed():
        for n in range(12):
            await home.deliver(jobTitle=f"Director {n}")
            await asyncio.sleep(0)
            assert home.value("SELECT count(*) FROM jobs WHERE state IN ('ready', 'leased')") <= 1
        await home.until_state(lead, "done")
    assert home.lead(lead)["title"] == "Director 11"
    assert [record["type"] for record in await home.sandbox.records()] == ["lead", "task"]
