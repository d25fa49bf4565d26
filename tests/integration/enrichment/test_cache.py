"""One answer for all that ask the same, across workers, within the caps."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from uuid import UUID, uuid4

import orjson
import pytest

from revenueflow.clock import utcnow
from revenueflow.db import controls, spend
from revenueflow.domain.evidence import Signal
from revenueflow.domain.lead import Lead
from revenueflow.enrichment import ledger
from revenueflow.enrichment.answers import Origin
from revenueflow.enrichment.base import Subject
from revenueflow.enrichment.waterfall import Enriched, Waterfall
from revenueflow.settings import General
from tests.support.house import KNOWN, House
from tests.support.policy import unhurried

COMPANY = "/v2/companies/find"


@asynccontextmanager
async def workers(home: House, count: int = 1) -> AsyncIterator[list[Waterfall]]:
    """So many, as in processes of their own: nothing but Postgres and Redis is shared."""
    async with AsyncExitStack() as stack:
        yield [(await stack.enter_async_context(home.services())).waterfall for _ in range(count)]


def policy(home: House, folder: Path, *changes: tuple[str, str]) -> None:
    """Other rules from now on."""
    config = General(config_dir=unhurried(folder / "rules", *changes))
    home.settings = home.settings.model_copy(update={"general": config})


async def enrich(
    waterfall: Waterfall, domain: str = KNOWN, *, email: str | None = None, run: UUID | None = None, **lead: object
) -> Enriched:
    """One run of a new lead, unless `run` names one that goes on."""
    one = Lead.model_validate({"id": uuid4(), "received_at": utcnow(), **lead})
    return await waterfall.enrich(one, Subject(lead_id=one.id, domain=domain, email=email), run=run or uuid4())


async def asked(home: House, vendor: str = "clearbit", path: str = COMPANY) -> int:
    return sum(request["path"].startswith(path) for request in await home.sandbox.requests(vendor))


def sums(home: House) -> dict[str, tuple[Decimal, Decimal]]:
    """Reserved and settled, by scope."""
    return {row["scope"]: (row["reserved_usd"], row["settled_usd"]) for row in home.rows("SELECT * FROM spend")}


async def test_all_leads_of_a_company_share_one_call_of_all_workers(home: House) -> None:
    await home.sandbox.break_("clearbit", latency_ms=100)
    async with workers(home, 3) as several:
        results = await asyncio.gather(*(enrich(several[n % 3]) for n in range(30)))
    assert (await asked(home), await asked(home, "hunter")) == (1, 1)
    evidence = {str([(one.signal, one.value, one.fetched_at) for one in result.evidence]) for result in results}
    assert len(evidence) == 1
    assert round(sum(result.cost for result in results), 6) == 0.12
    assert sums(home)["all"] == (0, Decimal("0.12"))
    assert sum(result.cost > 0 for result in results) <= 2


async def test_a_second_run_asks_nobody_and_says_how_old_the_answer_is(home: House) -> None:
    async with workers(home) as (first,):
        before = await enrich(first)
    async with workers(home) as (second,):
        after = await enrich(second)
    assert (await asked(home), after.cost) == (1, 0)
    assert {report.origin for report in after.reports} == {Origin.CACHE}
    assert [one.fetched_at for one in after.evidence] == [one.fetched_at for one in before.evidence]
    assert {one.id for one in after.evidence}.isdisjoint(one.id for one in before.evidence)


async def test_nobody_of_that_name_is_kept_too_and_costs_nothing(home: House) -> None:
    async with workers(home) as (one,):
        for _ in range(2):
            result = await enrich(one, "nobody-knows.example")
            assert (result.evidence, result.cost) == ((), 0)
    assert (await asked(home), await asked(home, "hunter")) == (1, 1)
    assert sums(home)["all"] == (0, 0)


async def test_what_is_too_old_is_asked_again_by_one(home: House) -> None:
    async with workers(home, 2) as several:
        await enrich(several[0])
        home.rows("UPDATE lookups SET answered_at = now() - interval '31 days'")
        results = await asyncio.gather(*(enrich(several[n % 2]) for n in range(10)))
    assert await asked(home) == 2
    assert all(utcnow() - one.fetched_at < timedelta(minutes=1) for result in results for one in result.evidence)


async def test_a_provider_that_fails_is_replaced_by_what_it_said_long_ago(home: House) -> None:
    async with workers(home) as (one,):
        before = await enrich(one)
        home.rows("UPDATE lookups SET answered_at = now() - interval '31 days'")
        for vendor in ("clearbit", "hunter"):
            await home.sandbox.break_(vendor, error_rate=1, status=500)
        after = await enrich(one)
    assert [(one.signal, one.value) for one in after.evidence] == [(one.signal, one.value) for one in before.evidence]
    assert all(utcnow() - one.fetched_at > timedelta(days=30) for one in after.evidence)
    assert {(report.origin, report.reason) for report in after.reports} == {(Origin.STALE, "server_error")}
    assert sums(home)["all"] == (0, Decimal("0.12"))


@pytest.mark.parametrize(
    ("change", "scope", "reason"),
    [
        (("day = 250", "day = 0.35"), "all", "cap_day"),
        (("[providers.clearbit]", "[providers.clearbit]\nday = 0.35"), "provider:clearbit", "cap_provider"),
        (("[caps]", "[caps]\ncampaigns = { default = 0.35 }"), "campaign:default", "cap_campaign"),
    ],
)
async def test_a_cap_holds_for_four_workers(
    home: House, tmp_path: Path, change: tuple[str, str], scope: str, reason: str
) -> None:
    policy(home, tmp_path, change)
    domains = [str(one["domain"]) for one in _companies() if one.get("clearbit")][:30]
    async with workers(home, 4) as several:
        results = await asyncio.gather(*(enrich(several[n % 4], domain) for n, domain in enumerate(domains)))
    reserved, settled = sums(home)[scope]
    assert (reserved, Decimal("0.25") < settled <= Decimal("0.35")) == (0, True)
    failed = {report.reason for result in results for report in result.reports if report.outcome == "failed"}
    assert failed == {reason}
    assert await asked(home) <= 3


async def test_a_stop_stops_at_once_and_what_is_known_is_still_used(home: House) -> None:
    async with workers(home) as (one,):
        await enrich(one)
        async with home.database.transaction() as session:
            await controls.turn_on(session, spend.STOPPED, by="test")
        known, unknown = await enrich(one), await enrich(one, "quillmere.example")
        assert known.evidence
        assert {report.reason for report in unknown.reports} == {"spending_stopped"}
        async with home.database.transaction() as session:
            await controls.turn_off(session, spend.STOPPED)
        assert (await enrich(one, "quillmere.example")).evidence
    assert await asked(home) == 2


async def test_while_another_process_asks_the_lead_comes_back_later(home: House) -> None:
    async with workers(home) as (one,):
        await enrich(one)
        home.rows("""
            UPDATE lookups SET state = 'asking', lease_until = now() + interval '20 seconds', findings = NULL
            WHERE provider = 'clearbit'""")
        waiting = await enrich(one)
    clearbit = next(report for report in waiting.reports if report.provider == "clearbit")
    assert (clearbit.outcome, clearbit.retry_after) == ("pending", 2.0)
    assert await asked(home) == 1


async def test_a_call_of_which_nobody_knows_the_end_counts_as_paid(home: House) -> None:
    async with workers(home) as (one,):
        await enrich(one)
        home.rows("""
            UPDATE lookups SET state = 'asking', lease_until = now() - interval '1 second', reserved_usd = 0.10,
                findings = NULL, reserved_in = jsonb_build_array(jsonb_build_array('all', (SELECT period FROM spend
                    WHERE scope = 'all'))) WHERE provider = 'clearbit'""")
        home.rows("UPDATE spend SET reserved_usd = 0.10 WHERE scope = 'all'")
        await enrich(one)
    assert await asked(home) == 2
    assert sums(home)["all"] == (0, Decimal("0.32"))


async def test_what_is_pending_keeps_its_reservation_and_is_paid_once(home: House) -> None:
    await home.sandbox.break_("clearbit", error_rate=1, status=202)
    async with workers(home) as (one,):
        waiting = await enrich(one)
        assert waiting.pending is not None
        assert sums(home)["provider:clearbit"] == (Decimal("0.10"), 0)
        await enrich(one)
        assert await asked(home) == 1, "not before its time"
        await home.sandbox.break_("clearbit")
        home.rows("UPDATE lookups SET ask_again_at = now() WHERE state = 'pending'")
        found = await enrich(one)
    assert {one.provider for one in found.evidence} == {"clearbit", "hunter"}
    assert sums(home)["provider:clearbit"] == (0, Decimal("0.10"))


async def test_what_was_paid_before_a_lead_had_to_wait_is_on_its_account(home: House) -> None:
    await home.sandbox.break_("hunter", error_rate=1, status=202)
    run = uuid4()
    async with workers(home) as (one,):
        assert (await enrich(one, run=run)).pending is not None
        await home.sandbox.break_("hunter")
        home.rows("UPDATE lookups SET ask_again_at = now() WHERE state = 'pending'")
        other, found = await enrich(one), await enrich(one, run=run)
    assert {(one.provider, one.origin, one.cost) for one in found.reports} == {
        ("clearbit", Origin.CALL, 0.1),
        ("hunter", Origin.CACHE, 0.0),
    }
    assert round(found.cost + other.cost, 6) == float(sums(home)["all"][1]) == 0.12


@pytest.mark.parametrize("handle", [None, "run-1"])
async def test_what_nobody_comes_back_for_does_not_stay_reserved(home: House, handle: str | None) -> None:
    await home.sandbox.break_("clearbit", error_rate=1, status=202)
    async with workers(home) as (one,):
        await enrich(one)
    home.rows(
        "UPDATE lookups SET ask_again_at = now() - interval '1 hour', handle = $1 WHERE state = 'pending'", handle
    )
    assert await ledger.tidy(home.direct, 1800) == 1
    assert await ledger.tidy(home.direct, 1800) == 0
    # A run that has a name over there is charged when it ends; a mere "later" is not.
    assert sums(home)["provider:clearbit"] == (0, Decimal("0.10") if handle else 0)
    assert home.value("SELECT state FROM lookups WHERE provider = 'clearbit'") == "idle"


async def test_a_call_that_is_under_way_stays_reserved(home: House) -> None:
    async with workers(home) as (one,):
        await enrich(one)
    home.rows(
        "UPDATE lookups SET state = 'asking', lease_until = now(), reserved_usd = 0.1 WHERE provider = 'clearbit'"
    )
    assert await ledger.tidy(home.direct, 1800) == 0


@pytest.mark.parametrize(("status", "calls"), [(500, 3), (404, 1), (422, 1)])
async def test_what_failed_is_not_asked_again_at_once(home: House, status: int, calls: int) -> None:
    await home.sandbox.break_("clearbit", error_rate=1, status=status)
    async with workers(home) as (one,):
        first, second = await enrich(one), await enrich(one)
        assert await asked(home) == calls, "tries of one call, and no second one"
        told = [next(r.reason for r in result.reports if r.provider == "clearbit") for result in (first, second)]
        assert told[0] == told[1]
        await home.sandbox.break_("clearbit")
        home.rows("UPDATE lookups SET ask_again_at = now(), answered_at = now() - interval '99 days'")
        assert "clearbit" in {item.provider for item in (await enrich(one)).evidence}


async def test_a_stop_stops_asking_for_what_is_pending_too(home: House) -> None:
    await home.sandbox.break_("clearbit", error_rate=1, status=202)
    async with workers(home) as (one,):
        await enrich(one)
        async with home.database.transaction() as session:
            await controls.turn_on(session, spend.STOPPED, by="test")
        home.rows("UPDATE lookups SET ask_again_at = now() WHERE state = 'pending'")
        after = await enrich(one)
    assert await asked(home) == 1
    assert "spending_stopped" in {report.reason for report in after.reports}


async def test_who_does_not_wait_leaves_a_question_that_was_not_asked_yet(home: House, tmp_path: Path) -> None:
    policy(
        home,
        tmp_path,
        ("[providers.clearbit]", "[providers.clearbit]\nat_once = 1"),
        ("budget_seconds = 10", "budget_seconds = 0.5"),
    )
    await home.sandbox.break_("clearbit", latency_ms=900)
    domains = [str(one["domain"]) for one in _companies() if one.get("clearbit")][:3]
    async with workers(home) as (one,):
        results = await asyncio.gather(*(enrich(one, domain) for domain in domains))
        told = [next(r for r in result.reports if r.provider == "clearbit") for result in results]
    assert sorted((report.outcome, report.reason) for report in told) == [
        ("failed", "time_budget"),
        ("pending", "queued"),
        ("pending", "queued"),
    ]
    assert await asked(home) == 1
    kept = home.value("SELECT count(*) FROM lookups WHERE provider = 'clearbit' AND findings IS NOT NULL")
    assert kept == 1, "what was paid for is kept, though nobody waited for it any more"


async def test_persons_are_kept_without_their_address(home: House) -> None:
    person = next(one for one in _companies() if one.get("clearbit") and one.get("people"))["people"][0]
    async with workers(home) as (one,):
        for _ in range(2):
            found = await enrich(one, person["email"].partition("@")[2], email=person["email"])
            assert person["title"] in {item.value for item in found.evidence if item.signal is Signal.TITLE}
    assert await asked(home, path="/v2/people/find") == 1
    stored = orjson.dumps(home.rows("SELECT * FROM lookups"), default=str).decode().lower()
    assert person["email"] not in stored
    assert person["family_name"].lower() not in stored


async def test_a_provider_that_the_rules_do_not_name_is_not_asked(home: House, tmp_path: Path) -> None:
    names = '"directory", "clearbit", "apollo", "zoominfo", "pipe0"'
    text = (unhurried(tmp_path / "rules") / "enrichment.toml").read_text()
    text = text.replace("[providers.hunter]\nprice = { company = 0.02, person = 0.02, email = 0.01 }\n", "")
    (tmp_path / "rules/enrichment.toml").write_text(text.replace('"hunter", ', "").replace('["hunter"]', '["apollo"]'))
    assert names in (tmp_path / "rules/enrichment.toml").read_text()
    home.settings = home.settings.model_copy(update={"general": General(config_dir=tmp_path / "rules")})
    async with workers(home) as (one,):
        assert {report.provider for report in (await enrich(one)).reports} == {"clearbit"}


def _companies() -> list[dict[str, object]]:
    from revenueflow.sandbox.directory import DATA

    companies: list[dict[str, object]] = orjson.loads((DATA / "companies.json").read_bytes())
    return companies
