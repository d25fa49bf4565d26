"""`/v1/leads`: what is wrong is named and never repeated; what was taken can be found, page by page."""

from __future__ import annotations

import base64
import re
import secrets
from typing import Any
from uuid import UUID, uuid4

import httpx2
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from revenueflow.devserver.cluster import DatabaseUrls
from revenueflow.privacy.identity import delivery_id
from tests.support import sql
from tests.support.api import BODY_LIMIT, Api, at_once

SECRET = "s3cr3t"
JSON = "application/json"


def address() -> str:
    return f"{secrets.token_hex(6)}@x.example"


def post(api: Api, content: Any, kind: str = JSON, role: str = "ingest", **headers: str) -> httpx2.Response:
    given_ = api.as_role(role) | ({"content-type": kind} if kind else {}) | headers
    return api.client.post("/v1/leads", content=content, headers=given_)


def problem(answer: httpx2.Response, status: int, code: str) -> dict[str, Any]:
    """Holds the answer against RFC 9457 and our own promises."""
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert {"type", "title", "status", "detail", "instance", "errors", "trace_id"} == set(body)
    assert (answer.status_code, body["status"], body["type"]) == (status, status, f"urn:revenueflow:problem:{code}")
    assert len(body["trace_id"]) == 32
    assert SECRET not in answer.text
    return body


def pointers(body: dict[str, Any]) -> list[str]:
    return [error["pointer"] for error in body["errors"]]


@pytest.mark.parametrize(
    "content", [b"", b"{", b'{"email": "s3cr3t@x.example" oops}', b"s3cr3t", b"\xff", b'{"a": NaN}', b"\x00"]
)
def test_malformed_json(shared_api: Api, content: bytes) -> None:
    body = problem(post(shared_api, content), 400, "malformed_input")
    assert "line 1, column" in body["errors"][0]["detail"]


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ([SECRET], [""]),
        (SECRET, [""]),
        ({"email": SECRET}, ["/email"]),
        ({"E-Mail": [SECRET], "id": 1}, ["/E-Mail"]),
        ({"email": "a@x.example", "jobTitle": {SECRET: SECRET}, "companySize": True}, ["/jobTitle", "/companySize"]),
        ({"company": SECRET}, ["/email"]),
        ({"linkedin_url": f"https://x.example/{SECRET}"}, ["/email"]),
        ({}, ["/email"]),
    ],
)
def test_wrong_types_and_values(shared_api: Api, body: object, wrong: list[str]) -> None:
    assert pointers(problem(post(shared_api, orjson.dumps(body)), 422, "invalid_input")) == wrong


@pytest.mark.parametrize(
    "kind", ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "s3cr3t"]
)
def test_content_types_that_we_dont_take(shared_api: Api, kind: str) -> None:
    problem(post(shared_api, b"{}", kind), 415, "unsupported_media")


def test_a_body_over_the_cap(shared_api: Api) -> None:
    problem(post(shared_api, b" " * (BODY_LIMIT + 1)), 413, "too_large")
    problem(post(shared_api, iter([b" " * 1000] * 5)), 413, "too_large")


@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": "Bearer s3cr3t"}, {"Authorization": "Bearer rf_s3cr3t"},
                {"Authorization": "Basic czNj"},
                {"Authorization": "Bearer"}, {"Authorization": "Bearer rf_é"}]
)  # fmt: skip
def test_without_a_key_that_we_know(shared_api: Api, headers: dict[str, str]) -> None:
    raw = {name: value.encode("latin-1") for name, value in headers.items()}
    for path in (
        "/v1/leads",
        f"/v1/leads/{uuid4()}",
        f"/v1/leads/{uuid4()}/timeline",
        "/v1/quarantine",
        "/v1/dead-letters",
    ):
        answer = shared_api.client.get(path, headers=raw)
        problem(answer, 401, "not_authenticated")
        assert answer.headers["www-authenticate"] == "Bearer"
    problem(shared_api.client.post("/v1/leads", json={}, headers=raw), 401, "not_authenticated")


ALLOWED = {
    ("POST", "/v1/leads"): {"ingest", "operator", "admin"},
    ("POST", "/v1/imports"): {"ingest", "operator", "admin"},
    ("GET", "/v1/imports/{id}"): {"ingest", "reader", "operator", "admin"},
    ("GET", "/v1/imports/{id}/rejects"): {"ingest", "reader", "operator", "admin"},
    ("GET", "/v1/leads"): {"reader", "operator", "auditor", "admin"},
    ("GET", "/v1/leads/{id}"): {"reader", "operator", "auditor", "admin"},
    ("GET", "/v1/leads/{id}/timeline"): {"reader", "operator", "auditor", "admin"},
    ("GET", "/v1/leads/{id}/scores"): {"reader", "operator", "auditor", "admin"},
    ("GET", "/v1/offers"): {"reader", "operator", "auditor", "admin"},
    ("POST", "/v1/offers"): {"operator", "admin"},
    ("GET", "/v1/offers/{id}"): {"reader", "operator", "auditor", "admin"},
    ("DELETE", "/v1/offers/{id}"): {"operator", "admin"},
    ("POST", "/v1/scores"): {"operator", "admin"},
    ("GET", "/v1/scores/{id}"): {"reader", "operator", "auditor", "admin"},
    ("GET", "/v1/results"): {"reader", "operator", "auditor", "admin"},
    ("GET", "/v1/quarantine"): {"operator", "admin"},
    ("GET", "/v1/dead-letters"): {"operator", "admin"},
    ("POST", "/v1/dead-letters/replay"): {"operator", "admin"},
    ("POST", "/v1/leads/{id}/outcome"): {"operator", "admin"},
    ("POST", "/v1/leads/{id}/retry"): {"operator", "admin"},
    ("GET", "/v1/leads/{id}/personal-data"): {"operator", "admin"},
    ("DELETE", "/v1/leads/{id}/personal-data"): {"operator", "admin"},
    ("POST", "/v1/leads/{id}/enrich"): {"operator", "admin"},
    ("GET", "/v1/reviews"): {"reader", "operator", "auditor", "admin"},
    ("GET", "/v1/reviews/{id}"): {"reader", "operator", "auditor", "admin"},
    ("POST", "/v1/reviews/{id}/decision"): {"operator", "admin"},
    ("GET", "/v1/approvals"): {"operator", "admin"},
    ("GET", "/v1/approvals/{id}"): {"operator", "admin"},
    ("POST", "/v1/approvals/{id}/decision"): {"operator", "admin"},
    ("GET", "/v1/reps"): {"reader", "operator", "auditor", "admin"},
    ("PUT", "/v1/reps"): {"operator", "admin"},
    ("POST", "/v1/routing/simulate"): {"operator", "admin"},
    ("POST", "/v1/scores/backtest"): {"operator", "admin"},
    ("GET", "/v1/spend"): {"reader", "operator", "auditor", "admin"},
    ("POST", "/v1/spend/stop"): {"operator", "admin"},
    ("POST", "/v1/spend/resume"): {"operator", "admin"},
    ("POST", "/v1/writes/stop"): {"operator", "admin"},
    ("POST", "/v1/writes/resume"): {"operator", "admin"},
    ("GET", "/v1/campaigns"): {"reader", "operator", "auditor", "admin"},
    ("GET", "/v1/campaigns/{id}/leads"): {"reader", "operator", "auditor", "admin"},
    ("POST", "/v1/campaigns/{id}/pull"): {"operator", "admin"},
    ("GET", "/v1/audit"): {"auditor", "admin"},
    ("GET", "/v1/audit/checkpoint"): {"auditor", "admin"},
    ("GET", "/v1/audit/{id}/proof"): {"auditor", "admin"},
}


@pytest.mark.parametrize(("method", "path"), ALLOWED)
@pytest.mark.parametrize("role", ["ingest", "reader", "operator", "auditor", "agent", "admin"])
def test_who_may_do_what(shared_api: Api, method: str, path: str, role: str) -> None:
    answer = shared_api.client.request(method, path.format(id=uuid4()), headers=shared_api.as_role(role))
    if role in ALLOWED[method, path]:
        assert answer.status_code not in (401, 403)
    else:
        problem(answer, 403, "not_allowed")


def test_every_route_is_in_the_matrix(shared_api: Api) -> None:
    paths = shared_api.client.get("/openapi.json").json()["paths"]
    found = {
        (method.upper(), re.sub(r"\{\w+_id\}", "{id}", path))
        for path, methods in paths.items() if path.startswith("/v1/") for method in methods
    }  # fmt: skip
    assert found == set(ALLOWED)


def test_a_key_that_was_revoked(api: Api, database: DatabaseUrls) -> None:
    sql.rows(database.app_url, "UPDATE api_keys SET revoked_at = now() WHERE role = 'ingest'")
    problem(api.send({"email": address()}), 401, "not_authenticated")


@pytest.mark.parametrize(("path", "method"), [("", "GET"), ("/timeline", "GET"), ("/retry", "POST")])
def test_leads_that_are_unknown_or_no_id(shared_api: Api, path: str, method: str) -> None:
    def ask(id_: object) -> httpx2.Response:
        return shared_api.client.request(method, f"/v1/leads/{id_}{path}", headers=shared_api.as_role("operator"))

    assert problem(ask(uuid4()), 404, "not_found")["instance"].endswith(path)
    body = problem(ask(f"{SECRET}@x.example"), 422, "invalid_input")
    assert (pointers(body), body["instance"]) == (["/path/lead_id"], f"/v1/leads/{{lead_id}}{path}")


def test_routes_and_methods_that_dont_exist(shared_api: Api) -> None:
    problem(shared_api.client.get("/v1/nothing"), 404, "http_404")
    answer = shared_api.client.get("/webhooks/marketo")
    problem(answer, 405, "http_405")
    assert answer.headers["allow"] == "POST"


@pytest.mark.parametrize(
    ("query", "wrong"),
    [
        ("limit=0", "/query/limit"), ("limit=201", "/query/limit"), ("limit=s3cr3t", "/query/limit"),
        ("status=s3cr3t", "/query/status"), ("cursor=s3cr3t", "/query/cursor"), ("cursor=%00", "/query/cursor"),
        ("campaign=s3cr3t%00", "/query/campaign"), ("campaign=" + "c" * 201, "/query/campaign"),
        ("cursor=" + "c" * 501, "/query/cursor"),
    ],
)  # fmt: skip
def test_parameters_that_are_wrong(shared_api: Api, query: str, wrong: str) -> None:
    assert pointers(problem(shared_api.read(f"/v1/leads?{query}"), 422, "invalid_input")) == [wrong]


parts = some.none() | some.booleans() | some.integers(-(2**63), 2**63 - 1) | some.floats(allow_nan=False)
parts |= (
    some.datetimes().map(lambda moment: moment.isoformat()) | some.uuids().map(str) | some.dictionaries(parts, parts)
)


@given(some.lists(parts, max_size=4) | parts)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_forged_cursor_is_wrong_or_harmless(shared_api: Api, forged: object) -> None:
    cursor = base64.urlsafe_b64encode(orjson.dumps(forged, default=str, option=orjson.OPT_NON_STR_KEYS)).decode()
    for path in ("/v1/leads", f"/v1/leads/{uuid4()}/timeline"):
        answer = shared_api.client.get(path, params={"cursor": cursor[:500]}, headers=shared_api.as_role("reader"))
        assert answer.status_code in (200, 422), (forged, answer.text)


@pytest.mark.parametrize(
    "forged",
    [
        ["2026-01-01T00:00:00Z", 5], ["2026-01-01T00:00:00", str(uuid4())], ["0001-01-01T00:00:00+14:00", str(uuid4())],
        ["9999-12-31T23:59:59-14:00", str(uuid4())], ["2026-01-01T00:00:00Z", 10**12, "x"],
        ["2026-01-01T00:00:00Z", 1, "\0"], ["2026-01-01T00:00:00Z", True, "x"],
    ],
)  # fmt: skip
def test_cursors_just_beside_ours(shared_api: Api, forged: list[object]) -> None:
    test_a_forged_cursor_is_wrong_or_harmless.hypothesis.inner_test(shared_api, forged)


def test_a_lead_is_known_from_its_202_on(shared_api: Api) -> None:
    sent = shared_api.send({"email": address(), "campaign": "fall", "jobTitle": "CFO"})
    assert (sent.status_code, sent.json()["status"]) == (202, "accepted")
    assert sent.headers["location"] == f"/v1/leads/{sent.json()['lead_id']}"
    found = shared_api.read(sent.headers["location"])
    assert found.status_code == 200
    lead = found.json()
    assert (lead["id"], lead["status"], lead["version"], lead["campaign_id"], lead["needs_review"]) == (
        sent.json()["lead_id"], "accepted", 0, "fall", False,
    )  # fmt: skip
    assert (lead["score"], lead["owner"], lead["score_factors"]) == (None, None, [])
    assert lead["received_at"].endswith("Z")
    items = shared_api.read(f"{sent.headers['location']}/timeline").json()["items"]
    assert [(item["type"], item["id"]) for item in items] == [("delivery", sent.json()["delivery_id"])]


def test_an_idempotency_key_replays_and_refuses_another_body(shared_api: Api) -> None:
    key, body = secrets.token_hex(8), {"email": address()}
    first, again = (shared_api.send(body, Idempotency_Key=key) for _ in range(2))
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json() == again.json(), "the answer that was given the first time"
    assert (first.headers.get("idempotency-replayed"), again.headers["idempotency-replayed"]) == (None, "true")
    assert first.headers["location"] == again.headers["location"]
    problem(shared_api.send(body | {"message": SECRET}, Idempotency_Key=key), 422, "idempotency_mismatch")
    operator = shared_api.as_role("operator") | {"Idempotency-Key": key}
    other = shared_api.client.post("/v1/leads", json={"email": address()}, headers=operator)
    assert other.json()["status"] == "accepted", "keys belong to their caller"


def test_an_idempotency_key_that_is_none(shared_api: Api) -> None:
    for key in ("", "k" * 201):
        answer = shared_api.send({"email": address()}, Idempotency_Key=key)
        assert pointers(problem(answer, 422, "invalid_input")) == ["/header/idempotency-key"]
    assert shared_api.send({"email": address()}, Idempotency_Key="k" * 200).status_code == 202


def test_many_callers_with_one_key_and_different_bodies(shared_api: Api) -> None:
    key, emails = secrets.token_hex(8), [address(), address()]
    answers = at_once(12, lambda n: shared_api.send({"email": emails[n % 2]}, Idempotency_Key=key))
    taken = [answer for answer in answers if answer.status_code == 202]
    assert sum("idempotency-replayed" not in answer.headers for answer in taken) == 1
    assert len({answer.json()["lead_id"] for answer in taken}) == 1
    assert {answer.status_code for answer in answers} == {202, 422}


def test_the_delivery_is_the_callers_key(shared_api: Api, worker_database: DatabaseUrls) -> None:
    answer = shared_api.send({"email": address()}, Idempotency_Key="mine").json()
    stored = "SELECT source, delivery_key FROM deliveries WHERE id = $1"
    (found,) = sql.rows(worker_database.app_url, stored, UUID(answer["delivery_id"]))
    assert answer["delivery_id"] == str(delivery_id(found["source"], found["delivery_key"]))
    assert found["delivery_key"].endswith(":mine")


LEAD = """
    INSERT INTO leads (id, campaign_id, identity_key, version, status, received_at)
    VALUES ($1, $2, '', 1, $3, '2026-01-01T00:00:00Z'::timestamptz + make_interval(secs => $4))
"""


def test_pages_hold_every_lead_once_newest_first(api: Api, database: DatabaseUrls) -> None:
    ids = [uuid4() for _ in range(7)]
    for n, id_ in enumerate(ids):  # three of them at the same instant
        sql.rows(database.app_url, LEAD, id_, "fall" if n % 2 else "default", "processed", float(min(n, 4)))
    url, seen = "/v1/leads?limit=2&status=processed", []
    while url:
        answer = api.read(url)
        body = answer.json()
        seen += body["items"]
        assert len(body["items"]) <= 2
        link = answer.links.get("next")
        assert (link is None) == (body["next_cursor"] is None)
        url = link["url"] if link else ""
        assert not link or "status=processed" in url
    assert sorted(lead["id"] for lead in seen) == sorted(map(str, ids))
    order = [(lead["received_at"], lead["id"]) for lead in seen]
    assert order == sorted(order, reverse=True)
    assert len(api.read("/v1/leads?campaign=fall").json()["items"]) == 3
    assert api.read("/v1/leads?status=dead").json() == {"items": [], "next_cursor": None}


def test_pages_of_a_timeline(api: Api) -> None:
    id_ = ""
    for n in range(5):
        id_ = api.send({"email": "dana@x.example", "message": str(n)}).json()["lead_id"]
    url, seen = f"/v1/leads/{id_}/timeline?limit=2", []
    while url:
        answer = api.read(url)
        seen += answer.json()["items"]
        url = answer.links["next"]["url"] if "next" in answer.links else ""
    assert len({item["id"] for item in seen}) == len(seen) == 5
    assert [item["at"] for item in seen] == sorted(item["at"] for item in seen)


def test_a_parked_job_shows_before_capture_and_can_be_retried(api: Api, database: DatabaseUrls) -> None:
    id_ = api.send({"email": address()}).json()["lead_id"]
    problem(api.client.post(f"/v1/leads/{id_}/retry", headers=api.as_role("operator")), 409, "conflict")
    sql.rows(database.app_url, "UPDATE jobs SET state = 'parked'")
    assert (api.read(f"/v1/leads/{id_}").json()["status"], api.read(f"/v1/leads/{id_}").json()["needs_review"]) == (
        "parked", True,
    )  # fmt: skip
    assert len(api.client.post(f"/v1/leads/{id_}/retry", headers=api.as_role("operator")).json()["jobs"]) == 1
    assert sql.value(database.app_url, "SELECT state FROM jobs") == "ready"


def test_a_processed_lead_is_run_again_from_its_score_or_another_step(api: Api, database: DatabaseUrls) -> None:
    id_ = api.send({"email": address()}).json()["lead_id"]
    url, headers = f"/v1/leads/{id_}/retry", api.as_role("operator")
    sql.rows(database.app_url, "UPDATE jobs SET state = 'done', finished_at = now()")
    problem(api.client.post(f"{url}?from_step=lunch", headers=headers), 422, "invalid_input")
    answer = api.client.post(f"{url}?from_step=route", headers=headers)
    assert (answer.status_code, len(answer.json()["jobs"])) == (202, 1)
    found = sql.rows(database.app_url, "SELECT run_version, state FROM jobs ORDER BY run_version")
    assert [(one["run_version"], one["state"]) for one in found] == [(1, "done"), (2, "ready")]
    problem(api.client.post(url, headers=headers), 409, "conflict")


def test_with_postgres_away(api: Api, database: DatabaseUrls) -> None:
    headers = {"Retry-After": "1"}
    with sql.away(database):
        for answer in (api.send({"email": address()}), api.read("/v1/leads"), api.read(f"/v1/leads/{uuid4()}")):
            problem(answer, 503, "unavailable")
            assert answer.headers["retry-after"] == headers["Retry-After"]
