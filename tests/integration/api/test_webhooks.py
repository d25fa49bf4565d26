"""The webhooks: 401 without proof, 413 over the cap, 503 if it can't be kept; all else is kept with a 202."""

from __future__ import annotations

import secrets
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import orjson
import pytest

from revenueflow.devserver.cluster import DatabaseUrls
from revenueflow.privacy.identity import delivery_id, lead_id
from tests.support import sql
from tests.support.api import (
    BODY_LIMIT,
    MARKETO_HEADERS,
    MARKETO_SECRET,
    PUBLIC_URL,
    Api,
    hubspot_headers,
    identity,
    standard_headers,
)

JSON = {"content-type": "application/json"}
EVENT = {
    "objectId": 101, "eventId": 1, "subscriptionId": 7, "portalId": 62515, "appId": 54321,
    "occurredAt": 1795000000000, "subscriptionType": "contact.creation", "attemptNumber": 0,
}  # fmt: skip


def address() -> str:
    return f"{secrets.token_hex(6)}@x.example"


def hubspot(api: Api, *events: Any, **signed: Any) -> dict[str, int]:
    body = orjson.dumps(list(events))
    answer = api.client.post("/webhooks/hubspot", content=body, headers=hubspot_headers(body, **signed))
    assert answer.status_code == 202, answer.text
    found: dict[str, int] = answer.json()
    return found


def test_a_marketo_call_gets_a_flat_answer_with_the_computed_ids(shared_api: Api) -> None:
    email = address()
    answer = shared_api.marketo({"Email Address": email.upper(), "First Name": "Dana", "campaignId": "fall"})
    assert answer.status_code == 202
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert body["lead_id"] == str(lead_id(identity().derive("email", email), "fall"))
    assert (body["status"], body["duplicate"], set(body)) == (
        "accepted", False, {"lead_id", "delivery_id", "status", "duplicate"},
    )  # fmt: skip


def test_a_marketo_form_and_a_repeated_one(shared_api: Api) -> None:
    content = urlencode({"Email Address": address(), "Job Title": "Geschäftsführerin"})
    headers = MARKETO_HEADERS | {"content-type": "application/x-www-form-urlencoded"}
    first, again = (shared_api.client.post("/webhooks/marketo", content=content, headers=headers) for _ in range(2))
    assert (first.json()["status"], again.status_code, again.json()["status"]) == ("accepted", 202, "duplicate")
    assert again.json() == first.json() | {"status": "duplicate", "duplicate": True}


@pytest.mark.parametrize("path", ["/webhooks/marketo", "/webhooks/lead", "/webhooks/hubspot"])
@pytest.mark.parametrize(
    "headers",
    [
        {}, {"X-RevenueFlow-Secret": ""}, {"X-RevenueFlow-Secret": "wrong"}, {"X-RevenueFlow-Secret": "an older"},
        {"Authorization": "Bearer rf_unknown"}, {"Authorization": f"Bearer {MARKETO_SECRET}"},
        {"Authorization": "Basic eA=="},
        {"webhook-id": "a", "webhook-timestamp": "9" * 5000, "webhook-signature": "v1,eA=="},
        {"X-HubSpot-Signature-v3": "eA==", "X-HubSpot-Request-Timestamp": "9" * 5000},
        {"X-HubSpot-Signature-v3": "\xe9", "X-HubSpot-Request-Timestamp": "\xb2"},
    ],
)  # fmt: skip
def test_without_its_proof_nobody_is_heard(shared_api: Api, path: str, headers: dict[str, str]) -> None:
    body = orjson.dumps({"email": address()})
    raw = {name: value.encode("latin-1") for name, value in (headers | JSON).items()}
    answer = shared_api.client.post(path, content=body, headers=raw)
    assert (answer.status_code, answer.headers["content-type"]) == (401, "application/problem+json")
    assert answer.json()["type"] == "urn:revenueflow:problem:not_authenticated"


def test_either_of_two_secrets_opens(shared_api: Api) -> None:
    answer = shared_api.client.post(
        "/webhooks/marketo", json={"email": address()}, headers={"x-revenueflow-secret": "an older secret"}
    )
    assert answer.status_code == 202


def test_a_body_over_the_cap(shared_api: Api) -> None:
    for content in (b"x" * (BODY_LIMIT + 1), iter([b"x" * BODY_LIMIT, b"x"])):
        answer = shared_api.client.post("/webhooks/marketo", content=content, headers=MARKETO_HEADERS)
        assert (answer.status_code, answer.json()["status"]) == (413, 413)
    exact = orjson.dumps({"email": address(), "message": ""})
    exact = exact[:-2] + b"x" * (BODY_LIMIT - len(exact)) + exact[-2:]
    answer = shared_api.client.post("/webhooks/marketo", content=exact, headers=MARKETO_HEADERS)
    assert answer.json()["status"] == "accepted"


STRANGE: list[tuple[bytes, str, str]] = [
    (b"", "application/json", "empty_body"),
    (b"{", "application/json", "malformed_json"),
    (b"\xef\xbb\xbf{}", "application/json", "malformed_json"),
    (b'{"email": "a@x.example", "n": NaN}', "application/json", "malformed_json"),
    ('{"name": "Jürgen"}'.encode("latin-1"), "application/json; charset=latin-1", "malformed_json"),
    (b"[" * 4000, "application/json", "malformed_json"),
    (b"\x1f\x8b\x08\x00", "application/json", "malformed_json"),
    (b"[]", "application/json", "not_an_object"),
    (b"null", "", "not_an_object"),
    (b'{"email": {"deep": 1}}', "application/json", "no_identity"),
    (b'{"email": "not an address"}', "application/json", "no_identity"),
    (b"{}", "application/json", "no_identity"),
    (b"<lead/>", "application/xml", "malformed_json"),
    (b"name=\xfc", "application/x-www-form-urlencoded", "malformed_form"),
    (b"--x\r\n\r\n--x--", "multipart/form-data; boundary=x", "malformed_json"),
]


@pytest.mark.parametrize(("body", "kind", "reason"), STRANGE)
def test_what_cant_be_understood_is_kept(shared_api: Api, body: bytes, kind: str, reason: str) -> None:
    key = secrets.token_hex(8)
    headers = standard_headers(body, id_=key) | ({"content-type": kind} if kind else {})
    answer = shared_api.client.post("/webhooks/lead", content=body, headers=headers)
    assert answer.status_code == 202
    expected = str(delivery_id("webhook", key))
    assert answer.json() == {"lead_id": None, "delivery_id": expected, "status": "quarantined", "duplicate": False}
    listed = shared_api.read("/v1/quarantine?limit=500", "operator").json()["items"]
    (found,) = [item for item in listed if item["id"] == expected]
    assert (found["source"], found["reason"], found["bytes"]) == ("webhook", reason, len(body))


def test_standard_webhooks_are_known_by_their_id(shared_api: Api) -> None:
    body, id_ = orjson.dumps({"email": address()}), secrets.token_urlsafe(8)
    for expected in ("accepted", "duplicate"):
        answer = shared_api.client.post("/webhooks/lead", content=body, headers=standard_headers(body, id_=id_) | JSON)
        assert answer.json()["status"] == expected
    other = orjson.dumps({"email": address()})
    answer = shared_api.client.post("/webhooks/lead", content=other, headers=standard_headers(other, id_=id_) | JSON)
    assert answer.json()["status"] == "conflict"
    assert shared_api.read(f"/v1/leads/{answer.json()['lead_id']}").status_code == 200


@pytest.mark.parametrize("length", [500, 501, 3000, 20_000])
def test_an_id_of_any_length(shared_api: Api, length: int) -> None:
    body, id_ = orjson.dumps({"email": address()}), secrets.token_urlsafe(length)[:length]
    for expected in ("accepted", "duplicate"):
        answer = shared_api.client.post("/webhooks/lead", content=body, headers=standard_headers(body, id_=id_))
        assert (answer.status_code, answer.json()["status"]) == (202, expected)


@pytest.mark.parametrize(("role", "status"), [("ingest", 202), ("admin", 202), ("reader", 403), ("agent", 403)])
def test_a_key_opens_the_lead_webhook_by_role(shared_api: Api, role: str, status: int) -> None:
    answer = shared_api.client.post("/webhooks/lead", json={"email": address()}, headers=shared_api.as_role(role))
    assert answer.status_code == status


def test_the_same_bytes_with_the_right_content_type_become_a_lead(shared_api: Api) -> None:
    body = urlencode({"email": address()})
    wrong = shared_api.client.post("/webhooks/marketo", content=body, headers=MARKETO_HEADERS | JSON)
    kind = {"content-type": "application/x-www-form-urlencoded"}
    right = shared_api.client.post("/webhooks/marketo", content=body, headers=MARKETO_HEADERS | kind)
    assert (wrong.json()["status"], right.json()["status"]) == ("quarantined", "conflict")
    assert shared_api.read(f"/v1/leads/{right.json()['lead_id']}").json()["status"] == "accepted"


def test_hubspot_counts_its_events(api: Api, database: DatabaseUrls) -> None:
    broken = [{"objectId": "x"}, "text", EVENT | {"subscriptionType": "deal.creation"}]
    assert hubspot(api, EVENT, EVENT | {"attemptNumber": 1}, EVENT | {"eventId": 2}, *broken) == {
        "accepted": 3, "duplicates": 0, "quarantined": 3,
    }  # fmt: skip
    assert hubspot(api, EVENT, *broken) == {"accepted": 0, "duplicates": 4, "quarantined": 0}
    assert hubspot(api) == {"accepted": 0, "duplicates": 0, "quarantined": 0}
    assert sql.value(database.app_url, "SELECT count(*) FROM jobs") == 1


def test_hubspot_signs_the_public_url_with_its_query(shared_api: Api) -> None:
    body = orjson.dumps([EVENT | {"eventId": secrets.randbelow(2**40)}])
    for signed, status in ((f"{PUBLIC_URL}/webhooks/hubspot?a=b:c", 202), (f"{PUBLIC_URL}/webhooks/hubspot?a=b", 401)):
        headers = hubspot_headers(body, url=signed)
        answer = shared_api.client.post("/webhooks/hubspot?a=b%3Ac", content=body, headers=headers)
        assert answer.status_code == status


@pytest.mark.parametrize("content", [b"", b"{", b"{}", b"[" * 3000, b"[null]"])
def test_hubspot_bodies_that_are_no_events(shared_api: Api, content: bytes) -> None:
    answer = shared_api.client.post("/webhooks/hubspot", content=content, headers=hubspot_headers(content))
    assert answer.status_code == 202
    assert sum(answer.json().values()) == 1


def test_hubspot_events_of_any_depth(shared_api: Api) -> None:
    good = orjson.dumps(EVENT | {"eventId": secrets.randbelow(2**40)})
    body = b'[{"a":' + b"[" * 500 + b"]" * 500 + b"}," + good + b"]"
    answer = shared_api.client.post("/webhooks/hubspot", content=body, headers=hubspot_headers(body))
    assert (answer.status_code, answer.json()["accepted"]) == (202, 1)


def test_the_callers_trace_goes_with_the_lead(shared_api: Api, worker_database: DatabaseUrls) -> None:
    trace = secrets.token_hex(16)
    for given, expected in (
        (f"00-{trace}-{secrets.token_hex(8)}-01", trace),
        (f"00-{'0' * 32}-{secrets.token_hex(8)}-01", None),
        ("00-xyz", None),
    ):
        answer = shared_api.client.post(
            "/webhooks/marketo", json={"email": address()}, headers=MARKETO_HEADERS | {"traceparent": given}
        ).json()
        job = "SELECT trace_id FROM jobs WHERE lead_id = $1"
        delivery = "SELECT trace_id FROM deliveries WHERE id = $1"
        found = {
            sql.value(worker_database.app_url, job, UUID(answer["lead_id"])),
            sql.value(worker_database.app_url, delivery, UUID(answer["delivery_id"])),
        }
        assert len(found) == 1
        assert found == {expected} if expected else found.isdisjoint({"0" * 32, "xyz"})


def test_with_postgres_away_nothing_is_promised(api: Api, database: DatabaseUrls) -> None:
    body = {"email": address()}
    api.marketo({"email": address()})
    with sql.away(database):
        answer = api.marketo(body)
        assert (answer.status_code, answer.json()["type"]) == (503, "urn:revenueflow:problem:unavailable")
        assert int(answer.headers["retry-after"]) >= 1
        assert answer.headers["content-type"] == "application/problem+json"
    assert api.marketo(body).json()["status"] == "accepted"


def test_a_standby_is_no_reason_to_refuse(api: Api, database: DatabaseUrls) -> None:
    sql.rows(database.owner_url, f"ALTER DATABASE {database.name} SET default_transaction_read_only = on")
    assert api.marketo({"email": address()}).status_code == 503
