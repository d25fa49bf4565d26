"""Dead letters over HTTP: what they have in common, page by page, and setting them going again."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest

from revenueflow.devserver.cluster import DatabaseUrls
from tests.support import sql
from tests.support.api import Api

INSERT = """
    INSERT INTO jobs (id, lead_id, run_version, wanted_version, state, step, error_class, finished_at, created_at,
                      trace_id)
    VALUES ($1, $2, 1, 1, $3, $4, $5, now() - make_interval(hours => $6), now() - make_interval(hours => $6), '')
"""


def stop(
    database: DatabaseUrls, *, state: str = "dead", step: str = "record", error: str = "crm_unavailable", hours: int = 1
) -> str:
    job = uuid4()
    sql.rows(database.app_url, INSERT, job, uuid4(), state, step, error, hours)
    return str(job)


def listed(api: Api, query: str = "") -> Any:
    answer = api.read(f"/v1/dead-letters{query}", "operator")
    assert answer.status_code == 200, answer.text
    return answer.json()


def replay(api: Api, body: object, **headers: str) -> httpx2.Response:
    return api.client.post("/v1/dead-letters/replay", json=body, headers=api.as_role("operator") | headers)


def states(database: DatabaseUrls) -> dict[str, str]:
    return {str(row["id"]): row["state"] for row in sql.rows(database.app_url, "SELECT id, state FROM jobs")}


def test_a_lead_that_died_is_shown_with_its_error(api: Api, database: DatabaseUrls) -> None:
    id_ = api.send({"email": "dana@x.example"}).json()["lead_id"]
    assert listed(api) == {"groups": [], "items": [], "next_cursor": None}
    sql.rows(database.app_url, "UPDATE jobs SET state = 'dead', error_class = 'lease_expired'")
    (item,) = listed(api)["items"]
    assert (item["lead_id"], item["error_class"], item["poison"]) == (id_, "lease_expired", True)
    (group,) = listed(api)["groups"]
    assert (group["fingerprint"], group["example"], group["count"]) == (item["fingerprint"], item["id"], 1)
    assert api.read(f"/v1/leads/{id_}").json()["status"] == "dead"
    assert "x.example" not in str(listed(api))


def test_pages_and_filters(api: Api, database: DatabaseUrls) -> None:
    jobs = [stop(database, hours=hours) for hours in (1, 2, 2, 4, 5)]
    other = stop(database, step="analyse", hours=9)
    stop(database, state="parked")
    fingerprint = listed(api)["groups"][0]["fingerprint"]
    url, seen = f"/v1/dead-letters?limit=2&fingerprint={fingerprint}", []
    while url:
        answer = api.read(url, "operator")
        page = answer.json()
        assert len(page["items"]) <= 2
        assert [group["count"] for group in page["groups"]] == [5]
        assert (page["next_cursor"] is None) == ("next" not in answer.links)
        seen += page["items"]
        url = answer.links["next"]["url"] if "next" in answer.links else ""
    assert sorted(item["id"] for item in seen) == sorted(jobs)
    assert [item["created_at"] for item in seen] == sorted((item["created_at"] for item in seen), reverse=True)
    since = seen[2]["stopped_at"]
    assert {item["id"] for item in listed(api, f"?since={since}")["items"]} == set(jobs[:3])
    assert other in {item["id"] for item in listed(api)["items"]}


def test_named_ones_are_replayed(api: Api, database: DatabaseUrls) -> None:
    one, poison, other = stop(database), stop(database, error="lease_expired"), stop(database)
    missing = str(uuid4())
    answer = replay(api, {"jobs": [one, poison, missing]})
    assert answer.status_code == 202
    told = answer.json()
    assert (told["replayed"], sorted(told["jobs"]), told["left"]) == (2, sorted([one, poison]), {"unknown": 1})
    assert states(database) == {one: "ready", poison: "ready", other: "dead"}
    actors = sql.rows(database.app_url, "SELECT actor, job_id FROM audit_trail WHERE action = 'job.replayed'")
    assert {row["job_id"] for row in actors} == {UUID(one), UUID(poison)}
    assert all(row["actor"].startswith("key:") for row in actors)


def test_those_with_one_error_from_a_step(api: Api, database: DatabaseUrls) -> None:
    one, other = stop(database), stop(database, error="crm_rejected")
    fingerprint = next(item["fingerprint"] for item in listed(api)["items"] if item["id"] == one)
    asked = {"fingerprint": fingerprint, "from_step": "analyse"}
    assert replay(api, asked | {"dry_run": True}).json() == {"replayed": 1, "left": {}, "jobs": [one]}
    assert states(database) == {one: "dead", other: "dead"}
    assert replay(api, asked).json() == {"replayed": 1, "left": {}, "jobs": [one]}
    assert sql.value(database.app_url, "SELECT step FROM jobs WHERE state = 'ready'") == "analyse"


def test_all_since_a_time_but_poison(api: Api, database: DatabaseUrls) -> None:
    old, late, poison = stop(database, hours=5), stop(database), stop(database, error="lease_expired")
    parked = stop(database, state="parked")
    since = next(item["stopped_at"] for item in listed(api)["items"] if item["id"] == late)
    assert replay(api, {"since": since}).json() == {"replayed": 1, "left": {"poison": 1}, "jobs": [late]}
    assert replay(api, {"since": since, "poison": True}).json()["jobs"] == [poison]
    assert states(database) == {old: "dead", late: "ready", poison: "ready", parked: "parked"}


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, [""]),
        ([], [""]),
        ({"jobs": [str(uuid4())], "fingerprint": "0" * 12}, [""]),
        ({"jobs": []}, ["/jobs"]),
        ({"jobs": [str(uuid4()), "s3cr3t"]}, ["/jobs/1"]),
        ({"since": "s3cr3t"}, ["/since"]),
        ({"since": "2026-11-21T05:00:00"}, ["/since"]),
        ({"since": 1795000000}, ["/since"]),
        ({"since": "1795000000"}, ["/since"]),
        ({"fingerprint": "s3cr3t"}, ["/fingerprint"]),
        ({"fingerprint": "0" * 12, "from_step": "s3cr3t"}, ["/from_step"]),
        ({"fingerprint": "0" * 12, "poison": "yes", "dry_run": 1}, ["/dry_run", "/poison"]),
        ({"fingerprint": "0" * 12, "a/b~c": 1}, ["/a~1b~0c"]),
    ],
)
def test_what_is_wrong_is_named_and_not_shown(shared_api: Api, body: object, pointers: list[str]) -> None:
    answer = replay(shared_api, body)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert sorted(error["pointer"] for error in answer.json()["errors"]) == pointers
    assert "s3cr3t" not in answer.text


def test_what_is_no_request(shared_api: Api) -> None:
    operator, path = shared_api.as_role("operator"), "/v1/dead-letters/replay"

    def status(content: bytes, kind: str = "application/json") -> int:
        headers = operator | {"Content-Type": kind}
        return shared_api.client.post(path, content=content, headers=headers).status_code

    assert (status(b"{"), status(b"{}", "text/plain"), status(b" " * 5000)) == (400, 415, 413)


@pytest.mark.parametrize(
    "query",
    ["since=1795000000", "since=x", "since=0001-01-01T00:00:00%2B14:00", "fingerprint=X", "limit=0", "cursor=x"],
)
def test_wrong_parameters(shared_api: Api, query: str) -> None:
    answer = shared_api.read(f"/v1/dead-letters?{query}", "operator")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == f"/query/{query.split('=')[0]}"


def test_the_examples_in_the_documentation_work(shared_api: Api) -> None:
    operation = shared_api.client.get("/openapi.json").json()["paths"]["/v1/dead-letters/replay"]["post"]
    shown = operation["responses"]["202"]["content"]["application/json"]["example"]
    for example in operation["requestBody"]["content"]["application/json"]["examples"].values():
        answer = replay(shared_api, example["value"] | {"dry_run": True})
        assert (answer.status_code, set(answer.json())) == (202, set(shown))
