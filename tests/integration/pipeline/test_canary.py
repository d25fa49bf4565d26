"""A marked person's data is where it must be, the database and the CRM, and nowhere else."""

from __future__ import annotations

import asyncio
import pickle
from pathlib import Path

import httpx2
import pytest
import redis

from revenueflow.devserver.server import free_port
from revenueflow.settings import WorkerSettings
from revenueflow.telemetry.exporter import serve_metrics
from tests.support.canary import EMAIL, LINKEDIN, MARKS, MESSAGE, NAME, PERSON, PHONE
from tests.support.house import SHORT, House, eventually


def clean(text: str, place: str) -> None:
    found = MARKS.search(text)
    assert found is None, f"{place}: …{text[max(0, found.start() - 80) : found.end() + 20]}…"


async def test_the_canary_is_where_it_belongs_and_nowhere_else(
    home: House, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    port = free_port()
    worker = WorkerSettings.model_validate({**SHORT, "metrics_port": port})
    home.settings = home.settings.model_copy(update={"worker": worker})
    await home.sandbox.break_("gemini", invent_rate=0.5)
    capsys.readouterr()
    met = "SELECT error_class IS NOT NULL FROM jobs WHERE lead_id = $1"
    with serve_metrics(port), redis.Redis.from_url(home.settings.redis.url) as client:
        async with home.relay():
            lead = await home.deliver(**PERSON)
            poison = await home.deliver(**{**PERSON, "email": f"2{EMAIL}"})
            home.rows(
                """UPDATE deliveries SET parsed = jsonb_set(parsed, '{form,name}', '["Zyxcanary Vonmarker"]')
                   WHERE lead_id = $1""", poison
            )  # fmt: skip
            async with home.worker():
                await home.until_state(lead, "done")
                await eventually(lambda: asyncio.to_thread(home.value, met, poison))
            in_redis = b"".join(client.dump(key) or b"" for key in client.scan_iter())
        metrics = httpx2.get(f"http://127.0.0.1:{port}/metrics", trust_env=False).text
    logs = capsys.readouterr().out
    assert "step_failed" in logs, "the poison must have been met, or this proves little"
    clean(logs, "logs")
    clean(in_redis.decode("latin-1"), "Redis")
    clean(metrics, "metrics")
    clean(str(home.rows("SELECT * FROM audit_events")), "audit")
    clean(str(home.rows("SELECT * FROM evidence")), "evidence")
    clean(str(home.rows("SELECT * FROM claims")), "claims")
    clean(str(home.rows("SELECT id, error_class, last_error, lease_owner FROM jobs")), "jobs")
    for upstream in ("gemini", "slack"):
        for request in await home.sandbox.requests(upstream):
            clean(request["path"] + request["body"] + str(request["headers"]), upstream)
    for upstream in ("clearbit", "hunter"):
        for request in await home.sandbox.requests(upstream):
            without_email = request["path"].replace(EMAIL.replace("@", "%40"), "").replace(EMAIL, "")
            clean(without_email + request["body"], upstream)
    assert NAME in str(await home.sandbox.records())
    assert home.lead(lead)["name"] == NAME


async def test_no_secret_is_in_a_log_or_a_path(home: House, capsys: pytest.CaptureFixture[str]) -> None:
    for upstream in ("crm", "gemini", "hunter", "clearbit", "slack"):
        await home.sandbox.break_(upstream, error_rate=1, status=401)
    lead = await home.deliver()
    await home.run(lead)
    logs = capsys.readouterr().out
    paths = str([request["path"] for request in await home.sandbox.requests("hunter")])
    assert "key=sandbox" not in logs + paths
    assert home.urls.app_url.split("@")[0] not in logs


def test_the_marks_would_be_found() -> None:
    for text in (EMAIL, NAME, PHONE, LINKEDIN, MESSAGE, str(pickle.dumps(NAME))):
        assert MARKS.search(text)
