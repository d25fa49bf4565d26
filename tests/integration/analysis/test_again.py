"""After an outage: what the rules had to analyse is analysed again, once, at a bounded pace."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import orjson
import pytest

from revenueflow.analysis.paid import Paid
from revenueflow.analysis.pricing import AgainRules
from revenueflow.pipeline.context import Services
from revenueflow.telemetry import metrics
from revenueflow.workers import reanalysis
from tests.support.house import House
from tests.support.models import use

DUE = "UPDATE leads SET reanalyse_at = now() - interval '1 second' WHERE reanalyse_at IS NOT NULL"


async def after_an_outage(home: House, count: int = 1) -> list[UUID]:
    """Leads that the rules analysed while the model was away; it is back, and they are due."""
    await home.sandbox.break_("gemini", error_rate=1, status=503)
    leads = [await home.deliver(email=f"dana{n}@larkvale-systems.example") for n in range(count)]
    for lead in leads:
        await home.run(lead)
    await home.sandbox.break_("gemini")
    home.rows(DUE)
    return leads


async def turn(home: House, services: Services, **rules: Any) -> int:
    first = services.analysts[0]
    assert isinstance(first, Paid)
    return await reanalysis.turn(home.direct, first, AgainRules.model_validate(rules))


def analyst(home: House, lead: UUID) -> str:
    name: str = orjson.loads(home.steps(lead)["analyse"]["output"])["analysis"]["analyst"]
    return name


async def test_a_lead_is_analysed_again_by_the_model_and_its_story_says_so(home: House) -> None:
    (lead,) = await after_an_outage(home)
    assert analyst(home, lead) == "rules"
    before = metrics.reanalyses._value.get()
    async with home.services() as services:
        assert await turn(home, services) == 1
        assert await turn(home, services) == 0
    assert (await home.run(lead))["state"] == "done"
    assert analyst(home, lead) == "gemini"
    assert ("lead.reanalysis_wanted", "done") in home.audit(lead)
    row = home.lead(lead)
    assert (row["reanalyse_at"], row["reanalyses"]) == (None, 1)
    assert metrics.reanalyses._value.get() - before == 1


async def test_each_is_taken_once_however_many_workers_look(home: House) -> None:
    leads = await after_an_outage(home, 4)
    async with home.services() as services:
        taken = await asyncio.gather(*(turn(home, services) for _ in range(6)))
    assert sum(taken) == 4
    query = "SELECT count(*) FROM jobs WHERE lead_id = ANY($1::uuid[]) AND state = 'ready'"
    assert home.value(query, leads) == 4


async def test_not_faster_than_so_many_a_minute(home: House) -> None:
    await after_an_outage(home, 4)
    async with home.services() as services:
        assert [await turn(home, services, per_minute=3) for _ in range(3)] == [3, 0, 0]
        home.rows("UPDATE leads SET reanalysed_at = now() - interval '61 seconds' WHERE reanalysed_at IS NOT NULL")
        assert await turn(home, services, per_minute=3) == 1


@pytest.mark.parametrize(
    "change",
    [
        "reanalyses = 3",
        "received_at = now() - interval '73 hours'",
        "erased_at = now()",
        "reanalyse_at = now() + interval '1 minute'",
        "reanalyse_at = NULL",
    ],
)
async def test_left_alone(home: House, change: str) -> None:
    await after_an_outage(home)
    home.rows(f"UPDATE leads SET {change}")
    async with home.services() as services:
        assert await turn(home, services) == 0


@pytest.mark.parametrize("change", ["reanalyses = 3", "received_at = now() - interval '73 hours'"])
async def test_given_up(home: House, change: str) -> None:
    await after_an_outage(home)
    home.rows(f"UPDATE leads SET {change}")
    async with home.services() as services:
        await turn(home, services)
    assert home.value("SELECT reanalyse_at FROM leads") is None


async def test_a_lead_that_is_on_its_way_is_not_started_twice(home: House) -> None:
    (lead,) = await after_an_outage(home)
    await home.deliver(email="dana0@larkvale-systems.example", message="One more thing.")
    assert home.job(lead)["state"] == "ready"
    async with home.services() as services:
        assert await turn(home, services) == 0


async def test_not_while_the_breaker_of_the_model_is_open(home: House) -> None:
    await home.sandbox.break_("gemini", error_rate=1, status=503)
    for n in range(5):
        await home.run(await home.deliver(email=f"dana{n}@larkvale-systems.example", message=f"{n} seats, please"))
    home.rows(DUE)
    async with home.services() as services:
        assert await turn(home, services) == 0


async def test_a_worker_does_it_by_itself_unless_it_is_told_not_to(home: House) -> None:
    (lead,) = await after_an_outage(home)
    async with home.services() as services, asyncio.TaskGroup() as group:
        loop = group.create_task(reanalysis.run(home.direct, services.analysts, services.models.again, pause=0.05))
        await home.until_state(lead, "ready")
        loop.cancel()
    use(home, "rules")
    async with home.services() as services:
        await asyncio.wait_for(reanalysis.run(home.direct, services.analysts, services.models.again, pause=0.05), 5)
