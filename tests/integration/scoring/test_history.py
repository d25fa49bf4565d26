"""What a score was made of: kept by lead and version, shown as a waterfall, and scored anew without a model."""

from __future__ import annotations

import asyncio
import csv
import io
from pathlib import Path
from uuid import UUID

import orjson

from revenueflow.db import scorings
from revenueflow.workers.scorings import turn
from tests.integration.workers.test_checkpoints import worker_process
from tests.support.api import Api, add_keys, served, settings_for
from tests.support.house import House


async def scored(home: House, count: int = 1) -> list[UUID]:
    ids = [await home.deliver(email=f"dana{number}@larkvale-systems.example") for number in range(count)]
    for id_ in ids:
        assert (await home.run(id_))["state"] == "done"
    return ids


def history(home: House, lead: UUID) -> list[tuple[str, int]]:
    rows = home.rows("SELECT profile, total FROM scores WHERE lead_id = $1 ORDER BY scored_at, id", lead)
    return [(row["profile"], row["total"]) for row in rows]


async def wanted(home: House, **given: str | None) -> UUID:
    values = {"scope": "all", "campaign_id": None, "offer_id": None, "profile": None, "created_by": "key:test"}
    async with home.database.transaction() as session:
        row = await scorings.add(session, values | given)
    id_: UUID = row["id"]
    return id_


async def test_a_run_joins_the_history_once(home: House) -> None:
    (lead,) = await scored(home)
    row = home.lead(lead)
    assert history(home, lead) == [(row["profile"], row["score"])]
    assert sum(factor["points"] for factor in orjson.loads(row["score_factors"])) == row["score"]
    assert any(factor["evidence"] for factor in orjson.loads(row["score_factors"]))


async def test_scoring_anew_keeps_history_and_asks_nobody(home: House) -> None:
    leads = await scored(home, 3)
    asked = [await home.calls(upstream) for upstream in ("gemini", "clearbit", "crm")]
    before = home.lead(leads[0])
    id_ = await wanted(home, profile="six_factor")
    async with home.services() as services:
        assert await turn(services, lease=30)
        assert not await turn(services, lease=30)
    assert asked == [await home.calls(upstream) for upstream in ("gemini", "clearbit", "crm")]
    run = home.rows("SELECT * FROM scorings WHERE id = $1", id_)[0]
    assert (run["state"], run["leads"], run["scored"], run["skipped"]) == ("done", 3, 3, 0)
    after = home.lead(leads[0])
    assert after["profile"].startswith("six_factor@")
    assert history(home, leads[0]) == [(before["profile"], before["score"]), (after["profile"], after["score"])]
    assert ("lead.scored_again", "done") in home.audit(leads[0])
    await wanted(home)
    async with home.services() as services:
        assert await turn(services, lease=30)
    assert home.lead(leads[0])["score"] == before["score"], "the same profile over the same evidence"


async def test_a_killed_scoring_goes_on_where_it_was(home: House, tmp_path: Path) -> None:
    leads = await scored(home, 3)
    id_ = await wanted(home, profile="dual_layer")
    for point, done in (("scoring.before_commit", 0), ("scoring.after_commit", 3)):
        async with worker_process(home, tmp_path, REVENUEFLOW_CRASH_AT=point) as doomed:
            assert await asyncio.to_thread(doomed.wait, 30) == -9
        run = home.rows("SELECT * FROM scorings WHERE id = $1", id_)[0]
        assert (run["state"], run["scored"]) == ("running", done)
        home.rows("UPDATE scorings SET lease_until = now() - interval '1 s' WHERE id = $1", id_)
    async with home.services() as services:
        assert await turn(services, lease=30)
    run = home.rows("SELECT * FROM scorings WHERE id = $1", id_)[0]
    assert (run["state"], run["scored"]) == ("done", 3)
    assert all(len(history(home, lead)) == 2 for lead in leads)
    told = [home.audit(lead).count(("lead.scored_again", "done")) for lead in leads]
    assert told == [1] * 3


async def test_batch_by_batch(home: House) -> None:
    leads = await scored(home, 5)
    await wanted(home, profile="dual_layer")
    async with home.services() as services:
        assert await turn(services, lease=30, batch=2)
    assert home.rows("SELECT state, scored FROM scorings") == [{"state": "done", "scored": 5}]
    assert all(len(history(home, lead)) == 2 for lead in leads)


async def test_a_worker_that_lost_its_lease_writes_nothing(home: House) -> None:
    (lead,) = await scored(home)
    await wanted(home, profile="dual_layer")
    async with home.direct.connection() as connection:
        stale = await scorings.claim(connection, lease=0)
        assert stale is not None
        assert await scorings.claim(connection, lease=30) is not None
        assert not await scorings.advance(connection, stale, cursor=lead, scored=1, skipped=0, lease=30)
        await scorings.finish(connection, stale)
    assert home.value("SELECT state FROM scorings") == "running"


async def test_a_profile_that_is_gone_ends_the_scoring(home: House) -> None:
    await scored(home)
    await wanted(home, profile="gone")
    async with home.services() as services:
        assert await turn(services, lease=30)
    assert home.rows("SELECT state, error FROM scorings") == [{"state": "failed", "error": "unknown_profile"}]


async def test_unscored_and_campaign(home: House) -> None:
    (lead,) = await scored(home)
    home.rows("UPDATE leads SET score = NULL, tier = NULL WHERE id = $1", lead)
    other = await home.deliver(email="x@larkvale-systems.example", campaign="fall")
    await home.run(other)
    await wanted(home, scope="unscored")
    await wanted(home, scope="campaign", campaign_id="fall", profile="six_factor")
    async with home.services() as services:
        while await turn(services, lease=30):
            pass
    counts = home.rows("SELECT scope, scored FROM scorings ORDER BY scope")
    assert [tuple(row.values()) for row in counts] == [("campaign", 1), ("unscored", 1)]
    assert home.lead(lead)["score"] is not None
    assert home.lead(other)["profile"].startswith("six_factor@")


async def test_over_http(home: House, tmp_path: Path) -> None:
    (lead,) = await scored(home)
    evil = await home.deliver(email="evil@larkvale-systems.example", company='=cmd|"x"', last_name="@SUM(1)")
    await home.run(evil)

    def talk() -> None:
        with served(settings_for(home.urls.app_url, home.settings.redis.url, tmp_path)) as client:
            api = Api(client, add_keys(home.urls))
            operator = api.as_role("operator")
            offer = client.post("/v1/offers", headers=operator, json={"name": "Plans", "value_props": ["less"]})
            assert offer.status_code == 201
            assert api.read("/v1/offers").json()["items"][0]["value_propositions"] == ["less"]
            for wrong in ({"name": ""}, {"name": "x", "profile": "gone"}, {"name": "x", "price": 1}):
                assert client.post("/v1/offers", headers=operator, json=wrong).status_code == 422
            for wrong in ({"scope": "campaign"}, {"profile": "gone"}, {"offer_id": str(lead)}, {"scope": "some"}):
                assert client.post("/v1/scores", headers=operator, json=wrong).status_code == 422
            asked = client.post("/v1/scores", headers=operator, json={"offer_id": offer.json()["id"]})
            assert asked.status_code == 202
            assert api.read(asked.headers["location"]).json()["state"] == "ready"
            shown = api.read(f"/v1/leads/{lead}").json()
            assert shown["score_factors"][-1]["after"] == shown["score"]
            assert len(api.read(f"/v1/leads/{lead}/scores").json()["items"]) == 1
            first = api.read("/v1/results?limit=1")
            assert [one["lead_id"] for one in first.json()["items"]] == [str(evil)]
            second = api.read(f"/v1/results?limit=1&cursor={first.json()['next_cursor']}").json()
            assert ([one["lead_id"] for one in second["items"]], second["next_cursor"]) == ([str(lead)], None)
            rows = list(csv.DictReader(io.StringIO(api.read("/v1/results?format=csv").text)))
            head = "lead_id,name,company,role,industry,score,intent,reasoning,tier,profile,factors,owner"
            assert list(rows[0]) == head.split(",")
            assert [row["lead_id"] for row in rows] == [str(evil), str(lead)]
            assert rows[0]["company"].startswith("'=")
            assert int(rows[1]["score"]) == shown["score"]
            assert orjson.loads(rows[1]["factors"])[-1]["after"] == shown["score"]
            assert rows[1]["owner"]

    await asyncio.to_thread(talk)
