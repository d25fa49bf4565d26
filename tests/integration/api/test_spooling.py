"""While Postgres is away every webhook is still answered 202, and nothing of it is lost or doubled afterwards."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from revenueflow.devserver.cluster import DatabaseUrls
from revenueflow.settings import SpoolSettings
from tests.support import sql
from tests.support.api import Api, add_keys, at_once, served, settings_for
from tests.support.processes import until


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "spool"


@pytest.fixture
def api(database: DatabaseUrls, redis_url: str, tmp_path: Path, folder: Path) -> Iterator[Api]:
    settings = settings_for(database.app_url, redis_url, tmp_path)
    spooling = settings.model_copy(update={"spool": SpoolSettings(dir=folder)})
    with served(spooling) as client:
        yield Api(client, add_keys(database))


def emails(count: int) -> list[dict[str, str]]:
    return [{"email": f"p{n}@x.example", "message": "pricing"} for n in range(count)]


def drained(folder: Path) -> bool:
    return not any(folder.iterdir())


def test_what_arrives_while_postgres_is_away_is_kept_under_the_same_ids(
    api: Api, database: DatabaseUrls, folder: Path
) -> None:
    bodies = emails(30)
    first = api.marketo(bodies[0]).json()
    with sql.away(database):
        answers = at_once(30, lambda n: api.marketo(bodies[n]))
        assert [answer.status_code for answer in answers] == [202] * 30
        assert {answer.json()["status"] for answer in answers} == {"spooled"}
        assert {answer.json()["duplicate"] for answer in answers} == {None}
        ready = api.client.get("/readyz")
        assert (ready.status_code, ready.json()["spool"], ready.json()["postgres"]) == (200, "ok", "away")
    until(lambda: drained(folder))
    ids = {answer.json()["lead_id"] for answer in answers}
    assert first["lead_id"] in ids
    stored = sql.rows(database.app_url, "SELECT lead_id, outcome FROM deliveries")
    assert {str(row["lead_id"]) for row in stored} == ids
    assert sorted(row["outcome"] for row in stored) == ["accepted", *["spooled"] * 29]
    jobs = sql.rows(database.app_url, "SELECT lead_id, wanted_version FROM jobs")
    assert sorted((str(row["lead_id"]), row["wanted_version"]) for row in jobs) == sorted((one, 1) for one in ids)
    until(lambda: api.marketo(bodies[1]).json()["status"] == "duplicate")


def test_what_hangs_goes_to_the_spool_in_time(api: Api, database: DatabaseUrls, folder: Path) -> None:
    """A table that somebody has locked hangs like a server that was stopped."""
    api.marketo({"email": "warm@x.example"})
    with sql.locked(database, "LOCK TABLE deliveries IN ACCESS EXCLUSIVE MODE"):
        begun = time.monotonic()
        answers = at_once(8, lambda n: api.marketo(emails(8)[n]))
        assert {answer.json()["status"] for answer in answers} == {"spooled"}
        assert time.monotonic() - begun < 5  # not the time that a statement may take
    until(lambda: drained(folder))
    assert sql.value(database.app_url, "SELECT count(*) FROM jobs") == 9


def test_a_key_that_is_known_still_opens_v1(api: Api, database: DatabaseUrls, folder: Path) -> None:
    headers = api.as_role("ingest") | {"idempotency-key": "one"}
    api.client.post("/v1/leads", json={"email": "before@x.example"}, headers=api.as_role("ingest"))
    with sql.away(database):
        answer = api.client.post("/v1/leads", json={"email": "while@x.example"}, headers=headers)
        assert (answer.status_code, answer.json()["status"]) == (202, "spooled")
        unknown = api.client.post("/v1/leads", json={}, headers={"authorization": "Bearer rf_nobody"})
        assert unknown.status_code == 503
    until(lambda: drained(folder))
    again = api.client.post("/v1/leads", json={"email": "while@x.example"}, headers=headers)
    assert again.json()["lead_id"] == answer.json()["lead_id"]
    assert again.headers["idempotency-replayed"] == "true"


def test_no_room_in_the_spool_is_no_promise(
    database: DatabaseUrls, redis_url: str, tmp_path: Path, folder: Path
) -> None:
    settings = settings_for(database.app_url, redis_url, tmp_path)
    small = settings.model_copy(update={"spool": SpoolSettings(dir=folder, limit=2**16)})
    with served(small) as client:
        api = Api(client, add_keys(database))
        big = "x" * 1500
        with sql.away(database):
            answers = [api.marketo({"email": f"p{n}@x.example", "message": big}) for n in range(40)]
            codes = [answer.status_code for answer in answers]
            assert codes == sorted(codes)
            assert set(codes) == {202, 503}
            assert all(int(answer.headers["retry-after"]) >= 1 for answer in answers if answer.status_code == 503)
        until(lambda: drained(folder))
        kept = codes.count(202)
        assert sql.value(database.app_url, "SELECT count(*) FROM deliveries") == kept
        assert api.marketo({"email": "p39@x.example", "message": big}).json()["status"] == "accepted"
        assert sql.value(database.app_url, "SELECT count(*) FROM deliveries") == kept + 1


def test_what_an_earlier_process_left_is_drained_at_the_start(
    database: DatabaseUrls, redis_url: str, tmp_path: Path, folder: Path
) -> None:
    settings = settings_for(database.app_url, redis_url, tmp_path)
    spooling = settings.model_copy(update={"spool": SpoolSettings(dir=folder)})
    keys = add_keys(database)
    with sql.away(database), served(spooling) as client:
        assert Api(client, keys).marketo({"email": "left@x.example"}).json()["status"] == "spooled"
    assert not drained(folder)
    with served(spooling):
        until(lambda: drained(folder))
    assert sql.value(database.app_url, "SELECT outcome FROM deliveries") == "spooled"


def test_the_spool_shows_in_the_metrics(api: Api, database: DatabaseUrls) -> None:
    with sql.away(database):
        api.marketo({"email": "a@x.example"})

        def shown() -> bool:
            lines = api.client.get("/metrics").text.splitlines()
            (line,) = [one for one in lines if one.startswith("revenueflow_spool_bytes ")]
            return float(line.split()[1]) > 0

        until(shown)
