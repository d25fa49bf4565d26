"""`/v1/leads/{id}/personal-data` and `revenueflow privacy`: export and erasing as people and programs see it."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from revenueflow.devserver.cluster import DatabaseUrls
from tests.support import sql
from tests.support.api import Api, identity_file
from tests.support.cli import Ran, run

REASON = "asked by mail, ticket 4711"
PERSON = {"email": "Dana.Canary@x.example", "name": "Dana Canary", "phone": "+1 512 555 0143", "message": "Call Dana"}


def erase(api: Api, lead: object, role: str = "operator", **options: Any) -> httpx2.Response:
    path = f"/v1/leads/{lead}/personal-data"
    return api.client.request("DELETE", path, headers=api.as_role(role), **options)


def test_a_person_is_exported_and_erased(api: Api, database: DatabaseUrls) -> None:
    lead = api.send(PERSON).json()["lead_id"]
    other = api.send(PERSON | {"campaign": "spring"}).json()["lead_id"]
    found = api.read(f"/v1/leads/{lead}/personal-data", "operator").json()
    assert set(found["leads"]) == {lead, other}
    assert "Dana Canary" in str(found["tables"]["deliveries"])
    told = erase(api, lead, json={"reason": REASON})
    assert told.status_code == 200
    body = told.json()
    assert (body["status"], set(body["leads"]), body["runs_ended"]) == ("erased", {lead, other}, 2)
    assert body["erased"] == {"deliveries": 2}
    assert body["copies"] == []
    again = erase(api, other, "admin", params={"reason": REASON}).json()
    assert (again["status"], again["erased"], again["runs_ended"]) == ("unchanged", {}, 0)
    shown = api.read(f"/v1/leads/{other}").json()
    assert (shown["status"], shown["campaign_id"], shown["email"]) == ("erased", "spring", None)
    assert "Canary" not in api.read(f"/v1/leads/{lead}/personal-data", "operator").text
    query = "SELECT actor, detail FROM audit_events WHERE action = 'person.erased' AND lead_id = $1::uuid ORDER BY ts"
    first, _ = sql.rows(database.superuser_url, query, lead)
    assert first["actor"].startswith("key:")
    assert REASON not in first["detail"]


def test_later_deliveries_are_kept_and_answered_as_ever(api: Api) -> None:
    lead = api.send(PERSON).json()["lead_id"]
    erase(api, lead, json={"reason": REASON})
    answer = api.send(PERSON | {"company": "New"})
    assert (answer.status_code, answer.json()["lead_id"], answer.json()["status"]) == (202, lead, "accepted")


@pytest.mark.parametrize(
    ("options", "pointer"),
    [
        ({}, "/query/reason"),
        ({"params": {"reason": "no"}}, "/query/reason"),
        ({"params": {"reason": "x" * 1001}}, "/query/reason"),
        ({"json": {}}, "/body/reason"),
        ({"json": {"reason": 7}}, "/body/reason"),
        ({"json": {"reason": REASON, "else": 1}}, "/body/reason"),
        ({"content": b"{"}, "/body/reason"),
    ],
)
def test_a_reason_is_needed(shared_api: Api, options: dict[str, Any], pointer: str) -> None:
    answer = erase(shared_api, uuid4(), **options)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)


def test_there_must_be_such_a_lead(shared_api: Api) -> None:
    assert erase(shared_api, uuid4(), json={"reason": REASON}).status_code == 404
    assert shared_api.read(f"/v1/leads/{uuid4()}/personal-data", "operator").status_code == 404


def test_at_a_terminal(api: Api, database: DatabaseUrls, tmp_path: Path) -> None:
    lead = api.send(PERSON).json()["lead_id"]
    given = {"DATABASE_URL": database.app_url, "REVENUEFLOW_IDENTITY_KEY_FILE": str(identity_file(tmp_path))}

    def ask(*arguments: str) -> Ran:
        return run(tmp_path, "privacy", *arguments, **given)

    assert ask("export", lead, "--out", "person.json").code == 0
    assert "Dana Canary" in (tmp_path / "person.json").read_text()
    assert (tmp_path / "person.json").stat().st_mode & 0o777 == 0o600
    assert ask("erase", lead, "--reason", "x", "--yes").code == 2
    (told,) = ask("erase", lead, "--reason", REASON, "--yes", "--json").lines
    assert (told["status"], told["erased"]) == ("erased", {"deliveries": 1})
    again = ask("erase", lead, "--reason", REASON, "--yes")
    assert (again.code, "nothing was left" in again.err) == (0, True)
    assert "Canary" not in ask("export", lead).out
    assert ask("erase", str(uuid4()), "--reason", REASON, "--yes").code == 1
    api.send(PERSON | {"company": "New"})
    sql.rows(database.app_url, "UPDATE jobs SET state = 'parked' WHERE state = 'ready'")
    assert ask("reopen", lead).err == "1 runs go on\n"
    assert sql.value(database.app_url, "SELECT count(*) FROM leads WHERE erased_at IS NULL") == 1
