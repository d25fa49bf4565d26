"""Routing on real Postgres: fair turns whoever takes them, an owner who stays, reps who come and go."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest

from revenueflow import defaults
from revenueflow.clock import utcnow
from revenueflow.db import turns
from revenueflow.db.direct import Direct
from revenueflow.db.turns import Chosen
from revenueflow.devserver.cluster import DatabaseUrls
from revenueflow.domain.lead import Lead
from revenueflow.errors import Conflict
from revenueflow.pipeline import rep_changes, route
from revenueflow.pipeline.score import Scored
from revenueflow.routing.crm_owners import CompanyOwners
from revenueflow.routing.reps import Rep
from revenueflow.routing.rules import RoutingRules
from revenueflow.routing.turns import Rotation, next_turn
from revenueflow.settings import DatabaseSettings
from tests.support.house import House

REPS = [Rep(id=f"rep-{n}", name=f"Rep {n}", email="r@x.example", timezone="UTC", country="US") for n in range(4)]
POOL = """
[selection]
out_of_hours = "assign"

[[territories]]
name = "Pool"
countries = ["US"]
owners = ["dana-whitfield", "marcus-bell", "carmen-ortega"]
"""


def direct(urls: DatabaseUrls) -> Direct:
    """A worker's connections."""
    return Direct(DatabaseSettings(url=urls.app_url), application="worker", size=3)


async def take(worker: Direct, lead: UUID, reps: list[Rep]) -> str:
    def choose(state: str) -> Chosen:
        turn = next_turn(Rotation.model_validate_json(state), reps)
        return Chosen(turn.rep_id, turn.rotation.turns, turn.rotation.model_dump_json())

    async with worker.transaction() as connection:
        return await turns.take(connection, "pool", lead, {rep.id for rep in reps}, choose)


async def in_order(worker: Direct) -> list[str]:
    """Whose the turns were, in the order in which they were taken."""
    async with worker.connection() as connection:
        return [row["rep_id"] for row in await connection.fetch("SELECT rep_id FROM turns ORDER BY number")]


def fair(chosen: list[str], reps: list[Rep]) -> bool:
    """Whether in every window of turns nobody is more than one ahead of another."""
    for start in range(len(chosen)):
        counts = Counter({rep.id: 0 for rep in reps})
        for rep_id in chosen[start:]:
            counts[rep_id] += 1
            if max(counts.values()) - min(counts.values()) > 1:
                return False
    return True


async def test_workers_that_take_turns_at_the_same_time_are_fair_together(database: DatabaseUrls) -> None:
    async with direct(database) as one, direct(database) as other:
        leads = [uuid4() for _ in range(60)]
        found = await asyncio.gather(*(take((one, other)[n % 2], lead, REPS) for n, lead in enumerate(leads)))
        assert Counter(found) == {rep.id: 15 for rep in REPS}
        assert fair(await in_order(one), REPS)


async def test_a_restart_goes_on_where_the_last_process_stopped(database: DatabaseUrls) -> None:
    for count in (3, 1, 6, 2, 5):
        async with direct(database) as worker:
            for _ in range(count):
                await take(worker, uuid4(), REPS)
    async with direct(database) as worker:
        chosen = await in_order(worker)
    assert len(chosen) == 17
    assert fair(chosen, REPS)


async def test_workers_and_restarts_choose_as_one_program_would(database: DatabaseUrls) -> None:
    chance = random.Random(7)
    there = [chance.sample(REPS, chance.randint(1, 4)) for _ in range(120)]
    state, expected = Rotation(), []
    for reps in there:
        rep_id, state = next_turn(state, reps)
        expected.append(rep_id)
    found: list[str] = []
    while len(found) < len(there):
        async with direct(database) as one, direct(database) as other:
            for _ in range(chance.randint(1, 30)):
                if len(found) < len(there):
                    found.append(await take(chance.choice((one, other)), uuid4(), there[len(found)]))
    assert found == expected


async def test_a_lead_that_is_routed_again_takes_no_second_turn(database: DatabaseUrls) -> None:
    async with direct(database) as worker:
        lead = uuid4()
        first = await asyncio.gather(*(take(worker, lead, REPS) for _ in range(8)))
        assert len(set(first)) == 1
        others = [await take(worker, uuid4(), REPS) for _ in range(3)]
        assert {first[0], *others} == {rep.id for rep in REPS}
        left = [rep for rep in REPS if rep.id != first[0]]
        assert await take(worker, lead, left) == others[0]


async def test_a_turn_that_is_not_committed_was_not_taken(database: DatabaseUrls) -> None:
    async with direct(database) as worker:
        with pytest.raises(ZeroDivisionError):
            async with worker.transaction() as connection:
                await turns.take(connection, "pool", uuid4(), ["rep-0"], lambda _: Chosen("rep-0", 1, '{"turns": 1}'))
                raise ZeroDivisionError
        assert await take(worker, uuid4(), REPS) == "rep-0"


def pooled(home: House, **options: Any) -> None:
    """From now on leads in the US take turns; nobody else gets any."""
    lines = "".join(f"{name} = {orjson.dumps(value).decode()}\n" for name, value in options.items())
    head = defaults.text("routing.toml").partition("[[territories]]")[0]
    (Path(str(home.settings.config_dir)) / "routing.toml").write_text(lines + head + POOL)


async def routed(home: House, **fields: str) -> dict[str, Any]:
    lead = await home.deliver(**fields)
    assert (await home.run(lead))["state"] == "done"
    return home.lead(lead)


async def test_leads_take_turns_and_the_reason_says_so(home: House) -> None:
    pooled(home, existing_owner=False)
    rows = [await routed(home, email=f"p{n}@larkvale-systems.example") for n in range(4)]
    owners = [row["owner_id"] for row in rows]
    assert (len(set(owners[:3])), owners[3]) == (3, owners[0])
    assert rows[0]["routing_reason"] == "country US, in turn with 2 more"
    output = orjson.loads(home.steps(rows[0]["id"])["route"]["output"])["routing"]
    assert output["path"][-2].startswith(f"turn: {owners[0]} of ")
    assert {one["rep_id"]: one["reason"] for one in output["candidates"]}[owners[1]] == "another's turn"


async def test_who_converts_similar_leads_gets_the_next(home: House) -> None:
    pooled(home, existing_owner=False)
    sample = await routed(home, email="sample@larkvale-systems.example")
    copy = """
        WITH sold AS (
            INSERT INTO leads (id, campaign_id, identity_key, version, status, received_at, owner_id, facts)
            SELECT gen_random_uuid(), 'default', n::text, 1, 'processed', now(),
                CASE WHEN n <= 30 THEN 'marcus-bell' ELSE 'carmen-ortega' END, $2::jsonb
            FROM generate_series(1, 60) n RETURNING id, owner_id)
        INSERT INTO outcomes (id, lead_id, kind, happened_at, recorded_by)
        SELECT gen_random_uuid(), id, CASE owner_id WHEN $1 THEN 'won' ELSE 'lost' END, now(), 'test' FROM sold
    """
    home.rows(copy, "marcus-bell", sample["facts"])
    rows = [await routed(home, email=f"p{n}@larkvale-systems.example") for n in range(3)]
    assert [row["owner_id"] for row in rows] == ["marcus-bell"] * 3
    output = orjson.loads(home.steps(rows[0]["id"])["route"]["output"])["routing"]
    assert {one["rep_id"]: one["reason"] for one in output["candidates"]}["carmen-ortega"] == (
        "converts fewer similar leads"
    )


async def test_a_run_that_dies_after_its_turn_takes_no_other_one(home: House) -> None:
    pooled(home, existing_owner=False)
    first = await routed(home, email="a@larkvale-systems.example")
    job = home.job(first["id"])["id"]
    home.rows("DELETE FROM steps WHERE job_id = $1 AND name NOT IN ('capture', 'enrich', 'analyse')", job)
    home.rows("UPDATE jobs SET state = 'ready', step = 'ground', run_at = now(), finished_at = NULL WHERE id = $1", job)
    assert (await home.run(first["id"]))["state"] == "done"
    assert home.lead(first["id"])["owner_id"] == first["owner_id"]
    assert orjson.loads(home.value("SELECT state FROM rotations"))["turns"] == 1
    assert home.value("SELECT count(*) FROM turns") == 1


async def test_the_next_rep_is_found_with_those_excluded_who_did_not_act(home: House) -> None:
    pooled(home, existing_owner=False)
    row = await routed(home, email="a@larkvale-systems.example")
    scored = Scored.model_validate_json(home.steps(row["id"])["score"]["output"])
    lead = Lead(id=row["id"], domain=row["domain"], country=row["country"], received_at=row["received_at"])
    late, owner = {}, str(row["owner_id"])
    async with home.services() as services:
        for _ in range(3):
            late[owner] = "missed the SLA"
            routing = await route.find(
                services, lead, scored.facts, scored.score, utcnow(), CompanyOwners(), excluded=late
            )
            owner = routing.owner_id
            assert {one.rep_id: one.reason for one in routing.candidates}[row["owner_id"]] == "missed the SLA"
    assert (routing.owner_id, routing.queued) == ("inbound-queue", "nobody")
    assert set(late) == {"dana-whitfield", "marcus-bell", "carmen-ortega"}


async def test_state_postcode_and_language_of_a_form_count(home: House) -> None:
    pooled(home, existing_owner=False)
    place = Path(str(home.settings.config_dir)) / "routing.toml"
    narrow = """
[[territories]]
name = "Texas"
countries = ["US"]
states = ["TX"]
postcodes = ["787"]
owners = ["carmen-ortega", "ananya-rao"]

[[territories]]"""
    place.write_text(place.read_text().replace("\n[[territories]]", narrow, 1))
    rules = defaults.load(RoutingRules, "routing.toml", home.settings.config_dir)
    speaker = Rep.model_validate(rules.rep("ananya-rao").model_dump() | {"languages": ["es"]})
    await rep_changes.put(home.database, rules, [speaker], {}, actor="test", replace=False)
    row = await routed(home, email="a@larkvale-systems.example", state="Texas", zip="78701", language="es-MX")
    assert (row["owner_id"], row["routing_rule"]) == ("ananya-rao", "territory:Texas")
    other = await routed(home, email="b@larkvale-systems.example", state="Texas", zip="75201", language="es-MX")
    assert other["routing_rule"] == "territory:Pool"


async def test_two_leads_of_a_company_at_the_same_moment_share_a_turn(home: House) -> None:
    pooled(home)
    leads = [await home.deliver(email=f"{n}@larkvale-systems.example") for n in "abcd"]
    async with home.runner() as runner:
        runner.start([await home.leased(lead) for lead in leads])
        await home.until_done(4)
    assert len({home.lead(lead)["owner_id"] for lead in leads}) == 1
    (state,) = home.rows("SELECT state FROM rotations")
    assert orjson.loads(state["state"])["turns"] == 1


async def test_a_company_stays_with_its_owner_until_that_rep_is_gone(home: House) -> None:
    pooled(home)
    first = await routed(home, email="a@larkvale-systems.example")
    second = await routed(home, email="b@larkvale-systems.example")
    assert (second["owner_id"], second["routing_rule"]) == (first["owner_id"], "existing:company")
    rules = defaults.load(RoutingRules, "routing.toml", home.settings.config_dir)
    gone, heir = first["owner_id"], next(one for one in ("dana-whitfield", "marcus-bell") if one != first["owner_id"])
    with pytest.raises(Conflict, match="has 2 open leads"):
        await rep_changes.remove(home.database, rules, gone, None, actor="test")
    told = await rep_changes.remove(home.database, rules, gone, heir, actor="test")
    assert told["moved"] == {gone: 2}
    assert any("no rep has this id" in one for one in told["unknown"])
    assert home.lead(first["id"])["owner_id"] == heir
    for message in ("Another question.", "And one more."):
        again = await routed(home, email="a@larkvale-systems.example", message=message)
        assert (again["id"], again["owner_id"], again["routing_rule"]) == (first["id"], heir, "existing:moved")
    assert ("lead.moved", "done") in home.audit(first["id"])
    third = await routed(home, email="c@larkvale-systems.example")
    assert (third["owner_id"], third["routing_rule"]) == (heir, "existing:company")


async def test_who_is_full_or_on_leave_gets_none_and_a_queue_without_anybody_is_told(home: House) -> None:
    pooled(home, existing_owner=False)
    rules = defaults.load(RoutingRules, "routing.toml", home.settings.config_dir)
    away = {"leave": [{"first": "2020-01-01", "last": "2099-12-31"}]}
    changed = [
        Rep.model_validate(rules.rep(rep_id).model_dump() | change)
        for rep_id, change in (("dana-whitfield", away), ("marcus-bell", away), ("carmen-ortega", {"capacity": 1}))
    ]
    await rep_changes.put(home.database, rules, changed, {}, actor="test", replace=False)
    first, second = [await routed(home, email=f"{n}@larkvale-systems.example") for n in "ab"]
    assert (first["owner_id"], second["owner_id"]) == ("carmen-ortega", "inbound-queue")
    assert second["routing_reason"] == "territory:Pool fits, nobody of it can take the lead"
    output = orjson.loads(home.steps(second["id"])["route"]["output"])["routing"]
    reasons = {one["rep_id"]: one["reason"] for one in output["candidates"]}
    assert output["queued"] == "nobody"
    assert reasons["carmen-ortega"] == "has 1 open leads of 1"
    assert reasons["dana-whitfield"] == "on leave until 2099-12-31"


async def test_the_country_of_a_lead_is_read_from_its_location(home: House) -> None:
    place = {"country": "", "location": "Berlin, Germany"}
    assert (await routed(home, email="ann.b@gmail.com", **place))["owner_id"] == "jonas-keller"
    odd = await routed(home, email="bo.b@gmail.com", country="", location="Untied States")
    assert (odd["owner_id"], odd["routing_reason"]) == ("inbound-queue", "country was not understood")
