"""A model's answer is paid once, within the caps, by all workers together."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from revenueflow.analysis import ledger
from revenueflow.analysis.base import Asker
from revenueflow.analysis.prompt import Prompt
from revenueflow.db import analyses, controls, spend
from revenueflow.telemetry import metrics
from tests.support.dialects.models import WIRES
from tests.support.house import House
from tests.support.models import ask, rules, use, workers
from tests.support.vendor_server import VendorServer, fixed
from tests.unit.analysis.evidence import piece, prompt

MODEL = "gemini-2.5-flash"


def about(headcount: int) -> Prompt:
    return prompt(piece("headcount", headcount), piece("industry", "Software"))


def sums(home: House, scope: str = "models") -> tuple[Decimal, int, Decimal, int]:
    """Reserved (US dollars, tokens), settled (the same)."""
    query = "SELECT reserved_usd, reserved_tokens, settled_usd, settled_tokens FROM spend WHERE scope = $1"
    (row,) = home.rows(query, scope)
    return tuple(row.values())  # type: ignore[return-value]


def kept(home: House) -> dict[str, Any]:
    (row,) = home.rows("SELECT * FROM analyses")
    return row


async def test_an_answer_is_counted_in_tokens_and_money(home: House) -> None:
    before = metrics.spend.labels("gemini", "USD")._value.get()
    async with workers(home) as (one,):
        found, failures = await ask(one, about(240))
    assert (found.analyst, found.cached, failures) == ("gemini", False, ())
    cost = (found.input_tokens * Decimal("0.3") + found.output_tokens * Decimal("2.5")) / 1_000_000
    assert found.cost_usd == pytest.approx(float(cost), abs=1e-6)
    assert found.cost_usd > 0
    tokens = found.input_tokens + found.output_tokens
    assert sums(home) == sums(home, f"model:{MODEL}") == (0, 0, Decimal(str(found.cost_usd)), tokens)
    assert metrics.spend.labels("gemini", "USD")._value.get() - before == pytest.approx(found.cost_usd)


async def test_the_same_prompt_is_not_paid_twice(home: House) -> None:
    async with workers(home) as (one,):
        first, _ = await ask(one, about(240))
        other, _ = await ask(one, about(241))
    async with workers(home) as (two,):
        again, _ = await ask(two, about(240))
    assert await home.calls("gemini") == 2
    assert (again.cached, again.cost_usd, again.input_tokens, again.output_tokens) == (True, 0, 0, 0)
    assert again.claims == first.claims
    assert first.claims != other.claims


async def test_workers_that_ask_the_same_at_once_share_one_call(home: House) -> None:
    await home.sandbox.break_("gemini", latency_ms=300)
    async with workers(home, 3) as several:
        found = await asyncio.gather(*(ask(several[n % 3], about(240)) for n in range(12)))
    assert await home.calls("gemini") == 1
    assert sorted(one.cached for one, _ in found) == [False] + [True] * 11
    assert len({str(one.claims) for one, _ in found}) == 1


async def test_a_run_that_comes_back_for_its_own_answer_still_carries_the_cost(home: House) -> None:
    asker = Asker(uuid4(), uuid4())
    async with workers(home) as (one,):
        first, _ = await ask(one, about(240), asker)
        again, _ = await ask(one, about(240), asker)
    assert first == again
    assert await home.calls("gemini") == 1


async def test_an_answer_past_its_time_is_asked_for_again_and_tidied_away(home: House) -> None:
    async with workers(home) as (one,):
        await ask(one, about(240))
        home.rows("UPDATE analyses SET expires_at = now() - interval '1 second'")
        found, _ = await ask(one, about(240))
    assert (found.cached, await home.calls("gemini")) == (False, 2)
    home.rows("UPDATE analyses SET expires_at = now() - interval '1 second'")
    await ledger.tidy(home.direct, 60)
    assert home.rows("SELECT * FROM analyses") == home.rows("SELECT * FROM analysis_uses") == []


async def test_erasing_a_lead_takes_the_answers_to_its_prompts_along(home: House) -> None:
    asker, sharing, stranger = (Asker(uuid4(), uuid4()) for _ in range(3))
    async with workers(home) as (one,):
        await ask(one, about(240), asker)
        await ask(one, about(240), sharing)
        await ask(one, about(1), stranger)
        async with home.direct.connection() as connection:
            await analyses.forget(connection, [sharing.lead_id])
        found, _ = await ask(one, about(240), asker)
        other, _ = await ask(one, about(1), asker)
    assert (found.cached, other.cached) == (False, True)


async def test_no_prompt_and_no_key_is_stored(home: House) -> None:
    async with workers(home) as (one,):
        await ask(one, prompt(piece("message", "Our secret plan is a warehouse in Lisbon.")))
    row = kept(home)
    assert len(row["key_hmac"]) == 32
    assert "key" not in {name for name in row if name != "key_hmac"}
    assert row["analyst"] == "gemini" and row["model"] == MODEL and row["expires_at"] is not None


@pytest.mark.parametrize(("cap", "reason"), [("day_usd", "cap_money"), ("day_tokens", "cap_tokens")])
async def test_at_a_cap_the_next_analyst_answers(home: House, tmp_path: Path, cap: str, reason: str) -> None:
    rules(home, tmp_path, **{cap: 0})
    async with workers(home) as (one,):
        found, (failure,) = await ask(one, about(240))
    assert (found.analyst, failure.analyst, failure.reason, failure.retryable) == ("rules", "gemini", reason, True)
    assert failure.retry_after is not None and 0 < failure.retry_after <= 86_400
    assert await home.calls("gemini") == 0


async def test_a_cap_holds_for_all_workers_together_whatever_is_under_way(home: House, tmp_path: Path) -> None:
    await home.sandbox.break_("gemini", latency_ms=300)
    rules(home, tmp_path, day_tokens=3 * 11_500)
    async with workers(home, 3) as several:
        found = await asyncio.gather(*(ask(several[n % 3], about(n + 1)) for n in range(12)))
    answered = [one.analyst for one, _ in found].count("gemini")
    assert 1 <= answered == await home.calls("gemini") <= 3
    assert {failure.reason for _, failures in found for failure in failures} == {"cap_tokens"}
    assert sums(home)[:2] == (0, 0)


async def test_a_cap_of_one_model_leaves_the_others(home: House, tmp_path: Path) -> None:
    use(home, "gemini", "bedrock")
    rules(home, tmp_path)
    path = tmp_path / "models" / "models.toml"
    path.write_text(path.read_text().replace("output = 2.50\n", "output = 2.50\nday_usd = 0.0\n"))
    async with workers(home) as (one,):
        found, (failure,) = await ask(one, about(240))
    assert (found.analyst, failure.reason) == ("bedrock", "cap_money")


async def test_the_stop_stops_models_too_but_not_what_is_known(home: House) -> None:
    async with workers(home) as (one,):
        await ask(one, about(240))
        async with home.database.transaction() as session:
            await controls.turn_on(session, spend.STOPPED, by="test")
        known, _ = await ask(one, about(240))
        new, (failure,) = await ask(one, about(241))
    assert (known.analyst, new.analyst, failure.reason) == ("gemini", "rules", "spending_stopped")


async def test_five_failures_open_the_breaker_for_all_workers_and_answers_that_are_known_are_still_used(
    home: House,
) -> None:
    async with workers(home, 2) as (one, other):
        await ask(one, about(240))
        await home.sandbox.break_("gemini", error_rate=1, status=500)
        for n in range(5):
            _, (failure,) = await ask(one, about(n + 1))
            assert failure.reason == "overloaded"
        called = await home.calls("gemini")
        await asyncio.sleep(0.15)  # what is known of the others' calls may be so old
        _, (failure,) = await ask(other, about(99))
        known, _ = await ask(other, about(240))
    assert (failure.reason, failure.retryable) == ("breaker_open", True)
    assert (known.analyst, known.cached) == ("gemini", True)
    assert await home.calls("gemini") == called == 1 + 5 * 2


async def test_a_call_that_was_not_executed_costs_nothing(home: House) -> None:
    await home.sandbox.break_("gemini", error_rate=1, status=503)
    async with workers(home) as (one,):
        await ask(one, about(240))
    assert sums(home) == (0, 0, 0, 0)


async def test_a_call_that_ran_out_of_time_counts_as_made(home: House) -> None:
    use(home, "gemini", timeout=0.3)
    await home.sandbox.break_("gemini", latency_ms=2000)
    async with workers(home) as (one,):
        found, (failure,) = await ask(one, about(240))
    reserved_usd, reserved_tokens, usd, tokens = sums(home)
    assert (found.analyst, failure.reason, await home.calls("gemini")) == ("rules", "timeout", 1)
    assert (reserved_usd, reserved_tokens) == (0, 0)
    assert usd > Decimal("0.02") and tokens > 8192


async def test_a_call_of_which_nobody_told_the_end_counts_as_made_and_is_made_again(home: House) -> None:
    async with workers(home) as (one,):
        first, _ = await ask(one, about(240))
        home.rows(
            "UPDATE analyses SET state = 'asking', answer = NULL, lease_until = now() - interval '1 minute', "
            "reserved_usd = 0.5, reserved_tokens = 9000, reserved_day = (SELECT min(period) FROM spend)"
        )
        home.rows("UPDATE spend SET reserved_usd = 0.5, reserved_tokens = 9000")
        again, _ = await ask(one, about(240))
    paid = [first, again]
    cost, tokens = sum(one.cost_usd for one in paid), sum(one.input_tokens + one.output_tokens for one in paid)
    assert sums(home) == (0, 0, pytest.approx(Decimal(str(cost)) + Decimal("0.5")), tokens + 9000)


async def test_a_call_that_nobody_comes_back_for_is_settled_by_the_tidy_loop(home: House) -> None:
    async with workers(home) as (one,):
        await ask(one, about(240))
    home.rows(
        "UPDATE analyses SET state = 'asking', answer = NULL, lease_until = now() - interval '1 hour', "
        "reserved_usd = 0.5, reserved_tokens = 9000, reserved_day = (SELECT min(period) FROM spend)"
    )
    home.rows("UPDATE spend SET reserved_usd = 0.5, reserved_tokens = 9000, settled_usd = 0, settled_tokens = 0")
    assert await ledger.tidy(home.direct, 60) == 1
    assert sums(home) == sums(home, f"model:{MODEL}") == (0, 0, Decimal("0.5"), 9000)
    assert await ledger.tidy(home.direct, 60) == 0
    assert sums(home)[2:] == (Decimal("0.5"), 9000)


async def test_an_answer_that_can_not_be_used_is_paid_once_and_left_alone(home: House) -> None:
    with VendorServer() as server:
        server.answer = fixed(200, WIRES[0].ended('{"fit": 7', "truncated"))
        given = home.settings.analysis.model_copy(update={"base_url": server.url})
        home.settings = home.settings.model_copy(update={"analysis": given})
        async with workers(home) as (one,):
            for _ in range(2):
                found, (failure,) = await ask(one, about(240))
                assert (found.analyst, failure.reason, failure.retryable) == ("rules", "truncated", False)
            assert len(server.seen) == 1
            assert sums(home)[2:] == (Decimal("0.00052"), 1000)
            home.rows("UPDATE analyses SET ask_again_at = now() - interval '1 second'")
            await ask(one, about(240))
            assert len(server.seen) == 2


async def test_a_lead_that_stops_waiting_leaves_the_answer_to_the_next_one(home: House) -> None:
    await home.sandbox.break_("gemini", latency_ms=400)
    async with workers(home) as (one,):
        waiting = asyncio.create_task(ask(one, about(240)))
        await home.until_called("gemini")
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    async with workers(home) as (other,):
        found, _ = await ask(other, about(240))
    assert (found.cached, await home.calls("gemini")) == (True, 1)
