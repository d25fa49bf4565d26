"""Leads that are in the house already, by new rules: who moves at the next look, and a processed lead's next run."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson

from revenueflow import defaults
from revenueflow.pipeline.restart import process_again
from revenueflow.workers import first_touch
from tests.support.cli import Ran, run
from tests.support.house import House

BAVARIA = """
[[territories]]
name = "Bavaria"
countries = ["DE"]
postcodes = ["80-87"]
owner = "lena-brandt"

[[territories]]"""


async def in_germany(home: House, name: str, code: str) -> UUID:
    lead = await home.deliver(email=f"{name}@gmail.com", website=None, country="DE", zip=code)
    assert (await home.run(lead))["state"] == "done"
    assert home.lead(lead)["owner_id"] == "jonas-keller"
    return lead


def publish(home: House) -> None:
    text = (
        defaults.text("routing.toml").replace("\n[[territories]]", BAVARIA, 1).replace('version = "2"', 'version = "3"')
    )
    (Path(str(home.settings.config_dir)) / "routing.toml").write_text(text)


async def applied(home: House, folder: Path, *arguments: str) -> Ran:
    return await asyncio.to_thread(
        run, folder, "routing", "apply", "--since", "1d", *arguments,
        DATABASE_URL=str(home.settings.database.url),
        REVENUEFLOW_CONFIG_DIR=str(home.settings.config_dir),
    )  # fmt: skip


async def test_open_leads_go_to_whom_new_rules_name_and_the_crm_and_the_timer_follow(
    home: House, tmp_path: Path
) -> None:
    moving = await in_germany(home, "ann.m", "80331")
    north, touched, given = [
        await in_germany(home, n, c) for n, c in (("bo", "20095"), ("cy", "80331"), ("di", "80331"))
    ]
    home.rows("UPDATE leads SET first_touch_at = now() WHERE id = $1", touched)
    home.rows("UPDATE leads SET routing_rule = 'moved' WHERE id = $1", given)
    publish(home)
    dry = await applied(home, tmp_path)
    assert dry.code == 0, dry.err
    assert "1 would move" in dry.out and home.lead(moving)["owner_id"] == "jonas-keller"
    ran = await applied(home, tmp_path, "--yes", "--json")
    told: dict[str, Any] = orjson.loads(ran.out)
    assert (told["open"], told["moved"], [one["lead_id"] for one in told["moves"]]) == (2, 1, [str(moving)])
    row = home.lead(moving)
    assert (row["owner_id"], row["routing_rule"]) == ("lena-brandt", "territory:Bavaria")
    assert {home.lead(one)["owner_id"] for one in (north, touched, given)} == {"jonas-keller"}
    async with home.services() as services:
        while await first_touch.tell_moves(services):
            pass
    timers = home.rows("SELECT owner_id FROM sla_timers WHERE lead_id = $1 AND ended_at IS NULL", moving)
    assert [one["owner_id"] for one in timers] == ["lena-brandt"]
    records = [one["fields"] for one in await home.sandbox.records() if one["fields"].get("lead_id") == str(moving)]
    assert {one["owner_id"] for one in records} == {"lena-brandt"} and len(records) == 2  # lead and task
    again = orjson.loads((await applied(home, tmp_path, "--yes", "--json")).out)
    assert (again["would_move"], again["moved"]) == (0, 0)


async def test_a_processed_lead_makes_its_next_run(home: House) -> None:
    lead = await in_germany(home, "eva", "80331")
    before, steps = home.job(lead), home.steps(lead)
    # As if older rules had named somebody else.
    home.rows("UPDATE leads SET owner_id = 'ananya-rao', routing_rule = 'territory:Old', score = 0 WHERE id = $1", lead)
    job = await process_again(home.database, lead, "score", actor="test")
    assert await process_again(home.database, lead, "score", actor="test") is None
    assert job is not None and (await home.run(lead))["state"] == "done"
    after, row = home.job(lead), home.lead(lead)
    assert (after["id"], after["run_version"]) == (job, before["run_version"] + 1)
    assert (row["status"], row["owner_id"], row["routing_rule"]) == ("processed", "jonas-keller", "territory:DACH")
    assert row["score"] > 0
    assert home.steps(lead)["analyse"]["finished_at"] == steps["analyse"]["finished_at"]
    assert home.steps(lead)["score"]["finished_at"] > steps["score"]["finished_at"]
    assert ("job.replayed", "done") in home.audit(lead)


async def test_of_an_erased_lead_and_of_one_that_lost_its_results(home: House) -> None:
    lead = await in_germany(home, "eva", "80331")
    home.rows("DELETE FROM steps WHERE name = 'analyse'")
    job = await process_again(home.database, lead, "score", actor="test")
    assert (home.job(lead)["id"], home.job(lead)["step"]) == (job, "capture")
    assert (await home.run(lead))["state"] == "done"
    home.rows("UPDATE leads SET erased_at = now() WHERE id = $1", lead)
    assert await process_again(home.database, lead, "score", actor="test") is None
