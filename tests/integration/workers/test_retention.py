"""What is past its time goes, once, in batches; the rest stays."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from revenueflow import defaults
from revenueflow.db import aged as aged_leads
from revenueflow.db.retention import RULES, begin
from revenueflow.devserver.cluster import DatabaseUrls
from revenueflow.errors import LeaseLost
from revenueflow.pipeline.erasure import erase
from revenueflow.privacy.retention import FILE, LeadDays, RetentionDays, RetentionRules
from revenueflow.sources.arrival import Arrival
from revenueflow.workers import retention
from revenueflow.workers.retention import turn
from tests.support.api import identity
from tests.support.cli import run
from tests.support.house import House, eventually

RULES_AS_SHIPPED = defaults.load(RetentionRules, FILE, None)


def rules(**days: int) -> RetentionRules:
    """Everything is kept but what is given, in batches of two."""
    kept = dict.fromkeys(RetentionDays.model_fields, 0)
    return RetentionRules(every_hours=24, batch=2, days=RetentionDays(**{**kept, **days}))


async def aged(home: House, *, days: int) -> UUID:
    """A lead that was processed so long ago."""
    lead = await home.deliver(message=f"from {days} days ago")
    await home.run(lead)
    for table, column in (
        ("deliveries", "received_at"), ("jobs", "finished_at"), ("lookups", "answered_at"), ("actions", "settled_at"),
    ):  # fmt: skip
        home.rows(f"UPDATE {table} SET {column} = {column} - make_interval(days => $1)", days)
    return lead


def test_each_setting_has_its_rules() -> None:
    assert set(RULES) == set(RetentionDays.model_fields)
    assert list(aged_leads.KINDS) == list(LeadDays.model_fields)
    assert set(RULES_AS_SHIPPED.leads.days.model_dump().values()) == {0}
    assert (RULES_AS_SHIPPED.days.raw_deliveries, RULES_AS_SHIPPED.days.quarantine) == (30, 30)
    assert RULES_AS_SHIPPED.days.import_rejects == 30


async def test_what_is_past_its_time_goes_and_the_rest_stays(home: House) -> None:
    lead = await aged(home, days=40)
    counted = await turn(home.direct, RULES_AS_SHIPPED, dry_run=True)
    assert {name: count for name, count in counted.items() if count} == {"raw_deliveries": 1}
    assert await turn(home.direct, RULES_AS_SHIPPED) == counted
    assert home.value("SELECT octet_length(raw) FROM deliveries") == 0
    assert home.value("SELECT parsed IS NOT NULL FROM deliveries")
    short = rules(checkpoints=30, evidence=30, claims=30, action_arguments=30, lookups=30)
    expected = await turn(home.direct, short, dry_run=True)
    assert min(expected.values()) >= 1
    assert await turn(home.direct, short) == expected
    for table in ("steps", "evidence", "claims", "lookups"):
        assert home.value(f"SELECT count(*) FROM {table}") == 0, table
    assert home.value("SELECT count(*) FROM actions WHERE args <> '{}'") == 0
    assert set((await turn(home.direct, short)).values()) == {0}
    assert home.lead(lead)["email"] is not None
    later = await home.deliver(company="Larkvale")
    assert (await home.run(later))["state"] == "done", "a lead whose checkpoints went can still be run"


async def test_what_is_younger_or_under_way_stays(home: House) -> None:
    await aged(home, days=20)
    everything = rules(**dict.fromkeys(RetentionDays.model_fields, 30))
    assert set((await turn(home.direct, everything)).values()) == {0}
    waiting = await home.deliver(email="eve@else.example")
    home.rows("UPDATE deliveries SET received_at = received_at - interval '90 days' WHERE lead_id = $1", waiting)
    await turn(home.direct, everything)
    assert (await home.run(waiting))["state"] == "done"


async def test_an_open_review_keeps_what_it_is_about(home: House) -> None:
    lead = await aged(home, days=40)
    home.rows(
        """INSERT INTO reviews (id, lead_id, job_id, run_version, kind, questioned)
           VALUES ($1, $2, $3, 9, 'ambiguous', '[]')""", uuid4(), lead, home.job(lead)["id"],
    )  # fmt: skip
    assert set((await turn(home.direct, rules(checkpoints=30, evidence=30, claims=30))).values()) == {0}


async def test_quarantine_rejects_and_what_waits_for_an_operator(home: House) -> None:
    for number in range(5):
        await home.ingress.accept([Arrival("webhook", str(number), b"?", "text/plain", reason="no")], "t")
    insert = "INSERT INTO imports (id, state, created_at, finished_at) VALUES ($1, 'done', now() - $2::interval, now())"
    home.rows(insert, (old := uuid4()), timedelta(days=31))
    home.rows(insert, (new := uuid4()), timedelta(days=29))
    home.rows(
        """INSERT INTO import_rejects SELECT one, line, '', 'raw'
           FROM unnest($1::uuid[]) AS one, generate_series(1, 3) AS line""", [old, new],
    )  # fmt: skip
    lead = await home.deliver()
    await erase(home.direct, identity(), lead, reason="asked for it", actor="test")
    await home.deliver(message="once more")
    home.rows("UPDATE erasures SET erased_at = erased_at - interval '40 days'")
    home.rows("UPDATE deliveries SET received_at = received_at - interval '31 days'")
    found = await turn(home.direct, rules(quarantine=30, import_rejects=30))
    assert found == {"quarantine": 6, "import_rejects": 3}
    assert home.value("SELECT count(*) FROM import_rejects") == 3
    assert home.value("SELECT count(*) FROM deliveries WHERE parsed IS NOT NULL OR raw <> ''") == 0
    with suppress(LeaseLost):
        await home.run(lead)
    assert home.job(lead)["state"] == "done", "nothing is left of what it waited for"


async def test_of_several_workers_one_does_it(home: House, capsys: pytest.CaptureFixture[str]) -> None:
    await aged(home, days=40)
    capsys.readouterr()
    told: list[str] = []

    async def rounds(number: int) -> bool:
        told.extend(line for line in capsys.readouterr().out.splitlines() if "past_their_time" in line)
        return len(told) >= number

    loops = [
        asyncio.create_task(retention.run(home.direct, identity(), RULES_AS_SHIPPED, pause=0.02)) for _ in range(4)
    ]
    await eventually(lambda: rounds(1))
    home.rows("UPDATE deliveries SET raw = 'again'")
    home.rows("UPDATE routines SET begun_at = begun_at - interval '25 hours'")
    await eventually(lambda: rounds(2))
    for loop in loops:
        loop.cancel()
    await asyncio.gather(*loops, return_exceptions=True)
    assert await rounds(2)
    assert len(told) == 2
    assert all('"raw_deliveries": 1' in line for line in told)
    assert home.value("SELECT octet_length(raw) FROM deliveries") == 0


async def test_at_a_terminal(home: House, database: DatabaseUrls, tmp_path: Path) -> None:
    await aged(home, days=40)
    given = {"DATABASE_URL": database.app_url}
    told = run(tmp_path, "privacy", "retention", "--dry-run", "--json", **given).lines
    assert [(one["days"], one["rows"]) for one in told if one["kind"] == "raw_deliveries"] == [(30, 1)]
    assert run(tmp_path, "privacy", "retention", **given).err == "1 rows\n"
    assert run(tmp_path, "privacy", "retention", **given).err == "0 rows\n"


async def test_a_round_that_does_not_end_is_begun_again_before_its_time(home: House) -> None:
    async def begun(minutes: int) -> bool:
        home.rows("UPDATE routines SET begun_at = now() - make_interval(mins => $1)", minutes)
        async with home.direct.connection() as connection:
            return await begin(connection, retention.NAME, 24 * 3600)

    home.rows("UPDATE routines SET ended_at = now() - interval '2 days'")
    assert [await begun(59), await begun(61)] == [False, True]
    await turn(home.direct, RULES_AS_SHIPPED)
    assert home.value("SELECT ended_at >= begun_at FROM routines")
    home.rows("UPDATE routines SET ended_at = now()")
    assert [await begun(61), await begun(24 * 60 + 1)] == [False, True]
    home.rows("UPDATE routines SET ended_at = now() - interval '2 days'")
    await turn(home.direct, RULES_AS_SHIPPED, dry_run=True)
    assert home.value("SELECT ended_at < now() - interval '1 day' FROM routines")
