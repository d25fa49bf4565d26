"""Leads that are past their time are erased, a person at a time; whoever comes again is a lead again."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest

from revenueflow.db import aged
from revenueflow.pipeline.erasure import erase
from revenueflow.pipeline.persons import identify
from revenueflow.privacy.retention import LeadDays, LeadRules, RetentionDays, RetentionRules
from revenueflow.workers.retention import turn
from tests.support.api import identity
from tests.support.canary import MARKS, PERSON, marked
from tests.support.house import House

KEEP = RetentionDays(**dict.fromkeys(RetentionDays.model_fields, 0))
NO_MODEL = {"untouched": 0, "rejected": 0, "lost": 0, "parked": 0}


def rules(most: int = 100, **days: int) -> RetentionRules:
    """Only leads go, of the kinds that are given."""
    return RetentionRules(every_hours=24, batch=2, days=KEEP, leads=LeadRules(most=most, days=LeadDays(**days)))


async def round_of(home: House, most: int = 100, **days: int) -> int:
    return (await turn(home.direct, rules(most, **days), identity()))["leads"]


def age(home: House, lead: UUID, days: int = 40) -> None:
    """Nothing was heard of the lead for so long."""
    home.rows(
        "UPDATE deliveries SET received_at = received_at - make_interval(days => $2) WHERE lead_id = $1", lead, days
    )
    home.rows(
        """UPDATE leads SET received_at = received_at - make_interval(days => $2),
           processed_at = processed_at - make_interval(days => $2) WHERE id = $1""", lead, days,
    )  # fmt: skip


async def old(home: House, days: int = 40, **fields: Any) -> UUID:
    lead = await home.deliver(**fields)
    await home.run(lead)
    age(home, lead, days)
    return lead


def outcome(home: House, lead: UUID, kind: str, days: int) -> None:
    home.rows(
        """INSERT INTO outcomes (id, lead_id, kind, happened_at, recorded_by, recorded_at)
           VALUES (gen_random_uuid(), $1, $2, now(), 'test', now() - make_interval(days => $3))""", lead, kind, days,
    )  # fmt: skip


async def test_it_is_erased_as_by_erase_and_the_trail_says_so(home: House) -> None:
    lead = await old(home, **PERSON)
    assert list(marked(home))
    assert await turn(home.direct, rules(untouched=30), identity(), dry_run=True) == {"leads": 1}
    assert list(marked(home))
    assert await round_of(home, untouched=30) == 1
    assert list(marked(home)) == []
    row = home.lead(lead)
    assert (row["status"], row["email"], row["erased_at"] is not None) == ("erased", None, True)
    (event,) = home.rows("SELECT * FROM audit_events WHERE action = 'person.erased'")
    assert (event["actor"], event["outcome"], event["lead_id"]) == ("retention", "aged", lead)
    assert not MARKS.search(str(event))
    assert await round_of(home, untouched=30) == 0


@pytest.mark.parametrize(
    ("change", "goes"),
    [
        ("SELECT 1", {"untouched"}),
        ("UPDATE leads SET analysis_verdict = 'rejected'", {"untouched", "rejected"}),
        ("UPDATE leads SET first_touch_at = now()", set()),
        ("UPDATE leads SET first_touch_at = now(), stage = 'lost'", {"lost"}),
        ("UPDATE leads SET status = 'parked'", {"parked"}),
        ("UPDATE leads SET status = 'dead'", {"parked"}),
    ],
)
async def test_each_kind_is_its_own(home: House, change: str, goes: set[str]) -> None:
    await old(home)
    home.rows(change)
    for kind in aged.KINDS:
        told = await turn(home.direct, rules(**{kind: 30}), identity(), dry_run=True)
        assert told["leads"] == (1 if kind in goes else 0), kind
        assert (await turn(home.direct, rules(**{kind: 50}), identity(), dry_run=True))["leads"] == 0, "too young"
    assert "leads" not in await turn(home.direct, rules(), identity(), dry_run=True), "off by default"


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE deliveries SET received_at = now()",
        "UPDATE jobs SET state = 'ready', finished_at = NULL",
        "UPDATE jobs SET state = 'parked', wanted_version = run_version + 1",
        """INSERT INTO reviews (id, lead_id, job_id, run_version, kind, questioned)
           SELECT gen_random_uuid(), lead_id, id, 9, 'ambiguous', '[]' FROM jobs""",
    ],
)
async def test_what_somebody_works_on_or_has_come_again_stays(home: House, change: str) -> None:
    await old(home)
    home.rows(change)
    assert await round_of(home, untouched=30) == 0
    assert home.value("SELECT count(*) FROM leads WHERE erased_at IS NOT NULL") == 0


async def test_what_sales_said_lately_keeps_a_lead(home: House) -> None:
    lead = await old(home)
    home.rows("UPDATE leads SET stage = 'lost', first_touch_at = now()")
    outcome(home, lead, "lost", days=5)
    assert await round_of(home, lost=30) == 0
    home.rows("UPDATE outcomes SET recorded_at = now() - interval '31 days'")
    assert await round_of(home, lost=30) == 1


async def test_a_persons_leads_go_together(home: House) -> None:
    first, second = await old(home), await old(home, campaign_id="autumn")
    third = await home.deliver(email=None, linkedin_url="https://www.linkedin.com/in/dana-reyes", company="L")
    await home.run(third)
    home.rows("UPDATE leads SET email = (SELECT email FROM leads WHERE id = $1) WHERE id = $2", first, third)
    assert await round_of(home, untouched=30) == 0, "the third is young, and of the same person"
    age(home, third)
    assert await round_of(home, untouched=30) == 3
    assert {home.lead(one)["status"] for one in (first, second, third)} == {"erased"}


async def test_a_round_erases_no_more_than_it_may(home: House) -> None:
    leads = [await old(home, days=60 - n, email=f"p{n}@else{n}.example") for n in range(5)]
    done = []
    for _ in range(4):
        await round_of(home, most=2, untouched=30)
        done.append([home.lead(one)["erased_at"] is not None for one in leads].count(True))
    assert done == [2, 4, 5, 5]


async def test_whoever_comes_again_is_a_lead_again(home: House) -> None:
    lead = await old(home)
    assert await round_of(home, untouched=30) == 1
    assert await home.deliver(message="we are back") == lead
    assert (await home.run(lead))["state"] == "done"
    row = home.lead(lead)
    assert (row["status"], row["erased_at"], row["message"]) == ("processed", None, "we are back")
    assert home.value("SELECT count(*) FROM evidence WHERE value <> 'null'") > 0


async def closed(home: House, lead: UUID) -> bool:
    async with home.direct.transaction() as connection:
        who = await identify(connection, identity(), lead)
        return await aged.close(connection, who.keys, who.leads, NO_MODEL | {"untouched": 30})


async def test_what_comes_while_it_is_erased_waits_and_is_processed(home: House) -> None:
    lead = await old(home)
    assert await closed(home, lead)
    await home.deliver(message="we are back")
    job = await home.run(lead)
    assert (job["state"], job["error_class"]) == ("ready", "erasing_under_way")
    assert await round_of(home, untouched=30) == 1, "what a round before left is done first"
    home.rows("UPDATE jobs SET run_at = now() WHERE state = 'ready'")
    while (job := await home.run(lead))["state"] == "ready":
        home.rows("UPDATE jobs SET run_at = now() WHERE state = 'ready'")
    assert job["state"] == "done"
    assert (home.lead(lead)["status"], home.lead(lead)["message"]) == ("processed", "we are back")


async def test_two_rounds_at_once_and_one_twice(home: House) -> None:
    await old(home)
    told = await asyncio.gather(*(round_of(home, untouched=30) for _ in range(3)))
    assert 1 <= sum(told) <= 3
    assert home.value("SELECT count(*) FROM leads WHERE erased_at IS NULL OR email IS NOT NULL") == 0
    assert home.value("SELECT count(*) FROM erasures WHERE reopened_at IS NULL") == 0


async def test_who_asked_to_be_erased_stays_so(home: House) -> None:
    lead = await old(home)
    await erase(home.direct, identity(), lead, reason="asked for it", actor="cli:o")
    other = await old(home, email=None, linkedin_url="https://www.linkedin.com/in/dana-reyes", company="L")
    home.rows("UPDATE leads SET email = 'dana@larkvale-systems.example' WHERE id = $1", other)
    assert await round_of(home, untouched=30) >= 1
    assert home.value("SELECT count(*) FROM erasures WHERE erased_by = 'cli:o' AND reopened_at IS NULL") >= 1
    await home.deliver(message="once more")
    assert (await home.run(lead))["error_class"] == "person_erased"
