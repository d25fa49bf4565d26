"""Rate limits: a key on /v1, an address that proves nothing; never a webhook that proves itself."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from revenueflow.api.limits import MOST_ADDRESSES, Limits
from revenueflow.devserver.cluster import DatabaseUrls
from tests.support.api import (
    MARKETO_HEADERS,
    Api,
    add_keys,
    api_settings,
    hubspot_headers,
    served,
    settings_for,
    standard_headers,
)

QUOTA = 6
UNKNOWN = "/v1/leads/019aa3f4-6f6b-7c1e-9a51-2f0c3f6f1d77"
POLICY = re.compile(r'"(key|unauthenticated)";q=(\d+);w=60')
STANDING = re.compile(r'"(key|unauthenticated)";r=(\d+);t=(\d+)')


@pytest.fixture
def limited(database: DatabaseUrls, redis_url: str, tmp_path: Path) -> Iterator[Api]:
    small = api_settings(key_limit=QUOTA, unauthenticated_limit=QUOTA)
    with served(settings_for(database.app_url, redis_url, tmp_path, api=small)) as client:
        yield Api(client, add_keys(database))


def standing(answer: Any) -> tuple[str, int, int]:
    """Policy, requests left, seconds; with fields that fit each other."""
    told, left = POLICY.fullmatch(answer.headers["ratelimit-policy"]), STANDING.fullmatch(answer.headers["ratelimit"])
    assert told and left and told[1] == left[1], answer.headers
    assert int(left[2]) <= int(told[2])
    return left[1], int(left[2]), int(left[3])


@pytest.mark.parametrize(
    ("method", "path", "role", "status", "policy"),
    [
        ("GET", "/v1/leads", "reader", 200, "key"), ("GET", UNKNOWN, "reader", 404, "key"),
        ("GET", "/v1/leads?limit=0", "reader", 422, "key"), ("GET", "/v1/leads", "ingest", 403, "key"),
        ("POST", "/v1/leads", "ingest", 415, "key"), ("POST", "/v1/imports", "ingest", 415, "key"),
        ("GET", "/v1/leads", None, 401, "unauthenticated"), ("GET", "/v1/nothing", None, 404, "unauthenticated"),
        ("PUT", "/v1/leads", None, 405, "unauthenticated"),
    ],
)  # fmt: skip
def test_every_answer_of_v1_tells_the_limit(
    shared_api: Api, method: str, path: str, role: str | None, status: int, policy: str
) -> None:
    answer = shared_api.client.request(method, path, headers=shared_api.as_role(role) if role else {})
    assert answer.status_code == status
    assert standing(answer)[0] == policy


def test_a_key_over_its_limit_waits_and_others_do_not(limited: Api) -> None:
    left = [standing(limited.read("/v1/leads"))[1] for _ in range(QUOTA)]
    assert left == list(range(QUOTA - 1, -1, -1))
    answer = limited.read("/v1/leads")
    assert (answer.status_code, answer.json()["type"]) == (429, "urn:revenueflow:problem:rate_limited")
    name, remaining, seconds = standing(answer)
    assert (name, remaining, int(answer.headers["retry-after"])) == ("key", 0, seconds)
    assert 1 <= seconds <= 60
    assert limited.read("/v1/leads", "operator").status_code == 200


def test_failures_become_429_and_whoever_proves_himself_is_heard(limited: Api) -> None:
    client, wrong = limited.client, {"authorization": "Bearer rf_unknown"}
    asked = [client.get("/v1/leads", headers=wrong) for _ in range(QUOTA)]
    assert [answer.status_code for answer in asked] == [401] * QUOTA
    for path in ("/webhooks/marketo", "/webhooks/hubspot", "/webhooks/lead", "/v1/leads"):
        refused = client.post(path, json={}, headers=wrong)
        assert (refused.status_code, standing(refused)[1]) == (429, 0), path
        assert int(refused.headers["retry-after"]) >= 1
        assert "www-authenticate" not in refused.headers
    assert limited.read("/v1/leads").status_code == 200


def test_a_webhook_that_proves_itself_is_never_limited(limited: Api) -> None:
    for _ in range(QUOTA + 1):
        refused = limited.client.post("/webhooks/marketo", json={})
    assert refused.status_code == 429
    for n in range(3 * QUOTA):
        body = orjson.dumps({"email": f"p{n}@x.example"})
        for path, headers in (
            ("/webhooks/marketo", MARKETO_HEADERS),
            ("/webhooks/lead", limited.as_role("ingest")),
            ("/webhooks/lead", standard_headers(body, id_=f"m{n}")),
            ("/webhooks/hubspot", hubspot_headers(body)),
        ):
            answer = limited.client.post(path, content=body, headers=headers)
            assert (answer.status_code, "ratelimit" in answer.headers) == (202, False), path


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/health", "/metrics", "/docs", "/openapi.json"])
def test_what_probes_ask_is_not_limited(limited: Api, path: str) -> None:
    for _ in range(QUOTA + 1):
        limited.client.get("/v1/leads")
    answers = [limited.client.get(path) for _ in range(QUOTA + 1)]
    assert {answer.status_code for answer in answers} == {200}
    assert not any("ratelimit" in answer.headers for answer in answers)


def test_many_addresses_take_bounded_memory() -> None:
    """Those beyond the bound share one count, and so are soon over it; those that were counted before are not."""

    async def run() -> list[bool]:
        limits = Limits(api_settings(unauthenticated_limit=5))
        addresses = [f"10.0.{n // 250}.{n % 250}" for n in range(MOST_ADDRESSES + 20)]
        return [bool(await limits.count_failure({"client": (address, 1)})) for address in (*addresses, addresses[0])]

    refused = asyncio.run(run())
    assert not any(refused[: MOST_ADDRESSES + 5])
    assert refused[MOST_ADDRESSES + 5 :] == [True] * 15 + [False]


def test_one_client_has_all_addresses_of_its_network() -> None:
    async def refused(*addresses: str) -> list[bool]:
        limits = Limits(api_settings(unauthenticated_limit=1))
        return [bool(await limits.count_failure({"client": (address, 1)})) for address in addresses]

    assert asyncio.run(refused("2001:db8::1", "2001:db8::ffff:2", "2001:db8:0:1::1")) == [False, True, False]
    assert asyncio.run(refused("::ffff:192.0.2.1", "192.0.2.1", "192.0.2.2", "", "x")) == [
        False, True, False, False, True,
    ]  # fmt: skip
