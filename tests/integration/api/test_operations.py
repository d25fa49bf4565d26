"""What the SRE asks, what documentation says, and that it needs nobody else."""

from __future__ import annotations

import json
import re
import socket
from contextlib import ExitStack
from functools import reduce
from pathlib import Path

import jsonschema
import pytest

from revenueflow.devserver.cluster import DatabaseUrls
from tests.support import sql
from tests.support.api import Api, add_keys, served, settings_for

METRICS = """
    revenueflow_ingress_ack_seconds revenueflow_deliveries_total revenueflow_queue_depth
    revenueflow_oldest_ready_seconds
    revenueflow_step_seconds revenueflow_spool_bytes revenueflow_spool_oldest_seconds revenueflow_jobs_dead
    revenueflow_breaker_state revenueflow_actions revenueflow_claims_total revenueflow_analyses_total
    revenueflow_guard_denials_total revenueflow_provider_seconds revenueflow_spend_total revenueflow_tokens_total
    revenueflow_seal_age_seconds
"""


def metric(text: str, line: str) -> float:
    found = re.search(rf"^{re.escape(line)} (\S+)$", text, re.MULTILINE)
    return float(found.group(1)) if found else 0.0


def test_alive_ready_and_healthy(api: Api, database: DatabaseUrls) -> None:
    assert api.client.get("/livez").json() == {"status": "ok"}
    assert api.client.get("/readyz").json() == {"status": "ready", "postgres": "ok", "spool": "none"}
    health = api.client.get("/health").json()
    assert (health["status"], health["postgres"], health["redis"], health["controls"]) == ("ok", "ok", "ok", [])
    sql.rows(database.app_url, "INSERT INTO controls (name, value, set_by) VALUES ('paused', 'true', 'cli:x')")
    (control,) = api.client.get("/health").json()["controls"]
    assert (control["name"], control["set_by"], 0 <= control["seconds"] < 60) == ("paused", "cli:x", True)
    assert api.marketo({"email": "a@x.example"}).status_code == 202, "pausing never stops the ingress"


@pytest.mark.parametrize("redis", ["closed", "silent"])
def test_with_redis_away_leads_are_kept(database: DatabaseUrls, tmp_path: Path, redis: str) -> None:
    with ExitStack() as stack:
        listening = stack.enter_context(socket.create_server(("127.0.0.1", 0)))  # takes connections, says nothing
        port = listening.getsockname()[1] if redis == "silent" else 1
        client = stack.enter_context(served(settings_for(database.app_url, f"redis://127.0.0.1:{port}/0", tmp_path)))
        api = Api(client, add_keys(database))
        for n in range(3):
            assert api.marketo({"email": f"a{n}@x.example"}).status_code == 202
        assert client.get("/readyz").status_code == 200
        assert client.get("/health").json()["redis"] == "away"
        assert client.get("/metrics").status_code == 200
    assert sql.value(database.app_url, "SELECT count(*) FROM jobs WHERE state = 'ready'") == 3


def test_with_postgres_away(api: Api, database: DatabaseUrls) -> None:
    with sql.away(database):
        assert api.client.get("/livez").status_code == 200
        ready = api.client.get("/readyz")
        assert (ready.status_code, ready.json()["postgres"]) == (503, "away")
        assert api.client.get("/health").json()["status"] == "degraded"
        assert api.client.get("/metrics").status_code == 200
    assert api.client.get("/readyz").status_code == 200


def test_metrics_tell_for_how_long_something_has_been_stopped(api: Api, database: DatabaseUrls) -> None:
    def ages() -> dict[str, float]:
        text = api.client.get("/metrics").text
        return {
            name: float(age)
            for name, age in re.findall(r'^revenueflow_stopped_seconds{switch="(\w+)"} (.+)$', text, re.M)
        }

    assert ages() == {"paused": 0, "writes_stopped": 0, "spending_stopped": 0}
    assert api.client.post("/v1/writes/stop", headers=api.as_role("operator")).status_code == 200
    sql.rows(database.app_url, "UPDATE controls SET set_at = now() - interval '2 hours'")
    found = ages()
    assert 7200 <= found["writes_stopped"] < 7260
    assert found["paused"] == 0
    assert api.client.post("/v1/writes/resume", headers=api.as_role("operator")).status_code == 200
    assert ages()["writes_stopped"] == 0


def test_metrics_tell_when_retention_last_came_to_its_end(api: Api, database: DatabaseUrls) -> None:
    def age() -> float:
        (found,) = re.findall(r"^revenueflow_retention_age_seconds (.+)$", api.client.get("/metrics").text, re.M)
        return float(found)

    assert 0 <= age() < 3600, "counted from the first migration on"
    sql.rows(database.app_url, "UPDATE routines SET ended_at = now() - interval '3 days' WHERE name = 'retention'")
    assert 259_200 <= age() < 259_260


def test_metrics_count_what_happens(api: Api) -> None:
    before = api.client.get("/metrics").text
    api.marketo({"email": "a@x.example"})
    api.marketo({"email": "a@x.example"})
    api.marketo({})
    after = api.client.get("/metrics").text
    for status in ("accepted", "duplicate", "quarantined"):
        line = f'revenueflow_deliveries_total{{source="marketo",status="{status}"}}'
        assert metric(after, line) == metric(before, line) + 1
    assert (
        metric(after, "revenueflow_ingress_ack_seconds_count")
        == metric(before, "revenueflow_ingress_ack_seconds_count") + 3
    )
    assert 'revenueflow_ingress_ack_seconds_bucket{le="0.2"}' in after
    assert metric(after, 'revenueflow_queue_depth{state="ready"}') == 1
    assert metric(after, 'revenueflow_oldest_ready_seconds{step="capture"}') >= 0
    assert {name for name in METRICS.split() if f"# TYPE {name.removesuffix('_total')}" not in after} == set()
    assert "x.example" not in after


def test_documentation_needs_no_other_host(shared_api: Api) -> None:
    page = shared_api.client.get("/docs").text
    assert set(re.findall(r"https?://[^\s\"'<>]+", page)) <= {"http://www.w3.org/2000/svg"}
    assets = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(assets) >= 3
    for asset in assets:
        answer = shared_api.client.get(asset)
        assert answer.status_code == 200, asset
        assert len(answer.content) > 100


def test_openapi_is_valid_and_its_operations_have_stable_names(shared_api: Api) -> None:
    document = shared_api.client.get("/openapi.json").json()
    assert document["openapi"].startswith("3.1.")
    operations = {
        operation["operationId"]: operation for path in document["paths"].values() for operation in path.values()
    }
    assert sorted(operations) == [
        "backtestProfile", "createLead", "createOffer", "decideApproval", "decideReview", "enrichLead",
        "erasePersonalData", "exportPersonalData", "getApproval", "getAuditCheckpoint", "getImport", "getLead",
        "getLeadTimeline", "getOffer",
        "getRejects", "getResults", "getReview", "getScoring", "getSpend", "health", "importCsv", "listApprovals",
        "listAuditEvents", "listCampaignLeads", "listCampaigns", "listDeadLetters", "listLeadScores", "listLeads",
        "listOffers", "listQuarantine", "listReps", "listReviews", "livez", "metrics", "proveAuditEvent",
        "pullCampaign", "putReps", "readyz", "receiveHubSpot", "receiveLead", "receiveMarketo", "recordOutcome",
        "replayDeadLetters", "resumeSpending", "resumeWrites", "retryLead", "scoreLeads", "simulateRouting",
        "stopSpending", "stopWrites", "withdrawOffer",
    ]  # fmt: skip
    for name, operation in operations.items():
        assert operation["tags"], name
        assert operation["description"], name
    for name in ("createLead", "receiveMarketo", "receiveLead", "receiveHubSpot"):
        assert all("example" in one for one in operations[name]["requestBody"]["content"].values())
        assert {"202", "401", "413", "503"} <= set(operations[name]["responses"])
    for reference in re.findall(r'"\$ref": ?"#/([^"]+)"', json.dumps(document)):
        assert reduce(lambda found, name: found[name], reference.split("/"), document)
    for path, methods in document["paths"].items():
        for operation in methods.values():
            declared = {one["name"] for one in operation.get("parameters", []) if one["in"] == "path"}
            assert declared == set(re.findall(r"{(\w+)}", path))
            assert all(answer["description"] for answer in operation["responses"].values())
    for schema in document.get("components", {}).get("schemas", {}).values():
        jsonschema.Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("name", ["createLead", "receiveMarketo", "receiveLead"])
def test_the_examples_in_the_documentation_work(shared_api: Api, name: str) -> None:
    paths = shared_api.client.get("/openapi.json").json()["paths"]
    path, operation = next(
        (path, ops["post"]) for path, ops in paths.items() if ops.get("post", {}).get("operationId") == name
    )
    example = operation["requestBody"]["content"]["application/json"]["example"]
    headers = shared_api.as_role("ingest") | {"X-RevenueFlow-Secret": "marketo-secret"}
    answer = shared_api.client.post(path, json=example, headers=headers)
    assert answer.status_code == 202
    shown = operation["responses"]["202"]["content"]["application/json"]["example"]
    assert set(answer.json()) == set(shown)


def test_the_age_of_a_pull_is_counted_in_postgres(api: Api, database: DatabaseUrls) -> None:
    insert = "INSERT INTO source_cursors (source, pulled_at) VALUES ($1, now() - $2 * interval '1 second')"
    sql.rows(database.app_url, insert, "marketo", 700.0)
    sql.rows(database.app_url, "INSERT INTO source_cursors (source) VALUES ('hubspot')")
    text = api.client.get("/metrics").text
    (age,) = re.findall(r'^revenueflow_reconcile_age_seconds{source="marketo"} (.+)$', text, re.MULTILINE)
    assert 700 <= float(age) < 760
    assert 'revenueflow_reconcile_age_seconds{source="hubspot"}' not in text
