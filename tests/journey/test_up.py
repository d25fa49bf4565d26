"""`revenueflow up`: the README's lead, a worker that is killed, and senders that send everything twice."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import orjson
import pytest

from revenueflow.devserver.senders import Senders
from revenueflow.resilience.http import tls
from revenueflow.sandbox import sample
from tests.journey.conftest import Up
from tests.support.processes import until

README = Path(__file__).parents[2] / "README.md"
pytestmark = pytest.mark.slow


def rows(up: Up, query: str, *values: object) -> list[dict[str, Any]]:
    return up.looker.rows(query, *values)


def jobs(up: Up) -> Counter[str]:
    return Counter({row["state"]: row["n"] for row in rows(up, "SELECT state, count(*) AS n FROM jobs GROUP BY 1")})


def settled(up: Up) -> bool:
    found = jobs(up)
    return found.total() > 0 and found["ready"] + found["leased"] == 0


def asked(up: Up, what: str, upstream: str) -> list[dict[str, Any]]:
    url = f"{up.told['sandbox']['control']}/_sandbox/{what}"
    answer = httpx2.get(
        url, params={"upstream": upstream}, timeout=30, trust_env=False, verify=tls()
    ).raise_for_status()
    (found,) = orjson.loads(answer.content).values()
    return list(found)


def send_sample(up: Up) -> None:
    told = up.told
    sent = asyncio.run(Senders(told["api"], told["webhook_secrets"], told["keys"]["ingest"]).send(sample.load()))
    assert sent == 100


def records(up: Up) -> Counter[str]:
    return Counter(record["type"] for record in asked(up, "ledger", "crm"))


def is_whole(up: Up) -> None:
    """Nothing is lost, nothing is there twice."""
    (found,) = rows(up, """
        SELECT (SELECT count(DISTINCT lead_id) FROM deliveries) AS accepted,
               (SELECT count(*) FROM leads WHERE status = 'processed') AS processed,
               (SELECT count(*) FROM leads WHERE status = 'parked') AS parked""")  # fmt: skip
    assert found["accepted"] == found["processed"] + found["parked"]
    assert jobs(up)["dead"] == 0
    assert records(up) == {"lead": found["processed"], "task": found["processed"]}
    leads = [record["fields"]["lead_id"] for record in asked(up, "ledger", "crm") if record["type"] == "lead"]
    assert len(set(leads)) == len(leads)
    assert {row["state"] for row in rows(up, "SELECT state FROM actions WHERE tool <> 'post_message'")} <= {
        "confirmed",
        "superseded",
    }


def paid_again(up: Up) -> list[str]:
    """Calls of vendors about a lead whose enrichment was finished, in all of its runs."""
    finished = {
        row["email"]: row["at"]
        for row in rows(up, """
            SELECT l.email, max(s.finished_at) AS at FROM steps s JOIN jobs j ON j.id = s.job_id
            JOIN leads l ON l.id = j.lead_id WHERE s.name = 'enrich' AND l.email IS NOT NULL GROUP BY 1""")
    }  # fmt: skip
    late = []
    for vendor in ("clearbit", "hunter"):
        for request in asked(up, "requests", vendor):
            email = parse_qs(urlsplit(request["path"]).query).get("email", [""])[0]
            if email in finished and datetime.fromisoformat(request["at"]) > finished[email]:
                late.append(f"{vendor} {request['n']}")
    return late


def test_killing_the_worker_in_the_middle_loses_and_doubles_nothing_nor_does_sending_twice(up: Up) -> None:
    send_sample(up)
    until(lambda: jobs(up)["done"] >= 10, seconds=60)
    before = jobs(up)
    assert before["ready"] + before["leased"] > 10, "the worker was too fast to be killed in the middle"
    worker = up.told["pids"]["worker"]
    os.kill(worker, signal.SIGKILL)
    until(lambda: up.told["pids"].get("worker") not in (None, worker), seconds=30)
    until(lambda: settled(up), seconds=90)
    is_whole(up)
    assert paid_again(up) == []
    asked_models, analysed = len(asked(up, "requests", "gemini")), rows(up, "SELECT FROM steps WHERE name = 'analyse'")
    assert asked_models - len(analysed) <= before["leased"] + before["ready"]
    once, deliveries = records(up), rows(up, "SELECT id FROM deliveries")
    send_sample(up)
    until(lambda: settled(up), seconds=90)
    is_whole(up)
    assert records(up) == once
    assert len(rows(up, "SELECT id FROM deliveries")) == len(deliveries)


def lead_of_the_readme() -> dict[str, Any]:
    (body,) = re.findall(r"/webhooks/marketo .*? -d '(\{.*?\})'", README.read_text(), re.DOTALL)
    read: dict[str, Any] = orjson.loads(body)
    return read


def test_the_lead_of_the_readme_can_be_followed_from_evidence_to_the_crm(up: Up) -> None:
    told = up.told
    secret = {"X-RevenueFlow-Secret": told["webhook_secrets"]["marketo"]}
    key = {"Authorization": f"Bearer {told['api_key']}"}
    with httpx2.Client(base_url=told["api"], timeout=10, trust_env=False, verify=tls()) as client:
        answer = client.post("/webhooks/marketo", json=lead_of_the_readme(), headers=secret)
        assert answer.status_code == 202
        lead = answer.json()["lead_id"]
        until(lambda: client.get(f"/v1/leads/{lead}", headers=key).json()["status"] == "processed", seconds=30)
        shown = client.get(f"/v1/leads/{lead}", headers=key).json()
        timeline = client.get(f"/v1/leads/{lead}/timeline?limit=500", headers=key).json()["items"]
    (record,) = [one for one in asked(up, "ledger", "crm") if one["id"] == shown["crm_id"]]
    assert record["fields"]["lead_id"] == lead
    assert record["fields"]["score"] == shown["score"]
    assert shown["score_factors"]
    first = {kind: place for place, kind in reversed(list(enumerate(item["type"] for item in timeline)))}
    order = [first[kind] for kind in ("delivery", "evidence", "claim", "score", "routing", "action")]
    assert order == sorted(order)
    assert "audit" in first
    claims = [item["data"] for item in timeline if item["type"] == "claim"]
    assert all(claim["verdict"] and claim["decided_by"] for claim in claims)
    assert any(claim["verdict"] == "supported" and claim["supporting"] for claim in claims)
    writes = {item["data"]["tool"]: item["data"]["state"] for item in timeline if item["type"] == "action"}
    crm = ("upsert_lead", "set_lead_score", "assign_owner", "create_task")
    assert [writes[tool] for tool in crm] == ["confirmed"] * 4
    assert shown["routing_reason"]
