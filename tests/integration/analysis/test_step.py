"""The step: what it costs stands on the lead and in its timeline, and survives the death of a worker."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import pytest

from revenueflow.db import timeline
from tests.integration.workers.test_checkpoints import worker_process
from tests.support.house import House
from tests.support.models import use


async def analysis(home: House, lead: UUID) -> dict[str, Any]:
    """The analysis as the timeline tells it."""
    async with home.database.transaction() as session:
        items = await timeline.page(session, lead, after=timeline.START, limit=500)
    (found,) = [one["data"] for one in items if one["type"] == "step" and one["data"]["name"] == "analyse"]
    return dict(found)


async def test_the_timeline_tells_analyst_model_tokens_cost_prompt_and_cache(home: House) -> None:
    first, other = await home.deliver(), await home.deliver(email="eve@larkvale-systems.example")
    await home.run(first)
    await home.run(other)
    paid, cached = await analysis(home, first), await analysis(home, other)
    assert (paid["analyst"], paid["model"], paid["cached"]) == ("gemini", "gemini-2.5-flash", False)
    assert paid["input_tokens"] > 100 and paid["output_tokens"] > 10 and paid["cost_usd"] > 0
    assert paid["prompt_version"] == "analyse-2" and len(paid["prompt_sha256"]) == 64
    assert (cached["cached"], cached["cost_usd"], cached["prompt_sha256"]) == (True, 0, paid["prompt_sha256"])
    assert await home.calls("gemini") == 1
    enriched = orjson.loads(home.steps(first)["enrich"]["output"])["cost"]
    assert home.lead(first)["cost"] == pytest.approx(enriched + paid["cost_usd"])
    assert home.lead(other)["cost"] == pytest.approx(orjson.loads(home.steps(other)["enrich"]["output"])["cost"])


async def test_the_chain_in_the_story(home: House) -> None:
    use(home, "vertex", "bedrock")
    await home.sandbox.break_("vertex", error_rate=1, status=503)
    lead = await home.deliver()
    await home.run(lead)
    told = await analysis(home, lead)
    assert (told["analyst"], told["model"]) == ("bedrock", "global.anthropic.claude-haiku-4-5-20251001-v1:0")
    assert [(one["analyst"], one["reason"]) for one in told["failures"]] == [("vertex", "overloaded")]
    assert home.lead(lead)["reanalyse_at"] is None


async def test_no_name_address_or_number_reaches_a_model(home: House) -> None:
    use(home, "gemini", "vertex", "bedrock")
    for upstream in ("gemini", "vertex"):
        await home.sandbox.break_(upstream, error_rate=1, status=503)
    message = (
        "Dana here, da\u200bna@larkvale-systems.example or 512-555-0143. REYES, that's me.\nRegards,\nDána Reyes\n"
        "P.S. Ask Dr. Irina Volkova, my name is Dana."
    )
    await home.run(await home.deliver(message=message, jobTitle="VP Operations (Dana)"))
    sent = [(await home.sandbox.requests(one))[-1]["body"] for one in ("gemini", "vertex", "bedrock")]
    for body in map(str, sent):
        assert "[NAME]" in body and "[EMAIL]" in body and "[PHONE]" in body and "VP Operations" in body
        assert not [one for one in ("dana", "reyes", "dána", "555", "volkova", "irina") if one in body.lower()]


async def test_paid_means_kept_when_the_worker_dies_before_it_could_say_so(home: House, tmp_path: Path) -> None:
    lead = await home.deliver()
    async with home.relay():
        async with worker_process(home, tmp_path, REVENUEFLOW_CRASH_AT="checkpoint.before_commit:3") as doomed:
            assert await asyncio.to_thread(doomed.wait, 20) == -9
        assert "analyse" not in home.steps(lead)
        async with home.worker():
            await home.until_state(lead, "done")
    assert await home.calls("gemini") == 1
    told = await analysis(home, lead)
    assert (told["cached"], told["cost_usd"] > 0) == (False, True)


@pytest.mark.parametrize(("point", "calls"), [("analysis.before_call", 1), ("analysis.after_call", 2)])
async def test_a_worker_dies_around_the_call(home: House, tmp_path: Path, point: str, calls: int) -> None:
    lead = await home.deliver()
    async with home.relay():
        async with worker_process(home, tmp_path, REVENUEFLOW_CRASH_AT=point) as doomed:
            assert await asyncio.to_thread(doomed.wait, 20) == -9
        async with home.worker():
            await home.until_state(lead, "done")
    assert [name for name in home.steps(lead) if name == "analyse"]
    assert await home.calls("gemini") == calls
    row = home.rows("SELECT * FROM spend WHERE scope = 'models'")[0]
    assert row["reserved_tokens"] == 0
    # What nobody could tell counts as made, at its most.
    assert row["settled_tokens"] > 8192
