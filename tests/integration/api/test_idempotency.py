"""`Idempotency-Key` on what is made by a request: the first answer again, no second row, and no other body."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import httpx2
import pytest

from revenueflow.devserver.cluster import DatabaseUrls
from revenueflow.privacy.identity import delivery_id
from tests.integration.api.test_leads import at_once, problem
from tests.support import sql
from tests.support.api import Api
from tests.support.processes import until

MADE = [
    ("offers", "/v1/offers", {"name": "Route planning", "campaign_id": "spring"}, {"name": "Fuel cards"}),
    ("scorings", "/v1/scores", {"scope": "unscored"}, {"scope": "all"}),
]


def post(api: Api, path: str, body: object, key: str, role: str = "operator") -> httpx2.Response:
    return api.client.post(path, json=body, headers=api.as_role(role) | {"Idempotency-Key": key})


def count(urls: DatabaseUrls, table: str) -> Any:
    return sql.value(urls.app_url, f"SELECT count(*) FROM {table}")


@contextmanager
def in_flight(urls: DatabaseUrls, kind: str, key: str) -> Iterator[None]:
    """Another request that holds the key and has not committed."""
    (operator,) = sql.rows(urls.app_url, "SELECT id FROM api_keys WHERE role = 'operator'")
    held = delivery_id(kind, f"{operator['id']}:{key}")
    with sql.locked(urls, f"SELECT pg_advisory_xact_lock(hashtextextended('{held}', 0))"):
        yield


@pytest.mark.parametrize(("kind", "path", "body", "other"), MADE)
def test_the_first_answer_again_and_no_second_row(
    api: Api, database: DatabaseUrls, kind: str, path: str, body: Any, other: Any
) -> None:
    key = secrets.token_hex(8)
    first = post(api, path, body, key)
    if kind == "scorings":  # a worker goes on meanwhile: the first answer does not
        sql.rows(database.app_url, "UPDATE scorings SET state = 'done', scored = 7, leads = 7, finished_at = now()")
    again = post(api, path, body, key)
    assert first.status_code == again.status_code < 300
    assert again.content == first.content
    assert again.headers["location"] == first.headers["location"]
    assert (first.headers.get("idempotency-replayed"), again.headers["idempotency-replayed"]) == (None, "true")
    assert "request" not in first.text, "what we compare by is not shown"
    refused = post(api, path, other, key)
    problem(refused, 422, "idempotency_mismatch")
    assert count(database, kind) == 1
    assert post(api, path, body, key, "admin").json()["id"] != first.json()["id"], "keys belong to their caller"
    assert post(api, path, other, secrets.token_hex(8)).status_code == first.status_code
    assert count(database, kind) == 3


@pytest.mark.parametrize(("kind", "path", "body", "other"), MADE)
def test_a_request_in_flight(api: Api, database: DatabaseUrls, kind: str, path: str, body: Any, other: Any) -> None:
    with in_flight(database, kind, "k"):
        refused = post(api, path, body, "k")
        problem(refused, 409, "conflict")
        assert int(refused.headers["retry-after"]) > 0
        assert post(api, path, other, "j").status_code < 300, "another key does not wait"
    assert post(api, path, body, "k").status_code < 300
    assert count(database, kind) == 2


@pytest.mark.parametrize(("kind", "path", "body", "other"), MADE)
def test_one_that_ends_soon_is_waited_for(
    api: Api, database: DatabaseUrls, kind: str, path: str, body: Any, other: Any
) -> None:
    with ThreadPoolExecutor(1) as threads:
        with in_flight(database, kind, "k"):
            second = threads.submit(post, api, path, body, "k")
            until(lambda: sql.waits(database))
        assert second.result(20).status_code < 300
    assert count(database, kind) == 1


@pytest.mark.parametrize(("kind", "path", "body", "other"), MADE)
def test_many_at_once_make_one(api: Api, database: DatabaseUrls, kind: str, path: str, body: Any, other: Any) -> None:
    answers = at_once(8, lambda _: post(api, path, body, "k"))
    assert {answer.status_code for answer in answers} <= {201, 202, 409}
    assert len({UUID(answer.json()["id"]) for answer in answers if answer.status_code != 409}) == 1
    assert count(database, kind) == 1


def test_a_request_that_is_refused_does_not_take_the_key(shared_api: Api) -> None:
    key = secrets.token_hex(8)
    problem(post(shared_api, "/v1/offers", {"name": "A", "profile": "nobodys"}, key), 422, "invalid_input")
    assert post(shared_api, "/v1/offers", {"name": "A"}, key).status_code == 201
    for wrong in ("", "k" * 201):
        problem(post(shared_api, "/v1/offers", {"name": "A"}, wrong), 422, "invalid_input")
