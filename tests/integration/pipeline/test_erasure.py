"""A person is erased, at any moment of a run, and nothing of it comes back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from uuid import UUID, uuid4

import orjson
import pytest

from revenueflow.clock import utcnow
from revenueflow.domain.lead import Lead
from revenueflow.domain.outcome import Outcome
from revenueflow.errors import LeaseLost, NotFound
from revenueflow.pipeline import subject_access
from revenueflow.pipeline.context import Context
from revenueflow.pipeline.erasure import Erased, erase, reopen
from revenueflow.pipeline.steps import STEPS, Step
from revenueflow.sources import generic
from revenueflow.sources.arrival import Arrival
from revenueflow.sources.storing import store_spooled
from revenueflow.workers.commits import Commits
from revenueflow.workers.heartbeat import Heartbeat
from revenueflow.workers.runner import Runner
from tests.support import canary
from tests.support.api import identity
from tests.support.canary import EMAIL, LINKEDIN, MARKS, NAME, PERSON, PHONE, marked
from tests.support.house import House, house

REASON = f"asked for it: {NAME}, {EMAIL}"


async def forget(home: House, lead: UUID) -> Erased:
    return await erase(home.direct, identity(), lead, reason=REASON, actor="test")


@asynccontextmanager
async def runner(home: House, steps: Sequence[Step]) -> AsyncIterator[Runner]:
    settings = home.settings.worker
    beat = Heartbeat(home.settings.database, settings)
    beat.start()
    try:
        async with home.services() as services:
            yield Runner(Commits(home.direct, settings, owner="test"), services, settings, beat, steps=steps)
    finally:
        beat.stop()


def erasing(home: House, name: str, moment: str) -> tuple[Step, ...]:
    """The steps, one of which erases its lead: before or after what it does."""
    (meant,) = [step for step in STEPS if step.name == name]

    async def run(lead: Lead, context: Context) -> Outcome:
        if moment == "before":
            await forget(home, lead.id)
        outcome = await meant.run(lead, context)
        if moment == "after":
            await forget(home, lead.id)
        return outcome

    return tuple(replace(step, run=run) if step is meant else step for step in STEPS)


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("name", [step.name for step in STEPS])
async def test_in_the_middle_of_any_step(
    home: House, capsys: pytest.CaptureFixture[str], name: str, moment: str
) -> None:
    lead = await home.deliver(**PERSON)
    assert list(marked(home))
    capsys.readouterr()
    async with runner(home, erasing(home, name, moment)) as one:
        for lease in await one.commits.claim([home.job(lead)["id"]]):
            with suppress(LeaseLost):
                await one.run(lease)
    assert list(marked(home)) == []
    assert not MARKS.search(canary.in_redis(home.settings.redis.url))
    assert not MARKS.search(capsys.readouterr().out)
    row = home.lead(lead)
    assert (row["status"], row["email"], row["erased_at"] is not None) == ("erased", None, True)
    assert home.rows("SELECT id FROM jobs WHERE state IN ('ready', 'leased', 'parked')") == []
    assert ("person.erased", "done") in home.audit(lead)
