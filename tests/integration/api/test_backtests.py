"""`POST /v1/scores/backtest`: what it refuses. What it does: tests/integration/scoring/test_backtest.py."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from revenueflow import defaults
from revenueflow.devserver.cluster import DatabaseUrls
from tests.integration.api.test_leads import problem
from tests.support import sql
from tests.support.api import Api
from tests.support.processes import until

TEXT = defaults.text("scoring/grounded.toml")


def post(api: Api, body: object, role: str = "operator") -> Any:
    return api.client.post("/v1/scores/backtest", json=body, headers=api.as_role(role))


def test_a_profile_that_cant_be_used_is_told_with_key_path_and_line(shared_api: Api) -> None:
    wrong = TEXT.replace('kind = "band"', 'kind = "band"\nweight = 2')
    line = wrong.splitlines().index("weight = 2") + 1
    told = problem(post(shared_api, {"profile_toml": wrong}), 422, "invalid_input")
    assert [fault["pointer"] for fault in told["errors"]] == ["/profile_toml/factors/2/weight"]
    assert "profile_toml: factors.2.weight: there is no such key here; allowed: bands, fact" in told["detail"]
    assert f"(line {line})" in told["detail"]
    typo = TEXT.replace("\nsoftware =", "\nsofware =")
    told = problem(post(shared_api, {"profile_toml": typo}), 422, "invalid_input")
    assert [fault["pointer"] for fault in told["errors"]] == ["/profile_toml/factors/1/points/sofware"]
    assert "did you mean `software`?" in told["detail"]
    told = problem(post(shared_api, {"profile_toml": "= ="}), 422, "invalid_input")
    assert "at line 1" in told["detail"]
    assert told["errors"][0]["pointer"] == "/profile_toml"


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/profile_toml"), ({"profile_toml": TEXT, "days": 0}, "/days"), ({"profile_toml": 1}, "/profile_toml"),
        ({"profile_toml": TEXT, "limit": 10_001}, "/limit"), ({"profile_toml": "x" * 200_001}, "/profile_toml"),
        ({"profile_toml": ".".join(["a"] * 90_000) + " = 1"}, "/profile_toml"),
        ({"profile_toml": "a = " + "[" * 4000}, "/profile_toml"),
        ({"profile_toml": "a = " + "9" * 5000}, "/profile_toml"),
        ({"profile_toml": TEXT, "since": "0001-01-01T00:00:00+14:00"}, "/since"),
        ({"profile_toml": TEXT, "since": "9999-12-31T23:59:59-14:00"}, "/since"),
        ({"profile_toml": TEXT, "s3cr3t": 1}, ""), ("s3cr3t", ""),
    ],
)  # fmt: skip
def test_requests_that_cant_be_used(shared_api: Api, body: object, pointer: str) -> None:
    told = problem(post(shared_api, body), 422, "invalid_input")
    assert [fault["pointer"] for fault in told["errors"]] == [pointer]
    unknown = isinstance(body, dict) and "s3cr3t" in body
    assert ("allowed: campaign_id, days, limit, moves, " in told["errors"][0]["detail"]) == unknown


def test_one_at_a_time_and_whoever_comes_meanwhile_is_told_when_to_come_again(api: Api, database: DatabaseUrls) -> None:
    with ThreadPoolExecutor(1) as threads:
        with sql.locked(database, "LOCK TABLE leads IN ACCESS EXCLUSIVE MODE"):
            first = threads.submit(post, api, {"profile_toml": TEXT})
            until(lambda: sql.waits(database))
            problem(post(api, {"profile_toml": "= ="}), 429, "rate_limited")
            simulated = api.client.post("/v1/routing/simulate", json={}, headers=api.as_role("operator"))
            problem(simulated, 429, "rate_limited")
            assert int(simulated.headers["Retry-After"]) > 0
        assert first.result(20).status_code == 200
    problem(post(api, {"profile_toml": "= ="}), 422, "invalid_input")
    assert post(api, {"profile_toml": TEXT}).status_code == 200


def test_the_body_has_a_cap(shared_api: Api) -> None:
    problem(post(shared_api, {"profile_toml": "x" * 4_000_000}), 413, "too_large")
