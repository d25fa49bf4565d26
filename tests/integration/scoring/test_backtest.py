"""What a changed profile would do to stored leads, over HTTP and at a terminal."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson

from revenueflow import defaults
from revenueflow.clock import utcnow
from revenueflow.db.scores import Which
from revenueflow.pipeline.backtest import Backtest, run
from revenueflow.pipeline.rescore import Shelf
from revenueflow.workers.scorings import turn
from tests.integration.scoring.test_history import wanted
from tests.support import cli
from tests.support.api import Api, add_keys, served, settings_for
from tests.support.house import House

UNSCORED = """
    INSERT INTO leads (id, campaign_id, identity_key, version, status, form, received_at)
    SELECT gen_random_uuid(), 'old', '', 1, 'processed', '{}', now() FROM generate_series(1, 3) RETURNING id
"""
HARSH = {"hot = 70": "hot = 99", "warm = 40": "warm = 98"}


def draft(folder: Path) -> Path:
    text = defaults.text("scoring/grounded.toml")
    for old, new in HARSH.items():
        assert old in text
        text = text.replace(old, new)
    path = folder / "draft.toml"
    path.write_text(text)
    return path


async def test_who_moves(home: House, tmp_path: Path) -> None:
    lead = await home.deliver()
    await home.run(lead)
    before = home.lead(lead)
    assert before["tier"] == "hot"
    ran = await asyncio.to_thread(
        cli.run, tmp_path, "scoring", "backtest", "--profile", str(draft(tmp_path)), "--json",
        DATABASE_URL=home.urls.app_url,
    )  # fmt: skip
    assert ran.code == 0, ran.err
    (told,) = ran.lines
    assert (told["leads"], told["tier_changed"], told["score_changed"]) == (1, 1, 0)
    assert told["changes"] == {"hot->cold": 1}
    assert (told["tiers"]["before"]["hot"], told["tiers"]["after"]["cold"]) == (1, 1)
    assert sum(told["histogram"]["after"].values()) == 1
    assert told["moves"][0]["lead_id"] == str(lead)
    assert told["moves"][0]["because"] == "hot begins at 99 now and warm begins at 98 now"
    assert home.lead(lead) == before, "a back-test changes nothing"
    shown = await asyncio.to_thread(
        cli.run, tmp_path, "scoring", "backtest", "--profile", "six_factor", DATABASE_URL=home.urls.app_url
    )
    assert shown.code == 0, shown.err
    assert "1 leads by six_factor@2" in shown.out


async def test_over_http(home: House, tmp_path: Path) -> None:
    leads = [await home.deliver(email=f"dana{n}@larkvale-systems.example", campaign="spring") for n in range(3)]
    for lead in leads:
        await home.run(lead)
    text, before = draft(tmp_path).read_text(), home.rows("SELECT * FROM leads ORDER BY id")
    ran = await asyncio.to_thread(
        cli.run, tmp_path, "scoring", "backtest", "--profile", str(tmp_path / "draft.toml"), "--json",
        DATABASE_URL=home.urls.app_url,
    )  # fmt: skip

    def talk() -> None:
        with served(settings_for(home.urls.app_url, home.settings.redis.url, tmp_path)) as client:
            api = Api(client, add_keys(home.urls))
            told = try_(api, {"profile_toml": text}).json()
            assert told == ran.lines[0], "what the command says"
            assert (told["changes"], told["complete"]) == ({"hot->cold": 3}, True)
            few = try_(api, {"profile_toml": text, "limit": 2, "moves": 1}).json()
            assert (few["leads"], few["tier_changed"], len(few["moves"]), few["complete"]) == (2, 2, 1, False)
            for path, body in (("/backtest", {"profile_toml": text}), ("", {"scope": "campaign"})):
                unknown = api.client.post(
                    f"/v1/scores{path}", json={**body, "campaign_id": "nope"}, headers=api.as_role("operator")
                )
                assert unknown.status_code == 422
                assert unknown.json()["errors"][0]["pointer"] == "/campaign_id"
                assert unknown.json()["detail"] == "no lead is in this campaign, and no source has told of it"
            assert try_(api, {"profile_toml": text, "campaign_id": "spring"}).json()["leads"] == 3
            assert try_(api, {"profile_toml": text, "since": "2100-01-01T00:00:00Z"}).json()["leads"] == 0

    await asyncio.to_thread(talk)
    ran = await asyncio.to_thread(
        cli.run, tmp_path, "scoring", "backtest", "--profile", "grounded", "--campaign", "nope",
        DATABASE_URL=home.urls.app_url,
    )  # fmt: skip
    assert (ran.code, ran.out) == (1, "")
    assert "no lead is in this campaign" in ran.err
    assert home.value("SELECT count(*) FROM scorings") == 0
    assert home.rows("SELECT * FROM leads ORDER BY id") == before
    assert home.value("SELECT count(*) FROM scores") == 3, "nothing is written"


def try_(api: Api, body: object, role: str = "operator") -> Any:
    return api.client.post("/v1/scores/backtest", json=body, headers=api.as_role(role))


async def test_a_move_names_the_line_that_changed_most(home: House, tmp_path: Path) -> None:
    lead = await home.deliver()
    await home.run(lead)
    before = {line["name"]: line["points"] for line in orjson.loads(home.lead(lead)["score_factors"])}
    text = defaults.text("scoring/grounded.toml")
    for old, new in {
        "vp = 13": "vp = 3",
        "director = 11": "director = 1",
        "hot = 70": f"hot = {home.lead(lead)['score']}",
    }.items():
        assert old in text
        text = text.replace(old, new)
    (tmp_path / "draft.toml").write_text(text)
    ran = await asyncio.to_thread(
        cli.run, tmp_path, "scoring", "backtest", "--profile", "draft.toml", "--json", DATABASE_URL=home.urls.app_url
    )
    (move,) = ran.lines[0]["moves"]
    assert move["because"].startswith(f"role {before['role']} -> {before['role'] - 10}: seniority is ")


async def test_the_same_profile_moves_nobody_and_older_leads_are_left_out(home: House) -> None:
    await home.run(await home.deliver())
    await home.run(await home.deliver(email="two@nowhere.example", company=None))
    now = utcnow()
    async with home.services() as services:
        overwrite = {signal: rule.overwrite for signal, rule in services.waterfall.rules.signals.items()}
        shelf = Shelf(services.vocabulary, overwrite)
        for since, count in ((now - timedelta(days=1), 2), (now + timedelta(days=1), 0)):
            backtest = Backtest(services.profiles.of(), services.vocabulary)
            told = (await run(home.direct, shelf, backtest, Which(since=since), now)).told()
            assert (told["leads"], told["tier_changed"], told["score_changed"]) == (count, 0, 0)


async def test_leads_without_a_score_count_towards_the_limit(home: House) -> None:
    home.rows(UNSCORED)
    async with home.services() as services:
        shelf = Shelf(services.vocabulary, {})
        for most, unscored, complete in ((2, 2, False), (3, 3, True)):
            backtest = Backtest(services.profiles.of(), services.vocabulary, most=most)
            told = (await run(home.direct, shelf, backtest, Which(), utcnow())).told()
            assert (told["leads"], told["unscored"], told["complete"]) == (0, unscored, complete)


async def test_leads_show_prints_the_waterfall(home: House, tmp_path: Path) -> None:
    lead = await home.deliver(jobTitle="Grand Wizard of Things", country="Untied States")
    await home.run(lead)
    shown = await asyncio.to_thread(cli.run, tmp_path, "leads", "show", str(lead), DATABASE_URL=home.urls.app_url)
    assert shown.code == 0, shown.err
    for part in ("Points", "because", "Scores", "grounded@2", "not understood: title"):
        assert part in shown.out
    (told,) = (await asyncio.to_thread(
        cli.run, tmp_path, "leads", "show", str(lead), "--json", DATABASE_URL=home.urls.app_url
    )).lines  # fmt: skip
    assert len(told["scores"]) == 1


async def test_what_nobody_could_read_is_told_of_the_lead_though_no_line_looks_at_it(
    home: House, tmp_path: Path
) -> None:
    lead = await home.deliver(email="two@nowhere.example", country="Untied States", phone="abc")
    await home.run(lead)
    await wanted(home, profile="six_factor")
    async with home.services() as services:
        await turn(services, lease=30, batch=10)

    def talk() -> None:
        with served(settings_for(home.urls.app_url, home.settings.redis.url, tmp_path)) as client:
            told = Api(client, add_keys(home.urls)).read(f"/v1/leads/{lead}").json()
            assert (told["profile"], told["not_understood"]) == ("six_factor@2", ["phone", "country"])

    await asyncio.to_thread(talk)
    shown = await asyncio.to_thread(cli.run, tmp_path, "leads", "show", str(lead), DATABASE_URL=home.urls.app_url)
    assert "not understood: phone, country" in shown.out


async def test_why_a_lead_is_parked_is_told_where_it_is_shown(home: House, tmp_path: Path) -> None:
    lead = await home.deliver(email=None, phone=None, leadId="4711")
    await home.run(lead)

    def talk() -> None:
        with served(settings_for(home.urls.app_url, home.settings.redis.url, tmp_path)) as client:
            told = Api(client, add_keys(home.urls)).read(f"/v1/leads/{lead}").json()
            assert (told["status"], told["stopped_because"]) == ("parked", "no_contact_point")
            (item,) = Api(client, add_keys(home.urls)).read("/v1/leads").json()["items"]
            assert item["stopped_because"] == "no_contact_point"

    await asyncio.to_thread(talk)
    shown = await asyncio.to_thread(cli.run, tmp_path, "leads", "show", str(lead), DATABASE_URL=home.urls.app_url)
    assert "no_contact_point" in shown.out.partition("Trail")[0]
