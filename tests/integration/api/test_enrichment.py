"""Evidence on demand over HTTP, and what it costs."""

from __future__ import annotations

from uuid import uuid4

from revenueflow.devserver.cluster import DatabaseUrls
from tests.support import sql
from tests.support.api import Api, identity


def captured(api: Api, database: DatabaseUrls, state: str = "done") -> str:
    """A lead as it is after a run that ended in `state`."""
    lead: str = api.send({"email": f"{uuid4()}@acme.example", "company": "Acme"}).json()["lead_id"]
    sql.rows(
        database.app_url,
        "INSERT INTO leads (id, campaign_id, identity_key, version, status, domain, received_at) "
        "VALUES ($1::text::uuid, 'default', 'x', 1, 'processed', 'acme.example', now())",
        lead,
    )
    sql.rows(database.app_url, "UPDATE jobs SET state = $2 WHERE lead_id = $1::text::uuid", lead, state)
    return lead


def test_a_lead_is_looked_up_again(api: Api, database: DatabaseUrls) -> None:
    lead = captured(api, database)
    answer = api.client.post(f"/v1/leads/{lead}/enrich", headers=api.as_role("operator"))
    assert (answer.status_code, answer.json()) == (202, {"lead_id": lead, "status": "queued"})
    rows = sql.rows(database.app_url, "SELECT run_version FROM jobs WHERE state = 'ready'")
    assert [row["run_version"] for row in rows] == [2]
    (event,) = sql.rows(database.superuser_url, "SELECT actor, lead_id::text FROM audit_events")
    assert event["lead_id"] == lead
    assert event["actor"].startswith("key:")


def test_a_refresh_forgets_what_was_said_of_this_company_only(api: Api, database: DatabaseUrls) -> None:
    lead = captured(api, database)
    sql.rows(
        database.app_url,
        "INSERT INTO lookups (provider, lookup, key_hmac, findings, answered_at) VALUES "
        "('clearbit', 'company', $1, '{}', now()), ('clearbit', 'company', 'other', '{}', now())",
        identity().digest(b"lookup\ndomain\nacme.example"),
    )
    api.client.post(f"/v1/leads/{lead}/enrich?refresh=true", headers=api.as_role("operator")).raise_for_status()
    assert [row["key_hmac"] for row in sql.rows(database.app_url, "SELECT key_hmac FROM lookups")] == [b"other"]


def test_who_waits_for_a_person_is_not_looked_up(api: Api, database: DatabaseUrls) -> None:
    for state, code in (("parked", 409), ("dead", 409)):
        lead = captured(api, database, state)
        assert api.client.post(f"/v1/leads/{lead}/enrich", headers=api.as_role("operator")).status_code == code
    nobody = api.client.post(f"/v1/leads/{uuid4()}/enrich", headers=api.as_role("operator"))
    assert nobody.status_code == 404
    assert api.client.post(f"/v1/leads/{uuid4()}/enrich", headers=api.as_role("reader")).status_code == 403


def test_spend_is_shown_stopped_and_resumed(api: Api, database: DatabaseUrls) -> None:
    sql.rows(
        database.app_url,
        "INSERT INTO spend (scope, period, reserved_usd, settled_usd) VALUES ('all', current_date::text, 0.1, 2.5), "
        "('all', '2020-01-01', 0, 9), ('campaign:default', 'ever', 0, 11.5)",
    )
    told = api.read("/v1/spend").json()
    assert told["stopped"] is False
    assert [(one["scope"], one["reserved_usd"], one["settled_usd"]) for one in told["items"]] == [
        ("campaign:default", 0, 11.5),
        ("all", 0.1, 2.5),
    ]
    for path, stopped in (("stop", True), ("stop", True), ("resume", False), ("resume", False)):
        answer = api.client.post(f"/v1/spend/{path}", headers=api.as_role("operator"))
        assert (answer.status_code, answer.json()) == (200, {"stopped": stopped})
        assert api.read("/v1/spend").json()["stopped"] is stopped
    assert api.client.post("/v1/spend/stop", headers=api.as_role("reader")).status_code == 403
