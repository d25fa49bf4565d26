"""Approvals over HTTP: the queue, the decision, and who may."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import pytest

from revenueflow.devserver.cluster import DatabaseUrls
from tests.support import sql
from tests.support.api import Api

ASK = """
    INSERT INTO approvals (action_key, call_hmac, tool, args, caller, rule, approver, lead_id, job_id, expires_at)
    VALUES ($1, '', 'assign_owner', '{"owner_id": "dana"}', 'key:agent', 'outside_campaign', $2, $3, $4,
            now() + make_interval(secs => $5)) RETURNING id
"""


@pytest.fixture
def queue(database: DatabaseUrls) -> Any:
    """Puts a question into the queue; its id."""

    def ask(approver: str = "operator", seconds: float = 60, job: UUID | None = None) -> UUID:
        found: UUID = sql.value(database.app_url, ASK, uuid4(), approver, uuid4(), job, seconds)
        return found

    return ask


def decide(api: Api, approval: object, body: object = None, role: str = "operator") -> Any:
    given = {"decision": "approve"} if body is None else body
    return api.client.post(f"/v1/approvals/{approval}/decision", json=given, headers=api.as_role(role))


def pages(api: Api, query: Mapping[str, object]) -> list[str]:
    found: list[str] = []
    cursor = None
    while True:
        more = {"cursor": cursor} if cursor else {}
        answer = api.client.get("/v1/approvals", params={**query, **more}, headers=api.as_role("operator"))
        assert answer.status_code == 200, answer.text
        found += [item["id"] for item in answer.json()["items"]]
        cursor = answer.json()["next_cursor"]
        if cursor is None:
            return found


def test_the_queue_comes_in_pages_newest_first(api: Api, queue: Any) -> None:
    ids = [str(queue()) for _ in range(5)]
    late = str(queue(seconds=-1))
    assert pages(api, {"state": "pending", "limit": 2}) == ids[::-1]
    assert pages(api, {"limit": 4}) == [late, *ids[::-1]]
    assert pages(api, {"state": "expired"}) == [late]
    shown = api.read(f"/v1/approvals/{ids[0]}", "operator").json()
    assert (shown["args"], shown["state"], shown["rule"]) == ({"owner_id": "dana"}, "pending", "outside_campaign")
    assert "call_hmac" not in shown


def test_a_decision_is_made_once_and_audited(api: Api, queue: Any, database: DatabaseUrls) -> None:
    approval = queue()
    answer = decide(api, approval)
    assert answer.status_code == 200, answer.text
    assert (answer.json()["state"], answer.json()["decided_by"][:4]) == ("approved", "key:")
    for body in ({"decision": "approve"}, {"decision": "deny"}):
        again = decide(api, approval, body)
        assert (again.status_code, again.json()["title"]) == (409, "Conflict")
    (event,) = sql.rows(database.superuser_url, "SELECT * FROM audit_events")
    assert (event["action"], event["actor"]) == ("approval.approved", answer.json()["decided_by"])
    assert "dana" not in str(event)


def test_of_many_decisions_at_once_one_counts(api: Api, queue: Any) -> None:
    approval = queue()
    with ThreadPoolExecutor(6) as threads:
        told = list(threads.map(lambda n: decide(api, approval, {"decision": ["approve", "deny"][n % 2]}), range(6)))
    assert sorted(one.status_code for one in told) == [200, *[409] * 5]


def test_who_may_and_what_is_refused(api: Api, queue: Any) -> None:
    ordinary, of_admins = queue(), queue("admin")
    for role in ("agent", "reader", "auditor", "ingest"):
        assert decide(api, ordinary, role=role).status_code == 403
        assert api.read("/v1/approvals", role).status_code == 403
    assert decide(api, of_admins).status_code == 403
    assert decide(api, of_admins, role="admin").status_code == 200
    assert decide(api, uuid4()).status_code == 404
    assert api.read(f"/v1/approvals/{uuid4()}", "operator").status_code == 404
    assert decide(api, queue(seconds=-1)).status_code == 409
    for body in ({}, [], {"decision": "maybe"}, {"decision": "approve", "x": 1}, {"decision": True}, "approve"):
        answer = decide(api, ordinary, body)
        assert answer.status_code == 422, body
        assert "maybe" not in answer.text
    assert api.client.post(f"/v1/approvals/{ordinary}/decision", headers=api.as_role("operator")).status_code == 422
    assert decide(api, ordinary).status_code == 200


def test_the_job_that_waits_is_due_at_once(api: Api, queue: Any, database: DatabaseUrls) -> None:
    job = sql.value(
        database.app_url,
        "INSERT INTO jobs (lead_id, run_version, wanted_version, run_at, rung_at, trace_id)"
        " VALUES (uuidv7(), 1, 1, now() + interval '1 hour', now(), '') RETURNING id",
    )
    decide(api, queue(job=job))
    (row,) = sql.rows(database.app_url, "SELECT run_at <= now() AS due, rung_at FROM jobs")
    assert (row["due"], row["rung_at"]) == (True, None)


def test_the_queue_is_measured(api: Api, queue: Any) -> None:
    queue()
    queue(seconds=-1)
    assert "revenueflow_approvals_pending 1.0" in api.client.get("/metrics").text
