"""`/v1/reps`, `/v1/routing`, and the same at a terminal."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest

from revenueflow import defaults
from revenueflow.devserver.cluster import DatabaseUrls
from tests.support import sql
from tests.support.api import Api
from tests.support.cli import run
from tests.support.house import House, house

DATA = Path(__file__).parents[2] / "data" / "routing"
HELD = """
    WITH made AS (
        INSERT INTO leads (id, campaign_id, identity_key, version, status, owner_id, owner_name, received_at)
        SELECT gen_random_uuid(), 'old', '', 1, 'processed', 'dana-whitfield', 'Dana', now() - interval '9 days'
        FROM generate_series(1, $1) RETURNING 1)
    SELECT count(*) FROM made
"""
LABELLED = ("--rules", str(DATA / "rules.toml"), "--reps", str(DATA / "reps.csv"))
ANN = {"id": "ann", "name": "Ann", "email": "ann@x.example", "timezone": "Europe/Berlin", "country": "DE"}


def problem(answer: Any, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    body: dict[str, Any] = answer.json()
    assert body["type"] == f"urn:revenueflow:problem:{code}"
    return body


def put(api: Api, content: bytes, kind: str = "application/json") -> Any:
    headers = api.as_role("operator") | {"Content-Type": kind}
    return api.client.put("/v1/reps", content=content, headers=headers)


def listed(api: Api) -> dict[str, Any]:
    found: dict[str, Any] = api.read("/v1/reps").json()
    return {one["id"]: one for one in found["items"]}


def test_the_list_is_that_of_the_file_until_it_is_put(api: Api) -> None:
    assert len(listed(api)) == 13
    answer = put(api, orjson.dumps({"reps": [ANN]}))
    assert answer.status_code == 200
    assert len(answer.json()["removed"]) == 12
    assert "territories.0.owner: no rep has this id: dana-whitfield" in answer.json()["unknown"]
    assert set(listed(api)) == {"ann", "inbound-queue"}
    again = put(
        api, orjson.dumps({"reps": [ANN | {"capacity": 5, "leave": [{"first": "2026-12-21", "last": "2026-12-31"}]}]})
    )
    assert (again.json()["removed"], listed(api)["ann"]["capacity"]) == ([], 5)


def test_a_csv_is_a_list_too(api: Api) -> None:
    assert put(api, (DATA / "reps.csv").read_bytes(), "text/csv").status_code == 200
    assert listed(api)["ida-brandt"]["covered_by"] == "hugo-weiss"
    body = problem(put(api, b"id,name,email\nA!,A,a@x.example", "text/csv"), 422, "invalid_input")
    assert "line 2: id" in body["detail"]


@pytest.mark.parametrize(
    ("content", "kind", "status", "code"),
    [
        (b"{", "application/json", 400, "malformed_input"), (b"{}", "application/json", 422, "invalid_input"),
        (b'{"reps": []}', "application/json", 422, "invalid_input"), (b"x", "text/plain", 415, "unsupported_media"),
        (orjson.dumps({"reps": [ANN, ANN]}), "application/json", 422, "invalid_input"),
        (orjson.dumps({"reps": [ANN | {"colour": "s3cr3t"}]}), "application/json", 422, "invalid_input"),
    ],
)  # fmt: skip
def test_a_list_that_cant_be_used(shared_api: Api, content: bytes, kind: str, status: int, code: str) -> None:
    body = problem(put(shared_api, content, kind), status, code)
    assert "s3cr3t" not in str(body)


@asynccontextmanager
async def one_routed(database: DatabaseUrls, redis_url: str, folder: Path) -> AsyncIterator[tuple[House, Any]]:
    async with house(database, redis_url, folder) as home:
        lead = await home.deliver()
        assert (await home.run(lead))["state"] == "done"
        yield home, lead


async def test_why_and_who_else_and_what_if(api: Api, database: DatabaseUrls, redis_url: str, tmp_path: Path) -> None:
    async with one_routed(database, redis_url, tmp_path) as (_, lead):
        shown = (await asyncio.to_thread(api.read, f"/v1/leads/{lead}")).json()
        assert shown["routing_reason"] == "country US, headcount 227 is 200 to 999"
        assert shown["routing"]["path"][0] == "territory:US enterprise: no, headcount 227 is not 1000 or more"
        assert shown["routing"]["candidates"][-1] == {"rep_id": "marcus-bell", "chosen": True, "reason": ""}

        text = defaults.text("routing.toml").replace("min_headcount = 1000", "min_headcount = 227", 1)
        text = text.replace("max_headcount = 999", "max_headcount = 226").replace('version = "2"', 'version = "3"')
        draft = {"rules_toml": text, "days": 1, "labels": {str(lead): "dana-whitfield"}}
        answer = await asyncio.to_thread(post, api, draft)
        told = answer.json()
        assert (told["leads"], told["moved"], told["complete"], told["version"]) == (1, 1, True, "3")
        assert told["pairs"] == [{"from": "marcus-bell", "to": "dana-whitfield", "leads": 1}]
        assert told["accuracy"] == {"before": 0.0, "after": 1.0}
        (tmp_path / "draft.toml").write_text(text)
        ran = await asyncio.to_thread(
            run, tmp_path, "routing", "simulate", "--rules", str(tmp_path / "draft.toml"), "--since", "1d", "--json",
            DATABASE_URL=database.app_url,
        )  # fmt: skip
        assert orjson.loads(ran.out)["pairs"] == told["pairs"]
        for since, rules, said in (
            ("1d", "routing.toml", "nobody moves: every lead goes where it went"),
            ("2100-01-01T00:00:00Z", "draft.toml", "no lead that came since 2100-01-01T00:00Z has been routed"),
        ):
            (tmp_path / "routing.toml").write_text(defaults.text("routing.toml"))
            ran = await asyncio.to_thread(
                run, tmp_path, "routing", "simulate", "--rules", str(tmp_path / rules), "--since", since,
                DATABASE_URL=database.app_url,
            )  # fmt: skip
            assert ran.code == 0, ran.err
            assert ran.out.rstrip().endswith(said)
        full = text.replace('id = "dana-whitfield"', 'id = "dana-whitfield"\ncapacity = 1')
        for count, moves in ((0, 1), (1, 0)):
            assert sql.value(database.app_url, HELD, count) == count
            told = (await asyncio.to_thread(post, api, draft | {"rules_toml": full})).json()
            load = {one["rep_id"]: one["most_open"] for one in told["load"]}
            assert (told["moved"], told["queued"], load["dana-whitfield"]) == (1, 1 - moves, 1)
        ran = await asyncio.to_thread(run, tmp_path, "leads", "show", str(lead), DATABASE_URL=database.app_url)
        assert "US enterprise: no, headcount 227 is not 1000 or more" in ran.out
        kept = listed(api)
        del kept["marcus-bell"]
        reps = [{name: value for name, value in one.items() if name != "open_leads"} for one in kept.values()]
        refused = problem(await asyncio.to_thread(put, api, orjson.dumps({"reps": reps})), 409, "conflict")
        assert "marcus-bell has 1 open leads" in refused["detail"]
        moved = put(api, orjson.dumps({"reps": reps, "moves": {"marcus-bell": "dana-whitfield"}}))
        assert moved.json()["moved"] == {"marcus-bell": 1}


def post(api: Api, draft: dict[str, Any]) -> Any:
    headers = api.as_role("operator") | {"Content-Type": "application/json"}
    return api.client.post("/v1/routing/simulate", content=orjson.dumps(draft), headers=headers)


def test_rules_that_cant_be_used_are_told_with_the_line(shared_api: Api) -> None:
    text = defaults.text("routing.toml").replace('owner = "ananya-rao"', 'owner = "nobody"')
    body = problem(post(shared_api, {"rules_toml": text}), 422, "invalid_input")
    line = text.splitlines().index('owner = "nobody"') + 1
    assert f"territories.12.owner: no rep has this id (line {line})" in body["detail"]
    problem(post(shared_api, {"rules": {"version": "1"}}), 422, "invalid_input")
    problem(post(shared_api, {"rules_toml": "= ="}), 422, "invalid_input")
    problem(post(shared_api, {"days": 0}), 422, "invalid_input")


def rules_with(**crm: object) -> dict[str, Any]:
    table = defaults.toml("routing.toml")
    return table | {"crm_owners": table["crm_owners"] | crm}


@pytest.mark.parametrize(
    ("draft", "pointer"),
    [
        ({"rules_toml": ".".join(["a"] * 90_000) + " = 1"}, "/rules_toml"),
        ({"rules_toml": "a = " + "{a=" * 4000}, "/rules_toml"), ({"rules_toml": "a = " + "9" * 5000}, "/rules_toml"),
        ({"rules_toml": "x" * 200_001}, "/rules_toml"), ({"rules": {"a": "x" * 200_001}}, "/rules"),
        ({"since": "0001-01-01T00:00:00+14:00"}, "/since"),
        ({"rules": rules_with(ask=1)}, "/rules/crm_owners/ask"),
        ({"rules": rules_with(keep_minutes="15")}, "/rules/crm_owners/keep_minutes"),
    ],
)  # fmt: skip
def test_drafts_that_cant_be_used(shared_api: Api, draft: dict[str, Any], pointer: str) -> None:
    body = problem(post(shared_api, draft), 422, "invalid_input")
    assert [fault["pointer"] for fault in body["errors"]] == [pointer]


def test_rules_that_are_no_rules_of_any_size_are_refused(shared_api: Api) -> None:
    content = b'{"rules": {"a": %s}}'
    headers = shared_api.as_role("operator") | {"Content-Type": "application/json"}
    for value in (b"9" * 5000, b"[" * 190 + b"]" * 190, b"[" * 4000 + b"]" * 4000):
        answer = shared_api.client.post("/v1/routing/simulate", content=content % value, headers=headers)
        assert answer.status_code in (400, 422), answer.text


def test_reps_come_and_go_at_a_terminal(database: DatabaseUrls, tmp_path: Path) -> None:
    def reps(*arguments: str) -> Any:
        return run(tmp_path, "reps", *arguments, DATABASE_URL=database.app_url)

    assert orjson.loads(reps("import", str(DATA / "reps.csv")).out)["stored"] == 13
    ids = [orjson.loads(line)["id"] for line in reps("list", "--json").out.splitlines()]
    assert {"ida-brandt", "ananya-rao"} <= set(ids)
    assert reps("remove", "ida-brandt").code == 0
    assert reps("remove", "ida-brandt").code == 1
    assert reps("remove", "inbound-queue").code == 1
    assert "ida-brandt" not in reps("list").out


def test_who_is_removed_with_open_leads_and_who_could_take_them(database: DatabaseUrls, tmp_path: Path) -> None:
    def reps(*arguments: str) -> Any:
        return run(tmp_path, "reps", *arguments, DATABASE_URL=database.app_url)

    assert reps("import", str(DATA / "reps.csv")).code == 0
    owned = HELD.replace("'dana-whitfield'", "$2")
    assert sql.value(database.app_url, owned, 3, "ida-brandt") == 3
    assert sql.value(database.app_url, owned, 39, "cora-hale") == 39
    refused = reps("remove", "ida-brandt")
    assert (refused.code, refused.out) == (1, "")
    assert "ida-brandt has 3 open leads: name who gets them with --to. With room for them: hugo-weiss (" in refused.err
    assert "covers for them" in refused.err
    assert "cora-hale" not in refused.err, "who would be over the capacity"
    assert "ida-brandt" in reps("list").out
    moved = reps("remove", "ida-brandt", "--to", "hugo-weiss")
    assert (moved.code, orjson.loads(moved.out)["moved"]) == (0, {"ida-brandt": 3})


def test_the_labelled_set_at_a_terminal(tmp_path: Path) -> None:
    measured = orjson.loads(run(tmp_path, "eval", "routing", str(DATA / "leads.csv"), *LABELLED).out)
    assert (measured["n"], measured["decidable_accuracy"]) == (365, 1.0)
    assert measured["accuracy"] >= 0.95
    assert all(one["why_not"] for one in measured["misses"])
    assert measured["unknown_labels"] == []


def test_labels_and_rules_that_name_nobody_are_told(database: DatabaseUrls, tmp_path: Path) -> None:
    labels = tmp_path / "labels.csv"
    labels.write_text("lead_id,country,expected_owner\n1,DE,jonas-keler\n2,DE,Jonas Keller\n")
    ran = run(tmp_path, "eval", "routing", str(labels))
    assert orjson.loads(ran.out)["unknown_labels"] == ["jonas-keler"]
    assert "expected_owner names nobody: jonas-keler" in ran.err
    at = {"DATABASE_URL": database.app_url}
    assert run(tmp_path, "reps", "remove", "jonas-keller", **at).code == 0
    ran = run(tmp_path, "routing", "simulate", "--labels", str(labels), **at)
    assert ran.code == 0, ran.err
    assert "the rules name nobody: territories.5.owner: no rep has this id: jonas-keller" in ran.err
    assert "labels name nobody: Jonas Keller, jonas-keler" in ran.err
    (tmp_path / "bob.csv").write_text("id,name,email,time_zone,country,covered_by\nbob,B,b@x.example,UTC,US,zed\n")
    ran = run(tmp_path, "reps", "import", "bob.csv", **at)
    assert "rep bob.covered_by: no rep has this id: zed" in ran.err


def test_rules_are_checked_and_a_lead_explained(tmp_path: Path) -> None:
    assert "every rule can be reached" in run(tmp_path, "routing", "check", *LABELLED).out
    lead = tmp_path / "lead.json"
    lead.write_bytes(orjson.dumps({"country": "Germany", "plz": "80331", "company_size": "many"}))
    ran = run(tmp_path, "routing", "explain", str(lead), *LABELLED)
    assert ran.out.startswith("ida-brandt: territory:Germany South: country DE, postcode is in it (rules labelled-1)")
    assert "Germany North: postcode is not in it" in ran.out
    assert "not understood: headcount" in ran.err
    table = tmp_path / "map.json"
    table.write_bytes(orjson.dumps({"DE": "ann", "DEFAULT": "queue"}))
    draft = tmp_path / "draft.toml"
    draft.write_text(run(tmp_path, "routing", "import-map", str(table)).out)
    told = orjson.loads(run(tmp_path, "routing", "explain", str(lead), "--rules", str(draft), "--json").out)
    assert (told["owner_id"], told["rule"]) == ("ann", "territory:DE")
    draft.write_text(draft.read_text().replace('countries = ["DE"]', 'countries = ["DE"]\ncolour = "red"'))
    ran = run(tmp_path, "routing", "check", "--rules", str(draft))
    assert (ran.code, "territories.0.colour" in ran.err, "(line " in ran.err) == (78, True, True)


async def test_rules_that_change_nothing_move_nobody(database: DatabaseUrls, redis_url: str, tmp_path: Path) -> None:
    async with house(database, redis_url, tmp_path) as home:
        folder = Path(str(home.settings.config_dir))
        team = 'owners = ["carmen-ortega", "marcus-bell"]\nout_of_hours = "assign"'
        (folder / "routing.toml").write_text(defaults.text("routing.toml").replace('owner = "marcus-bell"', team))
        owners = set[str]()
        for n in range(5):
            one = await home.deliver(email=f"p{n}@team{n}.example", website=None, company_size="300")
            assert (await home.run(one))["state"] == "done"
            owners.add(home.lead(one)["owner_id"])
        assert owners == {"carmen-ortega", "marcus-bell"}
        ran = await asyncio.to_thread(
            run, tmp_path, "routing", "simulate", "--since", "1d", "--json",
            DATABASE_URL=database.app_url, REVENUEFLOW_CONFIG_DIR=str(folder),
        )  # fmt: skip
        told = orjson.loads(ran.out)
        assert (told["leads"], told["moved"], told["pairs"], told["changed_since"]) == (5, 0, [], 0)


def test_explain_names_keys_that_nobody_knows_and_takes_a_date(tmp_path: Path) -> None:
    lead = tmp_path / "lead.json"
    lead.write_bytes(orjson.dumps({"country": "US", "statee": "Texas", "phone": "1", "Job Title": "CEO", "odd": 1}))
    ran = run(tmp_path, "routing", "explain", str(lead), "--at", "2026-12-25", *LABELLED)
    assert ran.code == 0, ran.err
    assert "keys that nobody knows: statee (did you mean state?), odd" in ran.err
    told = orjson.loads(run(tmp_path, "routing", "explain", str(lead), "--json", *LABELLED).out)
    assert told["unknown_keys"] == ["statee (did you mean state?)", "odd"]
    refused = run(tmp_path, "routing", "explain", str(lead), "--at", "2026-12-25T10:00", *LABELLED)
    assert (refused.code, refused.out) == (2, "")
