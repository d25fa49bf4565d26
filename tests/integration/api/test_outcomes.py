"""`POST /v1/leads/{id}/outcome` and `revenueflow outcomes`: what is told is kept once, and what follows from it."""

from __future__ import annotations

import re
import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx2
import pytest

from revenueflow.db import outcomes
from revenueflow.db.engine import engine_for
from revenueflow.db.outcomes import Conversion
from revenueflow.db.session import Database
from revenueflow.devserver.cluster import DatabaseUrls
from revenueflow.settings import DatabaseSettings
from tests.support import sql
from tests.support.api import Api
from tests.support.cli import run

SECRET = "s3cr3t"
LEAD = """
    INSERT INTO leads (id, campaign_id, identity_key, version, status, tier, score, owner_id, owner_name, received_at,
                       source, country, email, name, facts)
    VALUES ($1, 'spring', '', 1, 'processed', 'hot', 80, 'jonas-keller', 'Jonas Keller', $2, 'webinar', 'DE',
            's3cr3t@x.example', 's3cr3t', '{"industry": {"value": "software", "why": "", "evidence": []}}')
"""


def moment(**ago: float) -> datetime:
    return datetime.now(UTC) - timedelta(**ago)


def lead(urls: DatabaseUrls, received_at: datetime | None = None) -> UUID:
    id_ = uuid4()
    sql.rows(urls.app_url, LEAD, id_, received_at or moment(hours=5))
    return id_


def tell(api: Api, lead_id: object, outcome: str, at: datetime | str, **more: Any) -> httpx2.Response:
    when = at if isinstance(at, str) else at.isoformat()
    told = {"outcome": outcome, "at": when, **more}
    return api.client.post(f"/v1/leads/{lead_id}/outcome", json=told, headers=api.as_role("operator"))


def stored(urls: DatabaseUrls, lead_id: UUID) -> dict[str, Any]:
    (row,) = sql.rows(urls.app_url, "SELECT stage, first_touch_at FROM leads WHERE id = $1", lead_id)
    return row


def test_a_touch_is_kept_audited_and_shown(api: Api, database: DatabaseUrls) -> None:
    received = moment(hours=5)
    id_, at = lead(database, received), received + timedelta(minutes=30)
    answer = tell(api, id_, "touched", at)
    assert answer.status_code == 201
    body = answer.json()
    assert (body["stage"], body["replayed"], body["seconds_to_first_touch"]) == ("touched", False, 1800.0)
    assert stored(database, id_) == {"stage": "touched", "first_touch_at": at}
    shown = api.read(f"/v1/leads/{id_}").json()
    assert shown["stage"] == "touched"
    items = api.read(f"/v1/leads/{id_}/timeline").json()["items"]
    (outcome,) = [item for item in items if item["type"] == "outcome"]
    assert (outcome["data"]["outcome"], outcome["data"]["owner_id"]) == ("touched", "jonas-keller")
    (event,) = [item["data"] for item in items if item["type"] == "audit"]
    assert (event["action"], event["outcome"]) == ("lead.outcome", "touched")
    assert event["actor"].startswith("key:")


def test_the_same_again_changes_nothing(api: Api, database: DatabaseUrls) -> None:
    id_, at = lead(database), moment(hours=1)
    first = tell(api, id_, "won", at, value_minor=120_000, currency="EUR")
    again = tell(api, id_, "won", at, value_minor=120_000, currency="EUR")
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json() | {"replayed": True}
    assert sql.value(database.app_url, "SELECT count(*) FROM outcomes") == 1
    assert sql.value(database.app_url, "SELECT count(*) FROM audit_trail WHERE action = 'lead.outcome'") == 1
    assert tell(api, id_, "won", at, value_minor=120_001, currency="EUR").status_code == 201


def test_capitals_and_small_letters_say_the_same(api: Api, database: DatabaseUrls, tmp_path: Path) -> None:
    id_, at = lead(database), moment(hours=1).replace(microsecond=0)
    assert tell(api, id_, "WON", at, value_minor=120_000, currency="eur").status_code == 201
    assert tell(api, id_, "won", at, value_minor=120_000, currency="EUR").status_code == 200
    ran = cli(
        database, tmp_path, "record", str(id_), "Won", "--at", at.isoformat(), "--value", "1200", "--currency", "eur"
    )
    assert (ran.code, "known already" in ran.err) == (0, True), ran.err
    (row,) = sql.rows(database.app_url, "SELECT kind, currency FROM outcomes")
    assert row == {"kind": "won", "currency": "EUR"}


def test_the_order_in_which_it_is_told_plays_no_part(api: Api, database: DatabaseUrls) -> None:
    received = moment(hours=5)
    id_ = lead(database, received)
    told = [("converted", 3), ("touched", 1), ("meeting", 2)]
    for outcome, hours in told:
        tell(api, id_, outcome, received + timedelta(hours=hours))
    assert stored(database, id_) == {"stage": "converted", "first_touch_at": received + timedelta(hours=1)}
    tell(api, id_, "lost", received + timedelta(hours=4))
    tell(api, id_, "touched", received + timedelta(hours=4.5))
    assert stored(database, id_)["stage"] == "lost"


def test_who_is_lost_untouched_was_not_touched(api: Api, database: DatabaseUrls) -> None:
    id_ = lead(database)
    body = tell(api, id_, "lost", moment(hours=1)).json()
    assert (body["stage"], body["first_touch_at"], body["seconds_to_first_touch"]) == ("lost", None, None)


def test_clocks_may_differ_a_little(api: Api, database: DatabaseUrls) -> None:
    received = moment(hours=5)
    id_ = lead(database, received)
    body = tell(api, id_, "touched", received - timedelta(seconds=20)).json()
    assert body["seconds_to_first_touch"] == 0
    assert tell(api, id_, "meeting", moment(seconds=-20)).status_code == 201


@pytest.mark.parametrize(
    ("told", "wrong"),
    [
        ({"outcome": "s3cr3t"}, "/outcome"),
        ({"at": "s3cr3t"}, "/at"),
        ({"at": 1_700_000_000}, "/at"),
        ({"at": "1700000000"}, "/at"),
        ({"at": "2026-11-20T10:00:00"}, "/at"),
        ({"at": "9999-12-31T23:59:59Z"}, "/at"),
        ({"at": "0001-01-01T00:00:00+14:00"}, "/at"),
        ({"outcome": "won", "value_minor": 5}, ""),
        ({"outcome": "won", "value_minor": -1, "currency": "EUR"}, "/value_minor"),
        ({"outcome": "won", "value_minor": "5", "currency": "EUR"}, "/value_minor"),
        ({"outcome": "won", "value_minor": 1.5, "currency": "EUR"}, "/value_minor"),
        ({"outcome": "won", "value_minor": 10**15, "currency": "EUR"}, "/value_minor"),
        ({"outcome": "won", "value_minor": 5, "currency": "XYZ"}, "/currency"),
        ({"outcome": "won", "value_minor": 5, "currency": "XXX"}, "/currency"),
        ({"outcome": "won", "value_minor": 5, "currency": "xts"}, "/currency"),
        ({"outcome": "won", "value_minor": 5, "currency": "EURO"}, "/currency"),
        ({"value_minor": 5, "currency": "EUR"}, ""),
        ({"s3cr3t": "s3cr3t"}, ""),
    ],
)
def test_what_is_wrong_is_named_and_not_repeated(
    shared_api: Api, worker_database: DatabaseUrls, told: dict[str, Any], wrong: str
) -> None:
    id_ = lead(worker_database)
    body = {"outcome": "touched", "at": moment(hours=1).isoformat()} | told
    answer = shared_api.client.post(f"/v1/leads/{id_}/outcome", json=body, headers=shared_api.as_role("operator"))
    assert answer.status_code == 422
    assert [fault["pointer"] for fault in answer.json()["errors"]] == [wrong]
    assert SECRET not in answer.text
    assert stored(worker_database, id_) == {"stage": None, "first_touch_at": None}


def test_times_that_can_not_be(shared_api: Api, worker_database: DatabaseUrls) -> None:
    id_ = lead(worker_database)
    for at, said in ((moment(hours=-1), "future"), (moment(hours=6), "before")):
        answer = tell(shared_api, id_, "touched", at)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/at")
        assert said in answer.json()["errors"][0]["detail"]


def test_leads_about_which_nothing_can_be_told(api: Api, database: DatabaseUrls) -> None:
    assert tell(api, uuid4(), "touched", moment(hours=1)).status_code == 404
    fresh = api.send({"email": f"{secrets.token_hex(4)}@x.example"}).json()["lead_id"]
    assert tell(api, fresh, "touched", moment()).status_code == 409
    erased = lead(database)
    sql.rows(database.app_url, "UPDATE leads SET erased_at = now(), status = 'erased' WHERE id = $1", erased)
    assert tell(api, erased, "touched", moment(hours=1)).status_code == 409
    assert sql.value(database.app_url, "SELECT count(*) FROM outcomes") == 0


def test_bodies_that_are_none(shared_api: Api, worker_database: DatabaseUrls) -> None:
    path, operator = f"/v1/leads/{lead(worker_database)}/outcome", shared_api.as_role("operator")
    kind = {"content-type": "application/json"}
    assert shared_api.client.post(path, content=b"{", headers=operator | kind).status_code == 400
    assert (
        shared_api.client.post(path, content=b"{}", headers=operator | {"content-type": "text/plain"}).status_code
        == 415
    )
    assert shared_api.client.post(path, content=b" " * 5000, headers=operator | kind).status_code == 413


def test_the_history_is_only_added_to(worker_database: DatabaseUrls) -> None:
    for statement in ("UPDATE outcomes SET kind = 'won'", "DELETE FROM outcomes", "TRUNCATE outcomes"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            sql.rows(worker_database.app_url, statement)


def test_a_report_for_the_auditor_names_nobody(api: Api, database: DatabaseUrls) -> None:
    received = moment(hours=5)
    id_, gone = lead(database, received), lead(database)
    tell(api, id_, "touched", received + timedelta(hours=1))
    tell(api, id_, "converted", received + timedelta(hours=2), value_minor=500, currency="EUR")
    tell(api, id_, "won", received + timedelta(hours=3), value_minor=700, currency="EUR")
    sql.rows(database.app_url, "UPDATE leads SET erased_at = now() WHERE id = $1", gone)
    (row,) = sql.rows(database.auditor_url, "SELECT * FROM leads_report")
    assert row == {
        "lead_id": id_, "campaign": "spring", "source": "webinar", "country": "DE", "status": "processed",
        "tier": "hot", "score": 80, "profile": None, "stage": "won", "owner": "jonas-keller",
        "received_at": received, "first_touch_at": received + timedelta(hours=1), "seconds_to_first_touch": 3600.0,
        "valued_by": "won", "outcome_value_minor": 700, "outcome_currency": "EUR", "timers": 0, "sla_breached": False,
    }  # fmt: skip
    assert SECRET not in str(row)


def cli(urls: DatabaseUrls, folder: Path, *arguments: str) -> Any:
    return run(folder, "outcomes", *arguments, DATABASE_URL=urls.app_url)


def test_recording_and_listing_by_command(database: DatabaseUrls, tmp_path: Path) -> None:
    id_ = lead(database)
    ran = cli(database, tmp_path, "record", str(id_), "won", "--value", "1200.50", "--currency", "EUR", "--json")
    assert (ran.code, ran.lines[0]["stage"]) == (0, "won")
    (row,) = cli(database, tmp_path, "list", "--lead", str(id_), "--json").lines
    assert (row["kind"], row["value_minor"], row["currency"]) == ("won", 120050, "EUR")
    assert row["recorded_by"] == "cli:tester"
    shown = run(tmp_path, "leads", "show", str(id_), DATABASE_URL=database.app_url)
    assert "120050 EUR" in shown.out
    for wrong in (("--value", "12.345", "--currency", "EUR"), ("--value", "12"), ("--at", "yesterday")):
        assert cli(database, tmp_path, "record", str(id_), "won", *wrong).code == 2
    assert cli(database, tmp_path, "record", str(uuid4()), "won").code == 1


def test_importing_a_file_twice(database: DatabaseUrls, tmp_path: Path) -> None:
    received = moment(hours=5)
    ids = [lead(database, received) for _ in range(3)]
    at = (received + timedelta(hours=1)).isoformat()
    lines = [
        "Lead_ID,outcome,at,value,currency",
        f"{ids[0]},touched,{at},,", f"{ids[1]},Won,{at},1000,JPY", f"{ids[2]},won,{at},1.234,KWD",
        f"{SECRET},touched,{at},,", f"{ids[0]},{SECRET},{at},,", f"{ids[0]},touched,{SECRET},,",
        f"{uuid4()},touched,{at},,", f"{ids[0]},touched,{moment(hours=-2).isoformat()},,", f"{ids[0]},touched",
        f"{ids[0]},won,{at},{SECRET},EUR", f"{ids[0]},won,{at},5,",
    ]  # fmt: skip
    file = tmp_path / "outcomes.csv"
    file.write_text("\ufeff" + "\n".join(lines) + "\n", encoding="utf-8")
    first = cli(database, tmp_path, "import", str(file), "--json")
    assert (first.code, first.lines) == (1, [{"rows": 11, "recorded": 3, "known": 0, "rejected": 8}])
    assert [line.split(":")[0] for line in first.err.splitlines()] == [f"line {n}" for n in range(5, 13)]
    assert SECRET not in first.err
    again = cli(database, tmp_path, "import", str(file), "--json")
    assert again.lines == [{"rows": 11, "recorded": 0, "known": 3, "rejected": 8}]
    values = sql.rows(database.app_url, "SELECT value_minor FROM outcomes WHERE value_minor IS NOT NULL ORDER BY 1")
    assert [row["value_minor"] for row in values] == [1000, 1234]


@pytest.mark.parametrize("day", ["2026-11-20", "20261120", "20.11.2026", "11/20/2026"])
def test_a_date_without_a_time_is_refused_with_a_hint(
    api: Api, database: DatabaseUrls, tmp_path: Path, day: str
) -> None:
    id_ = lead(database)
    (tmp_path / "outcomes.csv").write_text(f"lead_id,outcome,at\n{id_},won,{day}\n")
    ran = cli(database, tmp_path, "import", "outcomes.csv")
    hint = "must be a time as in RFC 3339, such as 2026-11-20T10:05:00Z: a date alone does not say when on that day"
    assert (ran.code, ran.err) == (1, f"line 2: at: {hint}\n")
    told = tell(api, id_, "won", day)
    assert (told.status_code, told.json()["errors"]) == (422, [{"pointer": "/at", "detail": hint}])


@pytest.mark.parametrize(
    "text", ["", "lead_id,outcome\n", f"lead_id,outcome,at,{SECRET}\n", "\x00", 'lead_id,outcome,at\n"x']
)
def test_files_that_can_not_be_read(worker_database: DatabaseUrls, tmp_path: Path, text: str) -> None:
    (tmp_path / "f.csv").write_text(text, encoding="utf-8")
    ran = cli(worker_database, tmp_path, "import", "f.csv")
    assert ran.code == 2
    assert SECRET not in ran.err
    assert "Traceback" not in ran.err
    assert cli(worker_database, tmp_path, "import", "absent.csv").code == 2


async def test_conversions_by_rep_and_segment(database: DatabaseUrls, api: Api) -> None:
    won, met, lost, other = (lead(database) for _ in range(4))
    told = ((won, "meeting"), (won, "converted"), (won, "won"), (met, "meeting"), (lost, "lost"), (other, "lost"))
    for id_, outcome in told:
        tell(api, id_, outcome, moment(hours=1))
    sql.rows(database.app_url, "UPDATE leads SET owner_id = 'o' WHERE id = $1", other)
    async with (
        engine_for(DatabaseSettings(url=database.app_url), application="test") as engine,
        Database(engine).transaction() as session,
    ):
        found = await outcomes.conversions(session, 30)
    assert found == [
        Conversion("jonas-keller", "software", None, decided=2, converted=1),
        Conversion("o", "software", None, decided=1, converted=0),
    ]


def test_metrics_tell_of_leads_past_their_time(api: Api, database: DatabaseUrls) -> None:
    add = """
        INSERT INTO sla_timers (lead_id, number, given, tier, owner_id, owner_name, reason, rules, started_at, due_at,
                               state, next_at)
        VALUES ($1, 1, 'routed', 'hot', 'o', 'O', '', '1', now(), now(), $2, now() - interval '1 hour')
    """
    for state in ("overdue", "open"):
        sql.rows(database.app_url, add, uuid4(), state)
    text = api.client.get("/metrics").text
    assert 'revenueflow_sla_overdue{tier="hot"} 1.0' in text
    assert 'revenueflow_sla_overdue{tier="cold"} 0.0' in text
    (late,) = [line for line in text.splitlines() if line.startswith("revenueflow_sla_late_seconds ")]
    assert 3600 <= float(late.split()[1]) < 4000


GUIDE = Path(__file__).parents[3] / "docs/speed-to-lead.md"
QUERIES = re.findall(r"^    (--.*?;)$", GUIDE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("query", QUERIES)
def test_the_queries_of_the_guide_run_as_the_auditor(worker_database: DatabaseUrls, query: str) -> None:
    sql.rows(worker_database.auditor_url, query)


def test_the_guide_has_queries() -> None:
    assert len(QUERIES) == 4
